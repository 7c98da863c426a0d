"""`bench.flows.counting`: what goes by is counted as what it is, by either of PostgreSQL's protocols."""

import psycopg
import pytest
from django.db import connection

from bench.flows.counting import Counting
from bench.flows.parts.counted import through

READ, WRITE = "SELECT count(*) FROM reuseid_user", "UPDATE reuseid_user SET version = version"
WRITTEN_WITHIN = "WITH gone AS (DELETE FROM reuseid_user {} RETURNING id) SELECT count(*) FROM gone"


@pytest.mark.postgres
@pytest.mark.django_db
def test_statements_are_counted_by_kind():
    database = connection.settings_dict
    where = database["HOST"] or "/var/run/postgresql", int(database["PORT"] or 5432)
    with Counting(*where) as way, psycopg.connect(through(database, way.port)) as own:
        for statement in (f"{READ} {{}}", f"{WRITE} {{}}", WRITTEN_WITHIN):
            own.execute(statement.format("WHERE false"))
            own.execute(statement.format("WHERE %s"), [False])
        own.rollback()
        own.execute("/* why */ SELECT 1")
        own.commit()
    expected = {"connections": 1, "begins": 2, "commits": 1, "rollbacks": 1, "reads": 3, "writes": 4}
    assert {name: way.counts[name] for name in expected} == expected
