"""The demo: every process of the service under one supervisor, and the main job played against it over HTTP.

Nothing of it runs in production, and it changes nothing but through the service's own doors and services.
"""
