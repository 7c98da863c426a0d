"""Several statements that are one act."""

from collections.abc import Mapping
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS, connection, connections

from reuseid.prepared.parameters import Text, Values, execute_bound
from reuseid.prepared.reading import Select


class Part(Protocol):
    """A statement that writes. `Insert` and `Update` are parts; a third one gives the same four."""

    after: str | None
    returning: tuple[str, ...]

    def text(self) -> Text:
        """For PostgreSQL, with ``done`` and the columns of ``returning`` as what it returns."""

    def values(self, given: Any) -> Values:
        """Where the values of one run come from."""

    def run(self, given: Any, done: Mapping[str, Any]) -> Any:
        """Run it alone, after the parts before it, whose results are ``done``."""

    def written(self, given: Any, found: Any) -> Any:
        """What it gives, of the columns that came back: None when it wrote no row."""


class Together:
    """Parts by name, in order: one statement on PostgreSQL, one after the other elsewhere.

    A part with ``after`` runs only when that one wrote a row. All of them see the database as it was before the first:
    none reads what another writes.
    """

    def __init__(self, **parts: Any) -> None:
        self._parts = parts
        self._joined: _Joined | None = None

    def __call__(self, **given: Any) -> dict[str, Any]:
        """Run them: ``given`` are values by name for an Update or a Select, an instance for an Insert.

        Gives for each part what it gives alone: None where it wrote or found no row.
        """
        if connection.vendor != "postgresql":
            return self._in_turn(given)
        if self._joined is None:
            self._joined = _Joined(self._parts)
        return self._joined.run(self._parts, given)

    def _in_turn(self, given):
        done: dict[str, Any] = {}
        for name, part in self._parts.items():
            runs = part.after is None or done[part.after] is not None
            done[name] = part.run(given.get(name, {}), done) if runs else None
        return done


class _Joined:
    """The one statement: parts that write are WITH queries, and the SELECT shows what each came to."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        quote = connection.ops.quote_name
        writing, joins, shown = [], [], []
        self._columns: list[tuple[str, slice]] = []
        places: dict[bool, list[tuple[str, Any]]] = {False: [], True: []}
        for name, part in parts.items():
            first, reads = len(shown), isinstance(part, Select)
            if reads:
                text, columns = part.plan().text, part.plan().names
                joins.append(f"LEFT JOIN ({text.sql}) AS {quote(name)} ON TRUE")
            else:
                text, columns = part.text(), ["done", *part.returning]
                writing.append(f"{quote(name)} AS ({text.sql})")
                joins.append(f"LEFT JOIN {quote(name)} ON TRUE")
            shown += [f"{quote(name)}.{quote(column)}" for column in columns]
            places[reads] += [(name, place) for place in text.places]
            self._columns.append((name, slice(first, len(shown))))
        self._places = places[False] + places[True]
        ends = f"SELECT {', '.join(shown)} FROM (SELECT 1) AS one {' '.join(joins)}"  # noqa: S608 - parts and columns
        self._sql = f"WITH {', '.join(writing)} {ends}"

    def run(self, parts, given):
        values = {name: _values(part, given.get(name, {})) for name, part in parts.items()}
        database = connections[DEFAULT_DB_ALIAS]
        bound = [place.bind(values[name](place.name), database) for name, place in self._places]
        with execute_bound(self._sql, bound) as cursor:
            row = cursor.fetchone()
        return {name: _found(parts[name], given.get(name, {}), row[columns]) for name, columns in self._columns}


def _values(part, given):
    return given.__getitem__ if isinstance(part, Select) else part.values(given)


def _found(part, given, columns):
    if isinstance(part, Select):
        return part.plan().instance(columns)
    return part.written(given, None if columns[0] is None else columns)
