"""What a caller meets before Django: how much may be sent, how slowly, and how many are let in at once.

Pure ASGI, so that it costs a caller who holds back neither a thread, nor a database connection, nor a file on disk.
Why it is here: docs/decisions/0015-bounds-before-django.md.
"""
