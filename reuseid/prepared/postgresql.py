"""The cursor of prepared statements; imported where PostgreSQL is the database."""

from typing import Any, Self

import psycopg


class PreparedCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Binds values on the server and prepares each statement on its first run."""

    def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Self:
        return super().execute(query, params, prepare=True, **kwargs)
