"""The triggers that keep the trail append-only, on PostgreSQL and SQLite, as `0008` puts them in place of `0002`'s.

A line goes only when it is 30 days old and a seal that is marked as purged covers it. A seal changes only by getting that
mark, once, with a signature (which `verify_trail` judges), at the time that the database's own clock shows, and not
before it is 30 days old itself.
"""

LEAST_DAYS = 30
KEPT = (
    *("number", "at", "first_id", "last_id", "count", "leaves", "root", "previous", "hash", "key_id", "signature"),
    "version",
)
MARKED = "NEW.purge_signature <> '' AND NEW.purge_key_id IS NOT NULL AND NEW.purge_days IS NOT NULL"
COVERED = """EXISTS (SELECT 1 FROM reuseid_trailseal WHERE purged_at IS NOT NULL AND purge_signature <> ''
    AND first_id <= OLD.id AND last_id >= OLD.id)"""

# The clock by its full name: who sets a search_path brings no other.
_CLOCK = "pg_catalog.clock_timestamp()"
_OLD = f"OLD.at <= {_CLOCK} - interval '{LEAST_DAYS} days'"
POSTGRESQL = f"""
CREATE FUNCTION reuseid_trail_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND {_OLD} AND {COVERED} THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'the trail is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION reuseid_trail_seal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.purged_at IS NULL AND {MARKED} AND {_OLD}
        AND NEW.purged_at BETWEEN {_CLOCK} - interval '1 minute' AND {_CLOCK}
        AND ({", ".join("NEW." + name for name in KEPT)}) IS NOT DISTINCT FROM ({", ".join("OLD." + name for name in KEPT)})
    THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'the trail is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER trail_guard BEFORE UPDATE OR DELETE ON reuseid_trailentry
    FOR EACH ROW EXECUTE FUNCTION reuseid_trail_guard();
CREATE TRIGGER trail_guard_truncate BEFORE TRUNCATE ON reuseid_trailentry
    FOR EACH STATEMENT EXECUTE FUNCTION reuseid_trail_guard();
CREATE TRIGGER trail_seal_guard BEFORE UPDATE OR DELETE ON reuseid_trailseal
    FOR EACH ROW EXECUTE FUNCTION reuseid_trail_seal_guard();
CREATE TRIGGER trail_seal_guard_truncate BEFORE TRUNCATE ON reuseid_trailseal
    FOR EACH STATEMENT EXECUTE FUNCTION reuseid_trail_seal_guard();
"""
POSTGRESQL_REMOVE = """
DROP TRIGGER IF EXISTS trail_guard ON reuseid_trailentry;
DROP TRIGGER IF EXISTS trail_guard_truncate ON reuseid_trailentry;
DROP TRIGGER IF EXISTS trail_seal_guard ON reuseid_trailseal;
DROP TRIGGER IF EXISTS trail_seal_guard_truncate ON reuseid_trailseal;
DROP FUNCTION IF EXISTS reuseid_trail_guard;
DROP FUNCTION IF EXISTS reuseid_trail_seal_guard;
"""

_ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
_YOUNG = f"julianday(OLD.at) > julianday('now') - {LEAST_DAYS}"
SQLITE = (
    f"CREATE TRIGGER trail_guard_update BEFORE UPDATE ON reuseid_trailentry {_ABORT}",
    f"CREATE TRIGGER trail_guard_delete BEFORE DELETE ON reuseid_trailentry WHEN {_YOUNG} OR NOT {COVERED} {_ABORT}",
    f"""CREATE TRIGGER trail_seal_guard_update BEFORE UPDATE ON reuseid_trailseal
        WHEN OLD.purged_at IS NOT NULL OR NEW.purged_at IS NULL OR NOT ({MARKED}) OR {_YOUNG}
        OR julianday(NEW.purged_at) > julianday('now') OR julianday(NEW.purged_at) < julianday('now') - 1.0 / 1440
        OR {" OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in KEPT)} {_ABORT}""",
    f"CREATE TRIGGER trail_seal_guard_delete BEFORE DELETE ON reuseid_trailseal {_ABORT}",
)
SQLITE_REMOVE = tuple(
    f"DROP TRIGGER IF EXISTS {name}"
    for name in ("trail_guard_update", "trail_guard_delete", "trail_seal_guard_update", "trail_seal_guard_delete")
)


def install(apps, schema_editor):
    """Put the triggers in place; there are none."""
    _run(schema_editor.connection, (POSTGRESQL,), SQLITE)


def remove(apps, schema_editor):
    """Take the triggers away, these or those of `0002`."""
    _run(schema_editor.connection, (POSTGRESQL_REMOVE,), SQLITE_REMOVE)


def _run(connection, postgresql, sqlite):
    with connection.cursor() as cursor:
        for statement in {"postgresql": postgresql, "sqlite": sqlite}[connection.vendor]:
            cursor.execute(statement)
