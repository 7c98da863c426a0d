"""``manage.py export_users``: an account's users as a file, with a reason that the trail keeps."""

import csv
import getpass
import json
import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from reuseid.actors import Actor, ActorKind
from reuseid.errors import ServiceError
from reuseid.management.accounts import find_account
from reuseid.services.jobs import csv_text, exported_people


class Command(BaseCommand):
    """Only the file's owner can read it; an existing file is not overwritten."""

    help = "Export users to a new .jsonl or .csv file. Attribute values are left out unless named."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("file", type=Path, help="Must not be there yet; .jsonl or .csv.")
        parser.add_argument("--account", required=True, help="Id or name of the account.")
        parser.add_argument("--attributes", default="", help="Comma-separated names; * for all (only .jsonl).")
        parser.add_argument("--reason", required=True, help="A reason code of the configured list.")
        parser.add_argument("--note", default="", help="Why, in words; OTHER needs it.")

    def handle(self, *args, file, account, attributes, reason, note, **options):
        """Write line by line."""
        suffix = file.suffix.lower()
        if suffix not in (".csv", ".jsonl") or (attributes == "*" and suffix == ".csv"):
            raise CommandError("The file must be .jsonl, or .csv with named attributes.")
        names = None if attributes == "*" else [name for name in attributes.split(",") if name]
        actor = Actor(ActorKind.SYSTEM, "manage.py export_users", getpass.getuser()[:150])
        account = find_account(account)
        try:
            rows = exported_people.users_of(account, names, actor=actor, reason=reason, note=note)
            with open(
                os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
            ) as out:
                number = _write_csv(out, rows, names) if suffix == ".csv" else _write_lines(out, rows)
        except ServiceError as error:
            raise CommandError("; ".join(param["reason"] for param in error.invalid_params) or str(error)) from error
        except OSError as error:
            raise CommandError(f"{file} can't be written: {error.strerror}.") from error
        self.stdout.write(f"{number} users are in {file}.")


def _write_lines(out, rows):
    number = 0
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
        number += 1
    return number


def _write_csv(out, rows, names):
    writer, quoting, number = csv.writer(out), csv.writer(out, quoting=csv.QUOTE_ALL), 0
    writer.writerow(["userId", "externalRef", "segment", "state", *(f"attributes.{name}" for name in names)])
    for row in rows:
        number += 1
        values = [row["userId"], row["externalRef"], row["segment"], row["state"]]
        cells = [csv_text.cell(value) for value in (*values, *(row["attributes"].get(name) for name in names))]
        # A cell over several lines is told from a quote that was not closed by the quotes of all the others.
        (quoting if any("\n" in cell for cell in cells) else writer).writerow(cells)
    return number
