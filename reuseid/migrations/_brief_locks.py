"""Altering columns of tables that are in use, where nothing but the catalogue changes: no lock is waited for in earnest.

PostgreSQL lets nobody past an ALTER TABLE that waits, be it for a backup that reads for an hour. So each gives way after
half a second, before the database would look for a deadlock, and is tried again. The migration must not be atomic:
then it holds one lock at a time.
"""

import time

from django.db import OperationalError, migrations
from django.db.models import Index

TRIES = 120
WAIT = "500ms"
PAUSE = 0.5  # seconds in which others get on
LOCK_NOT_AVAILABLE = "55P03"


class AlterFieldBriefly(migrations.AlterField):
    """Takes away constraints and indexes, forwards; what an earlier try took away is passed over. Backwards it waits."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Raises OperationalError when after TRIES the lock was not to be had: run it again then."""
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        for left in reversed(range(TRIES)):
            schema_editor.execute(f"SET lock_timeout = '{WAIT}'")
            try:
                return self._take_away(app_label, schema_editor, from_state, to_state)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE or not left:
                    raise
            finally:
                schema_editor.execute("RESET lock_timeout")
            time.sleep(PAUSE)

    def _take_away(self, app_label, schema_editor, from_state, to_state):
        if self.field.remote_field and self.field.db_constraint:
            # Django drops the constraint and makes it anew, which reads the table; a try between the two would lose it.
            raise TypeError(f"The constraint of {self.name} stays: say DropIndexBriefly.")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """What it makes anew reads the table: no time is enough for that."""
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class DropIndexBriefly(AlterFieldBriefly):
    """Takes away the index of a foreign key alone; its constraint is not touched, forwards."""

    def _take_away(self, app_label, schema_editor, from_state, to_state):
        model = from_state.apps.get_model(app_label, self.model_name)
        column, others = model._meta.get_field(self.name).column, {index.name for index in model._meta.indexes}
        for name in schema_editor._constraint_names(model, [column], index=True, type_=Index.suffix, exclude=others):
            schema_editor.execute(schema_editor._delete_index_sql(model, name))
