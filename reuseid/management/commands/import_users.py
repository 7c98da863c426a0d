"""``manage.py import_users``: many users from a file, all judged before the first is made."""

import json
import logging
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from reuseid.errors import ServiceError
from reuseid.management.accounts import find_account
from reuseid.services.jobs import imports

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Exits with 1 when a row is refused; the result file says which and why."""

    help = (
        "Import users from a .csv or .jsonl file. A refused row stops the import before anything is written. "
        "Stopped half-way, the same file goes on where it was."
    )

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument(
            "file", type=Path, help="externalRef, segment, attributes.NAME columns; or JSON lines; or an export."
        )
        parser.add_argument("--account", required=True, help="Id or name of the account.")
        parser.add_argument("--dry-run", action="store_true", help="Do all of it and undo it.")
        parser.add_argument("--result", type=Path, help="Result file, a JSON line a row; FILE.result.jsonl by default.")

    def handle(self, *args, file, account, dry_run, result, **options):
        """Judge all, then make all."""
        account = find_account(account)
        result = result or file.with_name(f"{file.name}.result.jsonl")
        try:
            if result.resolve() == file.resolve():
                raise CommandError("The result file would overwrite the file that is imported.")
            refused = self._import(account, file, dry_run, result)
        except ServiceError as error:
            raise CommandError(f"{file}: {' '.join(param['reason'] for param in error.invalid_params)}") from error
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror or error}.") from error
        except DatabaseError as error:
            log.exception("An import failed.")
            raise CommandError(
                "The database failed; it is in the log. What was imported stays: the same file goes on where it was."
            ) from error
        if refused:
            raise CommandError(f"{refused} rows were refused while others were imported: see {result}.")
        self.stdout.write(f"{'Nothing was written: a dry run. ' if dry_run else ''}Results are in {result}.")

    def _import(self, account, file, dry_run, result):
        actor = imports.actor_of(file)
        refused = self._run(imports.judge(account, file, actor=actor), result, "judged")
        if refused:
            raise CommandError(f"{refused} rows are refused, nothing was imported: see {result}.")
        return self._run(imports.carry_out(account, file, actor=actor, dry_run=dry_run), result, "done")

    def _run(self, batches, result, word):
        rows = refused = 0
        with result.open("w", encoding="utf-8") as out:
            for batch in batches:
                for row in batch:
                    out.write(json.dumps(row.as_json(), ensure_ascii=False) + "\n")
                    refused += row.status == "refused"
                rows += len(batch)
                self.stdout.write(f"{rows} rows {word}, {refused} refused")
        return refused
