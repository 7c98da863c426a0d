"""Waiting for people without holding a thread or a database connection.

Why it is outside of Django: docs/decisions/0007-waiting-outside-of-django.md.
"""
