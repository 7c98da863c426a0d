"""The Python SDK of MobileID: a phone's part of docs/protocol.md.

Needs `cryptography`, `httpx`, `PyJWT` and the one module that it shares with the service, `mobileid.protocol.wire`.
"""
