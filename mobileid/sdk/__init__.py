"""The Python SDK of MobileID: a phone's part of docs/protocol.md. Needs `cryptography`, `httpx` and `PyJWT`
only.

Importing `mobileid.sdk.wire` (as the service does) loads nothing else of it.
"""
