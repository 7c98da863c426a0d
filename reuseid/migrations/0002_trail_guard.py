"""The trail is append-only: triggers, on PostgreSQL and SQLite, that even the application's own role meets.

A line goes only when a seal that is marked as purged covers it; a seal changes only by getting that mark.
"""

from django.db import migrations

COVERED = """EXISTS (SELECT 1 FROM reuseid_trailseal
    WHERE purged_at IS NOT NULL AND first_id <= OLD.id AND last_id >= OLD.id)"""
KEPT = ("number", "at", "first_id", "last_id", "count", "leaves", "root", "previous", "hash", "key_id", "signature")

POSTGRESQL = f"""
CREATE FUNCTION reuseid_trail_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND {COVERED} THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'the trail is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION reuseid_trail_seal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.purged_at IS NULL AND NEW.purged_at IS NOT NULL
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
DROP TRIGGER trail_guard ON reuseid_trailentry;
DROP TRIGGER trail_guard_truncate ON reuseid_trailentry;
DROP TRIGGER trail_seal_guard ON reuseid_trailseal;
DROP TRIGGER trail_seal_guard_truncate ON reuseid_trailseal;
DROP FUNCTION reuseid_trail_guard;
DROP FUNCTION reuseid_trail_seal_guard;
"""

_ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
SQLITE = (
    f"CREATE TRIGGER trail_guard_update BEFORE UPDATE ON reuseid_trailentry {_ABORT}",
    f"CREATE TRIGGER trail_guard_delete BEFORE DELETE ON reuseid_trailentry WHEN NOT {COVERED} {_ABORT}",
    f"""CREATE TRIGGER trail_seal_guard_update BEFORE UPDATE ON reuseid_trailseal
        WHEN OLD.purged_at IS NOT NULL OR NEW.purged_at IS NULL
        OR {" OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in KEPT)} {_ABORT}""",
    f"CREATE TRIGGER trail_seal_guard_delete BEFORE DELETE ON reuseid_trailseal {_ABORT}",
)
SQLITE_REMOVE = tuple(
    f"DROP TRIGGER {name}"
    for name in ("trail_guard_update", "trail_guard_delete", "trail_seal_guard_update", "trail_seal_guard_delete")
)


def install(apps, schema_editor):
    _run(schema_editor.connection, (POSTGRESQL,), SQLITE)


def remove(apps, schema_editor):
    _run(schema_editor.connection, (POSTGRESQL_REMOVE,), SQLITE_REMOVE)


def _run(connection, postgresql, sqlite):
    with connection.cursor() as cursor:
        for statement in {"postgresql": postgresql, "sqlite": sqlite}[connection.vendor]:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("reuseid", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
