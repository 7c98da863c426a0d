"""Import files as people have them: each row is taken or refused in words, and none is lost."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Invalid
from reuseid.models import AttributeKey, User
from reuseid.services.jobs import exports, imports
from reuseid.services.people import attributes, users
from tests import factories, staff_factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def take(account, tmp_path):
    """`take(bytes, name)`: run the command; `(rows of the result, what it refused with)`."""

    def call(content, name="users.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        result, said = path.with_name(f"{name}.result.jsonl"), ""
        result.unlink(missing_ok=True)
        try:
            call_command("import_users", str(path), account=account.name, stdout=StringIO())
        except CommandError as error:
            said = str(error)
        lines = result.read_text().splitlines() if result.exists() else []
        return [json.loads(line) for line in lines], said

    return call


def reasons(rows):
    return [error["reason"] for row in rows for error in row["errors"]]


def test_an_unclosed_quote_loses_nobody(take):
    rows, said = take('externalRef,attributes.name\nq-1,Anna\nq-2,"Bob\nq-3,Carl\nq-4,Dora\n')
    assert [(row["externalRef"], row["status"], row["line"]) for row in rows] == [
        ("q-1", "valid", 2),
        (None, "refused", 3),
        ("q-3", "valid", 4),
        ("q-4", "valid", 5),
    ]
    assert said.startswith("1 rows are refused, nothing was imported")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('{"externalRef": "a", "externalRef": "b"}', "twice"),
        ('{"externalRef": "a", "attributes": {"x": "1", "x": "2"}}', "twice"),
        ('{"externalRef": "a", "attributes": {"x": "\\u0000"}}', "NUL"),
        ('{"externalRef": "a", "attributes": {"x": "\\ud800"}}', "surrogate"),
        ('{"externalRef": "a", "attributes": {"x": ' + "[" * 200 + "]" * 200 + "}}", "levels"),
        ('{"externalRef": "a", "attributes": {"x": ' + "[" * 100_000 + "]" * 100_000 + "}}", "nesting"),
        ('{"externalRef": "a", "attributes": {"x": 1e400}}', "too large"),
        ('{"externalRef": "a", "attributes": {"x": ' + "9" * 5000 + "}}", "too large"),
        ('{"externalRef": "a", "attributes": {"x": Infinity}}', "not JSON"),
        (
            '{"externalRef": "a", "attributes": {"x": {"value": 1, "verifiedAt": "9999-12-31T23:59:59-14:00"}}}',
            "RFC 3339",
        ),
        (
            '{"externalRef": "a", "attributes": {"x": {"value": 1, "expiresAt": "0001-01-01T00:00:00+14:00"}}}',
            "RFC 3339",
        ),
        (json.dumps({"externalRef": "a", "attributes": {f"n{number}": 1 for number in range(201)}}), "At most 200"),
        (json.dumps({"externalRef": "a", "attributes": {"x": "y" * 300_000}}), "bytes"),
    ],
)
def test_a_json_line_is_read_as_strictly_as_the_api_reads(take, line, word):
    good = "".join(json.dumps({"externalRef": f"ok-{number}"}) + "\n" for number in range(240))
    rows, said = take(good + line + "\n", "users.jsonl")
    assert len(rows) == 241
    assert word in reasons(rows)[0]
    assert said.startswith("1 rows are refused, nothing was imported")
    assert not User.objects.exists()


def test_bytes_that_are_no_text_are_told_of_their_row(take):
    rows, _ = take(b"externalRef,attributes.name\na,Anna\nb,M\xfcller\nc,\x00\n")
    assert [row["status"] for row in rows] == ["valid", "refused", "refused"]
    assert reasons(rows) == ["It is not UTF-8.", "The character NUL is not allowed."]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("users.CSV", "externalRef,segment\na,gold\n"),
        ("users.csv", "externalRef;segment\na;gold\n"),
        ("users.csv", "externalRef\tsegment\na\tgold\n"),
        ("users.csv", b"\xef\xbb\xbfexternalRef,segment\r\na,gold\r\n"),
        ("users.csv", '"externalRef","segment"\n"a","gold"\n\n'),
        ("users.csv", "externalRef,segment\na,gold\n,\n,\n\n"),
        ("users.JSONL", '{"externalRef": "a", "segment": "gold"}\n\n'),
        ("users.jsonl", b'\xef\xbb\xbf{"externalRef": "a", "segment": "gold"}\r\n  \r\n'),
    ],
)
def test_files_as_people_have_them_are_read(take, account, name, content):
    rows, said = take(content, name)
    assert (said, [row["status"] for row in rows]) == ("", ["created"])
    assert users.by_external_ref(account, "a").segment == "gold"


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("users.csv", "", "name the columns"),
        ("users.csv", "a,gold\nb,\n", "name the columns"),
        ("users.csv", "externalRef,colour\na,red\n", "“colour”"),
        ("users.csv", "externalRef,externalRef\na,b\n", "twice"),
        ("users.csv", "externalRef,segment\n".encode("utf-16"), "UTF-16"),
        ("users.csv", "externalRef,segment\ra,gold\r", "name the columns"),
        ("users.xlsx", "PK", ".csv or .jsonl"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(take, name, content, word):
    rows, said = take(content, name)
    assert rows == []
    assert word in said


def test_cells_are_what_the_catalogue_says_they_are(take, account):
    for name, kind in {"age": "number", "vip": "boolean", "tags": "json", "born": "date", "code": "string"}.items():
        AttributeKey.objects.create(account=account, name=name, type=kind)
    header = "externalRef,attributes.age,attributes.vip,attributes.tags,attributes.born,attributes.code\n"
    assert take(header + 'a,4,true,"[""x""]",2001-02-03,007\n')[1] == ""
    user = users.by_external_ref(account, "a")
    expected = {"age": 4, "vip": True, "tags": ["x"], "born": "2001-02-03", "code": "007"}
    assert attributes.values([user])[user.pk] == expected
    rows, _ = take(header + "b,04,,,,\nc,,yes,,,\nd,,,,20010203,\ne,,,,2001-W05-6,\n")
    assert [row["errors"][0]["name"] for row in rows] == [
        *("attributes.age", "attributes.vip", "attributes.born", "attributes.born")
    ]


VALUES = {"name": "Anna, “x”\nsecond line, with a comma", "formula": "'=1+1", "phone": "+358401234567", "age": 4}


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "CSV"])
def test_an_export_can_be_imported_again(account, other_account, tmp_path, suffix):
    for owner in (account, other_account):
        AttributeKey.objects.create(account=owner, name="age", type="number")
    factories.make_user(account, external_ref="=a", segment="gold", attributes=VALUES)
    path = tmp_path / f"out.{suffix}"
    names = ",".join(VALUES)
    out = {"stdout": StringIO()}
    call_command("export_users", str(path), account=str(account.pk), attributes=names, reason="COMPLIANCE", **out)
    call_command("import_users", str(path), account=str(other_account.pk), **out)
    user = users.by_external_ref(other_account, "=a")
    assert (user.segment, attributes.values([user])[user.pk]) == ("gold", VALUES)


@pytest.mark.parametrize("sensitive", [False, True])
def test_an_export_of_the_back_office_is_read_but_not_what_it_masked(account, take, sensitive):
    AttributeKey.objects.create(account=account, name="ssn", sensitive=sensitive)
    user = factories.make_user(account, external_ref="a", attributes={"ssn": "0101"})
    senior = staff_factories.make_colleague("senior", "Senior support", account)
    export = exports.ask(
        account, actor=Actor.staff(senior), kind="users", reason="COMPLIANCE", attributes=True, bom=True
    )
    exports.make_owed()
    export.refresh_from_db()
    users.update(user, actor=SYSTEM, external_ref="before")
    rows, _ = take(b"".join(exports.part(export, number) for number in range(export.part_count)))
    assert [row["status"] for row in rows] == ["refused" if sensitive else "created"]
    assert ["masked" in reason for reason in reasons(rows)] == [True] * sensitive


def test_somebody_who_was_locked_does_not_come_back_active(take):
    rows, _ = take("externalRef,state\na,ACTIVE\nb,LOCKED\nc,DEACTIVATED\nd,\n")
    assert [row["status"] for row in rows] == ["valid", "refused", "refused", "valid"]


def test_a_file_that_changes_meanwhile_is_not_half_judged(account, tmp_path):
    path = tmp_path / "users.csv"
    path.write_text("externalRef\na\n")
    actor = imports.actor_of(path)
    path.write_text("externalRef\nb\n")
    with pytest.raises(Invalid):
        list(imports.carry_out(account, path, actor=actor, dry_run=False))


def test_a_failing_database_ends_in_words_and_the_same_file_goes_on(take, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 1)
    create = users.create

    def fail(account, **values):
        if values["external_ref"] == "b":
            raise OperationalError("gone")
        return create(account, **values)

    monkeypatch.setattr(users, "create", fail)
    assert "goes on where it was" in take("externalRef\na\nb\n")[1]
    monkeypatch.setattr(users, "create", create)
    rows, said = take("externalRef\na\nb\n")
    assert (said, [row["status"] for row in rows]) == ("", ["imported before", "created"])


def test_the_result_does_not_overwrite_the_file(account, tmp_path):
    path = tmp_path / "users.csv"
    path.write_text("externalRef\na\n")
    with pytest.raises(CommandError, match="overwrite"):
        call_command("import_users", str(path), account=account.name, result=path, stdout=StringIO())
    assert path.read_text() == "externalRef\na\n"


LINES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.builds(lambda ref, name: f'{ref},"{name}"'.encode(), st.text(max_size=5), st.text(max_size=5)),
        st.builds(
            lambda ref, value: json.dumps({"externalRef": ref, "attributes": {"n": value}}).encode(),
            st.text(max_size=5),
            st.recursive(st.none() | st.text() | st.floats() | st.integers(), st.lists, max_leaves=3),
        ),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, st.sampled_from(["users.csv", "users.jsonl"]))
@example([b'a,"b', b'c,d"x', b'"'], "users.csv")
@example([b'{"externalRef": "a", "attributes": {"n": "\\u0000"}}'], "users.jsonl")
def test_whatever_the_bytes_are_the_end_is_words_and_every_row_is_done_or_refused(take, lines, name):
    header = b"externalRef,attributes.n\n" if name.endswith("csv") else b""
    with transaction.atomic():
        before = User.objects.count()
        rows, said = take(header + b"\n".join(lines), name)
        made = User.objects.count() - before
        transaction.set_rollback(True)
    done = sum(row["status"] == "created" for row in rows)
    refused = sum(row["status"] == "refused" for row in rows)
    assert made == done
    if refused:
        assert made == 0
        assert "refused" in said
    else:
        assert done == len(rows)
