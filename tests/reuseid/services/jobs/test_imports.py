"""Bulk import and export: nothing half-checked, nothing twice."""

import json
import stat
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from reuseid.models import AttributeKey, TrailEntry, User
from reuseid.services.jobs import imports
from reuseid.services.people import attributes, users
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(account, tmp_path):
    """`run(text, name="users.csv", **options)`: the results as rows."""

    def call(text, name="users.csv", **options):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        result = path.with_name(f"{name}.result.jsonl")
        try:
            call_command("import_users", str(path), account=account.name, stdout=StringIO(), **options)
        finally:
            call.results = [json.loads(line) for line in result.read_text().splitlines()]
        return call.results

    return call


CSV = "externalRef,segment,attributes.email\na,gold,a@x.example\nb,,b@x.example\n"


def test_a_csv_becomes_users(run, account):
    assert [row["status"] for row in run(CSV)] == ["created", "created"]
    user = users.by_external_ref(account, "a")
    assert (user.segment, attributes.values([user])[user.pk]) == ("gold", {"email": "a@x.example"})


def test_json_lines_take_values_and_records(run, account):
    line = {"externalRef": "a", "attributes": {"n": 1, "e": {"value": "x", "assuranceLevel": "high"}}}
    run(json.dumps(line) + "\n", "users.jsonl")
    assert users.by_external_ref(account, "a").attributes.get(name="e").assurance_level == "high"


def test_a_dry_run_does_everything_and_leaves_nothing(run):
    assert [row["status"] for row in run(CSV, dry_run=True)] == ["would be created"] * 2
    assert not User.objects.exists()


def test_one_bad_row_stops_the_import_before_anything_is_written(run):
    with pytest.raises(CommandError, match="1 rows are refused"):
        run(CSV + "c,gold,a@x.example,too,many\n")
    assert [row["status"] for row in run.results] == ["valid", "valid", "refused"]
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("{", "row"),
        ("[]", "row"),
        ('{"externalRef": "a", "colour": 1}', "colour"),
        ('{"externalRef": 7}', "externalRef"),
        ("{}", "externalRef"),
        ('{"externalRef": "a\\u0007"}', "externalRef"),
        ('{"externalRef": "a", "attributes": {"1": 1}}', "attributes.1"),
        ('{"externalRef": "a", "attributes": {"x": null}}', "attributes.x"),
        (
            '{"externalRef": "a", "attributes": {"x": {"value": 1, "assuranceLevel": "best"}}}',
            "attributes.x.assuranceLevel",
        ),
        ('{"externalRef": "a", "attributes": {"x": {"value": 1, "verifiedAt": "now"}}}', "attributes.x.verifiedAt"),
        ('{"externalRef": "a", "attributes": {"x": {"value": 1, "verifiedAt": 7}}}', "attributes.x.verifiedAt"),
        ('{"externalRef": "a", "attributes": {"x": NaN}}', "row"),
    ],
)
def test_a_refused_row_says_why(run, line, name):
    with pytest.raises(CommandError):
        run(line + "\n", "users.jsonl")
    assert run.results[0]["errors"][0]["name"] == name


def test_two_rows_with_one_reference_or_one_unique_value_are_refused(run, account):
    AttributeKey.objects.create(account=account, name="ssn", searchable=True, unique=True)
    factories.make_user(account, external_ref="old", attributes={"ssn": "3"})
    with pytest.raises(CommandError):
        run("externalRef,attributes.ssn\na,1\na,2\nb,1\nold,9\nc,3\n")
    assert [row["status"] for row in run.results] == ["valid", "refused", "refused", "refused", "refused"]
    assert run.results[2]["errors"] == [{"name": "attributes.ssn", "reason": "Row 1 has it."}]


def test_stopped_half_way_the_same_file_goes_on(run, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 1)
    make = imports._make

    def stop_at_second(account, row, actor):
        if row.number == 2:
            raise KeyboardInterrupt
        make(account, row, actor)

    monkeypatch.setattr(imports, "_make", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        run(CSV)
    monkeypatch.setattr(imports, "_make", make)
    assert [row["status"] for row in run(CSV)] == ["imported before", "created"]
    assert User.objects.count() == 2


def test_an_export_holds_what_an_import_takes_and_is_recorded(account, tmp_path):
    factories.make_user(account, external_ref="a", attributes={"name": "=1+1", "age": 4})
    path = tmp_path / "out.jsonl"
    options = {"account": str(account.pk), "reason": "COMPLIANCE", "stdout": StringIO()}
    call_command("export_users", str(path), attributes="*", **options)
    (row,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert row["attributes"] == {"name": "=1+1", "age": 4}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TrailEntry.objects.filter(action="users.exported", reason="COMPLIANCE").count() == 1
    call_command("export_users", str(tmp_path / "out.csv"), attributes="name,age", **options)
    assert (tmp_path / "out.csv").read_text().splitlines()[1].endswith("a,,ACTIVE,'=1+1,4")
    with pytest.raises(CommandError):
        call_command("export_users", str(path), **options)
    with pytest.raises(CommandError):
        call_command("export_users", str(tmp_path / "x.csv"), **(options | {"reason": "CURIOSITY"}))
