"""``manage.py import_users``: many users from a file, all judged before the first is made."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from reuseid.management.accounts import find_account
from reuseid.services import importing


class Command(BaseCommand):
    """Exits with 1 when a row is refused; the result file says which and why."""

    help = (
        "Import users from a .csv or .jsonl file. A refused row stops the import before anything is written. "
        "Stopped half-way, the same file goes on where it was."
    )

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("file", type=Path, help="externalRef, segment, attributes.NAME columns; or JSON lines.")
        parser.add_argument("--account", required=True, help="Id or name of the account.")
        parser.add_argument("--dry-run", action="store_true", help="Do all of it and undo it.")
        parser.add_argument("--result", type=Path, help="Result file, a JSON line a row; FILE.result.jsonl by default.")

    def handle(self, *args, file, account, dry_run, result, **options):
        """Judge all, then make all."""
        if file.suffix not in (".csv", ".jsonl"):
            raise CommandError("The file must be .csv or .jsonl.")
        account = find_account(account)
        result = result or file.with_name(f"{file.name}.result.jsonl")
        try:
            actor = importing.actor_of(file)
            refused = self._run(importing.judge(account, file, actor), result, "judged")
            if refused:
                raise CommandError(f"{refused} rows are refused, nothing was imported: see {result}.")
            refused = self._run(importing.carry_out(account, file, actor, dry_run=dry_run), result, "done")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} can't be read: {error}") from error
        if refused:
            raise CommandError(f"{refused} rows were refused while others were imported: see {result}.")
        self.stdout.write(f"{'Nothing was written: a dry run. ' if dry_run else ''}Results are in {result}.")

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
