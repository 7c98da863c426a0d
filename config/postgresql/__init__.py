"""Django's PostgreSQL backend for connections that last: checked without a round trip, and waited for."""
