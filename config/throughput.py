"""Settings: how much at once, in each process of the web server. Read by `config.settings`."""

from config import env

# Seconds in which a body begins; each 64 KiB that have come give the rest one more. Bytes of all bodies under way.
BODY_SECONDS = env.integer("BODY_SECONDS", 10, minimum=1)
BODY_MEMORY = 1024 * 1024 * env.integer("BODY_MEMORY", 256, minimum=16)
# What `reuseid.ingress` lets in stays in memory: no body is written to a file.
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# Threads in which requests are worked on, each with a connection to the database; the other requests queue. They share
# one processor: more than wait for the database at the same time are no faster.
REQUESTS_AT_ONCE = env.integer("REQUESTS_AT_ONCE", 8, minimum=1)
# Callers who wait (`?wait=`, QR streams): in all, of one API client, and QR streams of one operation.
WAITING_LIMIT = env.integer("WAITING_LIMIT", 6000, minimum=1)
WAITING_CLIENT_LIMIT = env.integer("WAITING_CLIENT_LIMIT", 2000, minimum=1)
QR_STREAM_LIMIT = env.integer("QR_STREAM_LIMIT", 10, minimum=1)
# `host:port` of a listener for /healthz beside the main one, or none.
HEALTH_LISTEN = env.address("HEALTH_LISTEN")
