"""Django's SQLite backend with one change: every time has milliseconds."""
