"""One person written in two ways is one at every door: API, search, bulk lists, import; on every database."""

import importlib
import logging
import unicodedata
from urllib.parse import quote

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from reuseid.actors import SYSTEM
from reuseid.admin.kit import search
from reuseid.errors import Invalid
from reuseid.models import Attribute, AttributeKey, User
from reuseid.models.sealed import seal_field
from reuseid.services.jobs import bulk, erasures
from reuseid.services.people import attribute_keys, catalogue, erasure, users
from tests import factories

pytestmark = pytest.mark.django_db

NFC, NFD = "Zoë Grün", unicodedata.normalize("NFD", "Zoë Grün")
USERS = "/reuseid/core/users"
MIGRATION = importlib.import_module("reuseid.migrations.0007_composed_references")


def test_references_that_differ_in_composition_alone_are_one(account, api):
    made = api.post(USERS, {"externalRef": NFD}, format="json")
    assert (made.status_code, made.json()["externalRef"]) == (201, NFC)
    assert api.post(USERS, {"externalRef": NFC}, format="json").json()["code"] == "external_ref_taken"
    for form in (NFC, NFD):
        found = api.get(f"{USERS}/by-external-ref/{quote(form)}")
        assert found.json()["userId"] == made.json()["userId"]
        assert len(api.get(USERS, {"externalRef": form}).json()["results"]) == 1
        assert bulk.find_users(account.pk, [form]) == {form: users.by_external_ref(account, NFC).pk}


def test_a_segment_is_one_however_it_is_composed(account, api):
    factories.make_user(account, segment=NFD)
    assert len(api.get(USERS, {"segment": NFC}).json()["results"]) == 1
    assert len(api.get(USERS, {"segment": NFD}).json()["results"]) == 1


@pytest.mark.parametrize("typed", [NFC, NFD, "ZOË GRÜN", "zoëgrün", f"\u202a{NFC}\u202c", " Zoë\u00a0Grün\u200b"])
def test_search_and_bulk_lists_fold_alike(account, typed):
    user = factories.make_user(account, external_ref=NFC)
    assert search._by_reference({account.pk: account}, " ".join(typed.split())) == [user.pk]
    assert list(User.objects.filter(search._begins(typed[:5]))) == [user]
    (line,) = bulk.lines_of(typed)
    assert bulk.find_users(account.pk, [line]) == {line: user.pk}


def test_a_bulk_list_takes_none_of_two_that_are_alike(account):
    one = factories.make_user(account, external_ref="Anna")
    factories.make_user(account, external_ref="ANNA")
    assert bulk.find_users(account.pk, ["Anna", "anna"]) == {"Anna": one.pk}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('externalRef,name\na,"Bob\nb,Carl\n', "Line 2: A quote is not closed"),
        ("externalRef,name\na,Anna\n,Bob\n", "Line 3: it names nobody"),
        ("\n\nname,externalRef\nAnna,a\nBob\n", "Line 5: It has more or fewer columns"),
        ("externalRef\nSmith, John\n", "Line 2: It has more or fewer columns"),
    ],
)
def test_a_row_of_a_pasted_table_is_never_passed_over(text, why):
    with pytest.raises(Invalid) as refused:
        bulk.lines_of(text)
    assert refused.value.invalid_params[0]["reason"].startswith(why)


def test_what_a_list_was_read_to_is_not_read_again(account):
    assert bulk.lines_of('externalRef\n"id"\n"a,b"\n') == ["id", "a,b"]


def test_an_address_that_is_copied_with_marks_is_no_second_person(account, api):
    attribute_keys.create(account, "email", actor=SYSTEM, searchable=True, unique=True, normalisation="email")
    api.post(USERS, {"attributes": {"email": "anna@münchen.example"}}, format="json")
    for again in ("anna@münchen.example\u200b", "\u202aanna@xn--mnchen-3ya.example\u202c", "ANNA@MÜNCHEN.EXAMPLE."):
        answer = api.post(USERS, {"attributes": {"email": again}}, format="json")
        assert answer.json()["code"] == "attribute_not_unique"
        assert len(api.get(USERS, {"attribute": f"email:{again}"}).json()["results"]) == 1
    for domain in ("straße.example", "strasse.example"):
        answer = api.post(USERS, {"attributes": {"email": f"anna@{domain}"}}, format="json")
        assert answer.status_code == 201


