"""SQLite compares times as text, and the database's clock writes milliseconds.

Django would write microseconds, or none where they are zero, so "12:00:05.123" and "12:00:05.123000" would differ and
a page's cursor would meet its own row again.
"""

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.operations import DatabaseOperations as SQLiteOperations


class DatabaseOperations(SQLiteOperations):
    """Writes and compares times with milliseconds."""

    def adapt_datetimefield_value(self, value):
        """As STRFTIME('%Y-%m-%d %H:%M:%f') writes it."""
        adapted = super().adapt_datetimefield_value(value)
        if isinstance(adapted, str):
            seconds, _, fraction = adapted.partition(".")
            return f"{seconds}.{fraction[:3]:0<3}"
        return adapted


class DatabaseWrapper(base.DatabaseWrapper):
    """Uses them."""

    ops_class = DatabaseOperations