@pytest.mark.parametrize("text", ["20200101", "2020-W01-1", "2020-1-1", "2020-02-30", "２０２０-01-01", "2020-01-01\n"])
def test_a_date_is_written_in_one_way(account, api, text):
    AttributeKey.objects.create(account=account, name="born", type="date")
    assert api.post(USERS, {"attributes": {"born": "2020-01-01"}}, format="json").status_code == 201
    answer = api.post(USERS, {"attributes": {"born": text}}, format="json")
    assert answer.json()["invalidParams"] == [{"name": "attributes.born", "reason": "Must be of type date."}]


def test_the_folded_reference_follows_the_reference(account):
    user = factories.make_user(account, external_ref="Zoë")
    users.update(user, actor=SYSTEM, external_ref="É\ufdfa" * 64)
    assert User.objects.get().folded_ref == "éصلىاللهعليهوسلم" * 25
    users.update(user, actor=SYSTEM, external_ref=None)
    assert User.objects.get().folded_ref is None
    users.update(user, actor=SYSTEM, external_ref="b")
    erasure.request(user, actor=SYSTEM, reason="COMPLIANCE")
    erasures.carry_out()
    assert User.objects.values_list("external_ref", "folded_ref").get() == (None, None)


def test_the_migration_composes_and_folds_what_is_kept(account, caplog):
    kept = {
        ref: factories.make_user(account, external_ref=name) for ref, name in ((NFD, "x"), ("A b", "y"), ("É", "z"))
    }
    for ref, user in kept.items():
        User.objects.filter(pk=user.pk).update(external_ref=ref, folded_ref=None, segment=NFD)
    twin = factories.make_user(account, external_ref=NFC)
    with caplog.at_level(logging.WARNING):
        MIGRATION.fold(apps, connection.schema_editor())
    assert str(kept[NFD].pk) in caplog.text
    assert NFC not in caplog.text
    folded = dict(User.objects.values_list("pk", "folded_ref"))
    assert folded == {kept[NFD].pk: "zoëgrün", kept["A b"].pk: "ab", kept["É"].pk: "é", twin.pk: "zoëgrün"}
    User.objects.filter(pk=twin.pk).update(external_ref="other")
    MIGRATION.fold(apps, connection.schema_editor())
    assert users.by_external_ref(account, NFD) == kept[NFD]
    assert set(User.objects.exclude(segment="").values_list("segment", flat=True)) == {NFC}


def test_what_older_normal_forms_indexed_is_found_again_after_the_re_index(account, capsys):
    attribute_keys.create(account, "email", actor=SYSTEM, searchable=True, unique=True, normalisation="email")
    user = factories.make_user(account, external_ref="É", attributes={"email": "anna@straße.example"})
    Attribute.objects.update(blind_index="0" * 64, unique_index="0" * 64)
    User.objects.update(folded_ref="É")
    call_command("rotate_keys", "--blind-index")
    assert "2 values rewritten" in capsys.readouterr().out
    indexes = catalogue.search_indexes(account, "email", "ANNA@xn--strae-oqa.example")
    assert Attribute.objects.get(blind_index__in=indexes, unique_index__in=indexes).user == user
    assert search._by_reference({account.pk: account}, "é") == [user.pk]
    call_command("rotate_keys", "--blind-index")
    assert "0 values rewritten" in capsys.readouterr().out


def test_two_values_that_have_become_one_are_both_found_and_told(account, caplog):
    attribute_keys.create(account, "email", actor=SYSTEM, searchable=True, unique=True, normalisation="email")
    one = factories.make_user(account, attributes={"email": "anna@x.example"})
    other = factories.make_user(account, attributes={"email": "bert@x.example"})
    attribute = other.attributes.get()
    seal_field(attribute, "value", '"anna@x.example\u200b"'.encode())
    attribute.save()
    with caplog.at_level(logging.WARNING), pytest.raises(CommandError, match="the log names both"):
        call_command("rotate_keys", "--blind-index")
    assert str(one.pk) in caplog.text
    assert str(other.pk) in caplog.text
    assert "anna" not in caplog.text
    indexes = catalogue.search_indexes(account, "email", "anna@x.example")
    assert set(Attribute.objects.filter(blind_index__in=indexes).values_list("user", flat=True)) == {one.pk, other.pk}
