"""People over the REST API: made, read, changed, locked, erased."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from reuseid.models import Event, TrailEntry, User
from reuseid.models.sealed import unseal_field
from reuseid.services.jobs import erasures
from reuseid.services.people import users
from tests import device_factories, factories

pytestmark = pytest.mark.django_db
USERS = "/reuseid/core/users"


def events(user):
    return [json.loads(crypto_open(event)) for event in Event.objects.filter(object_id=user.pk).order_by("sequence")]


def crypto_open(event):
    from reuseid import crypto

    return crypto.unseal(
        event.payload, account=event.account_id, table=event._meta.db_table, row=event.id, column="payload"
    )


@pytest.mark.parametrize("body", [{}, {"externalRef": None, "segment": None}, {"attributes": {}, "proofing": None}])
def test_a_person_of_whom_nothing_is_said_is_refused(api, body):
    answer = api.post(USERS, body)
    assert (answer.status_code, [entry["name"] for entry in answer.json()["invalidParams"]]) == (422, ["externalRef"])
    assert not User.objects.exists()


def test_a_user_is_created_with_values_and_records(api, account):
    answer = api.post(
        USERS,
        {
            "externalRef": "c-1",
            "segment": "retail",
            "attributes": {
                "email": "a@b.example",
                "name": {"value": "Anna", "source": "eID", "assuranceLevel": "high"},
            },
            "proofing": {
                "method": "eid",
                "provider": "BankID",
                "assuranceLevel": "substantial",
                "performedAt": "2026-01-02T03:04:05Z",
            },
        },
    )
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["state"] == "ACTIVE"
    assert body["externalRef"] == "c-1"
    assert body["attributes"] == {"email": "a@b.example", "name": "Anna"}
    record = api.get(f"{USERS}/{body['userId']}/attributes/name").json()
    assert record["assuranceLevel"] == "high"
    assert record["verifiedAt"] == "2026-01-02T03:04:05.000Z"
    proofing = api.get(f"{USERS}/{body['userId']}/proofings").json()["results"][0]
    assert record["proofingId"] == proofing["proofingId"]
    user = User.objects.of(account).get()
    (event,) = events(user)
    assert event["type"] == "user.created"
    assert event["data"]["userId"] == body["userId"]
    assert event["data"]["actor"] == {"type": "CLIENT", "id": api.client_row.client_id}
    assert "attributes" not in event["data"]


def test_an_external_reference_is_unique_in_its_account_only(api, other_api):
    assert api.post(USERS, {"externalRef": "c-1"}).status_code == 201
    taken = api.post(USERS, {"externalRef": "c-1"})
    assert (taken.status_code, taken.json()["code"]) == (409, "external_ref_taken")
    assert other_api.post(USERS, {"externalRef": "c-1"}).status_code == 201


@pytest.mark.parametrize("reference", ["c-1", "a/b c?d", "ö%2F&"])
def test_a_user_is_found_by_its_external_reference(api, reference):
    from urllib.parse import quote

    made = api.post(USERS, {"externalRef": reference}).json()
    assert api.get(f"{USERS}/by-external-ref/{quote(reference, safe='')}").json()["userId"] == made["userId"]


def test_a_patch_merges_and_null_removes(api, user):
    answer = api.patch(
        f"{USERS}/{user.pk}", {"segment": "gold", "externalRef": None, "attributes": {"email": None, "shoe": 42}}
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["attributes"] == {"phone": "+358 40 123 4567", "shoe": 42}
    assert answer.json()["segment"] == "gold"
    assert answer.json()["externalRef"] is None
    event = events(user)[-1]
    assert event["type"] == "user.updated"
    assert event["data"]["changed"] == ["externalRef", "segment", "attributes.shoe", "attributes.email"]


def test_a_former_value_is_kept_sealed_with_who_replaced_it(api, user):
    api.put(f"{USERS}/{user.pk}/attributes/email", {"value": "new@example.com"})
    (version,) = user.attribute_versions.all()
    assert json.loads(unseal_field(version, "value")) == "Anna@Example.com"
    assert b"Anna" not in bytes(version.value)
    assert (version.actor_type, version.actor_id) == ("CLIENT", api.client_row.client_id)


def test_a_lost_update_is_refused(api, user):
    tag = api.get(f"{USERS}/{user.pk}")["ETag"]
    assert api.patch(f"{USERS}/{user.pk}", {"segment": "a"}, headers={"If-Match": tag}).status_code == 200
    lost = api.patch(f"{USERS}/{user.pk}", {"segment": "b"}, headers={"If-Match": tag})
    assert (lost.status_code, lost.json()["code"]) == (412, "precondition_failed")
    assert (
        api.put(f"{USERS}/{user.pk}/attributes/email", {"value": "x@y.example"}, headers={"If-Match": tag}).status_code
        == 412
    )
    assert api.patch(f"{USERS}/{user.pk}", {"segment": "b"}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        ('W/"1"', "without W/"),
        ('"x", W/"1"', "without W/"),
        ('W/"1-gzip"', "without W/"),
        ('"1-gzip"', "lengthened"),
        ('"other"', ""),
    ],
)
def test_a_tag_that_a_proxy_changed_does_not_match_and_the_problem_says_what_to_send(api, user, sent, word):
    assert api.get(f"{USERS}/{user.pk}")["ETag"] == '"1"'
    answer = api.patch(f"{USERS}/{user.pk}", {"segment": "a"}, headers={"If-Match": sent})
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert word in answer.json().get("detail", "")
    user.refresh_from_db()
    assert user.segment == ""


@pytest.mark.parametrize(
    ("tags", "status", "code"),
    [
        ('"another"', 412, "precondition_failed"),
        ('"a,b", "c"', 412, "precondition_failed"),
        ("1", 400, "if_match_invalid"),
        ("", 400, "if_match_invalid"),
        ('"1" "2"', 400, "if_match_invalid"),
    ],
)
def test_a_foreign_tag_matches_nothing_and_what_is_no_tag_is_said_to_be_none(api, user, tags, status, code):
    answer = api.patch(f"{USERS}/{user.pk}", {"segment": "a"}, headers={"If-Match": tags})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_lock_unlock_and_deactivate_follow_their_states(api, user):
    def act(verb, **body):
        return api.post(f"{USERS}/{user.pk}/{verb}", {"reason": "SUSPECTED_FRAUD"} | body)

    locked = act("lock").json()
    assert (locked["state"], locked["lockReason"]) == ("LOCKED", "SUSPECTED_FRAUD")
    again = act("lock")
    assert (again.status_code, again.json()["code"], again.json()["state"]) == (409, "wrong_state", "LOCKED")
    assert act("unlock", reason="RESOLVED").json()["state"] == "ACTIVE"
    assert act("deactivate").json()["state"] == "DEACTIVATED"
    for verb in ("lock", "unlock", "deactivate"):
        assert act(verb).json()["state"] == "DEACTIVATED"
    assert api.patch(f"{USERS}/{user.pk}", {"segment": "x"}).status_code == 409
    assert [event["type"] for event in events(user)] == [
        "user.created",
        "user.locked",
        "user.unlocked",
        "user.deactivated",
    ]


@pytest.mark.parametrize("body", [{}, {"reason": "WHIM"}, {"reason": "OTHER"}, {"reason": "OTHER", "note": "  "}])
def test_a_reason_must_be_of_the_list_and_other_needs_a_note(api, user, body):
    assert api.post(f"{USERS}/{user.pk}/lock", body).status_code == 422
    assert api.post(f"{USERS}/{user.pk}/lock", {"reason": "OTHER", "note": "why"}).status_code == 200


def test_a_lock_with_an_end_ends_by_itself(api, user):
    until = timezone.now() + timedelta(hours=1)
    answer = api.post(f"{USERS}/{user.pk}/lock", {"reason": "DEVICE_LOST", "until": until.isoformat()})
    assert answer.json()["lockedUntil"]
    assert users.end_locks() == 0
    User.objects.filter(pk=user.pk).update(locked_until=timezone.now() - timedelta(seconds=1))
    assert users.end_locks() == 1
    user.refresh_from_db()
    assert user.status == "ACTIVE"
    assert events(user)[-1]["data"]["actor"]["type"] == "SYSTEM"


def test_the_trail_names_actor_reason_and_trace(api, user):
    api.post(f"{USERS}/{user.pk}/lock", {"reason": "DECEASED"}, headers={"X-Trace-Id": "trace-123456"})
    (newest, *_) = api.get(f"{USERS}/{user.pk}/events").json()["results"]
    assert newest["action"] == "user.locked"
    assert newest["reason"] == "DECEASED"
    assert newest["traceId"] == "trace-123456"
    assert newest["actor"] == {"type": "CLIENT", "id": api.client_row.client_id}


def test_search_forgives_case_spaces_and_phone_formats(api, account, user):
    def found(query):
        answer = api.get(USERS, {"attribute": query})
        assert answer.status_code == 200, answer.content
        return [row["userId"] for row in answer.json()["results"]]

    from reuseid.models import AttributeKey

    assert found("email: anna@EXAMPLE.com") == [str(user.pk)]
    assert found("email:other@example.com") == []
    AttributeKey.objects.create(account=account, name="mobile", searchable=True, normalisation="phone")
    api.patch(f"{USERS}/{user.pk}", {"attributes": {"mobile": "+358 40 123-4567"}})
    assert found("mobile:+358401234567") == [str(user.pk)]
    assert found("mobile:hello") == []


def test_a_stranger_finds_nothing_by_value(other_api, user):
    assert other_api.get(USERS, {"attribute": "email:anna@example.com"}).json()["results"] == []


def test_filters_and_orders(api, account):
    rows = [factories.make_user(account, external_ref=f"r{n}", segment="ab"[n % 2]) for n in range(4)]
    assert len(api.get(USERS, {"segment": "a"}).json()["results"]) == 2
    assert api.get(USERS, {"externalRef": "r1"}).json()["results"][0]["userId"] == str(rows[1].pk)
    assert api.get(USERS, {"state": "LOCKED"}).json()["results"] == []
    first = [row["externalRef"] for row in api.get(USERS, {"ordering": "created"}).json()["results"]]
    assert sorted(first) == ["r0", "r1", "r2", "r3"]
    after = rows[0].created_at.isoformat().replace("+00:00", "Z")
    assert len(api.get(USERS, {"createdAfter": after}).json()["results"]) == 4
    assert len(api.get(USERS, {"createdBefore": after}).json()["results"]) == 0


@pytest.mark.parametrize("ordering", ["created", "-created"])
def test_pages_give_every_row_once_even_with_equal_times(api, account, ordering):
    for number in range(7):
        factories.make_user(account, external_ref=str(number))
    User.objects.update(created_at=timezone.now())
    seen, cursor = [], None
    while True:
        page = api.get(USERS, {"limit": 2, "ordering": ordering} | ({"cursor": cursor} if cursor else {})).json()
        seen += [row["externalRef"] for row in page["results"]]
        cursor = page["next"]
        if not cursor:
            break
    assert sorted(seen) == [str(number) for number in range(7)]


def test_a_walk_keeps_the_order_in_which_it_began(api, account):
    for number in range(4):
        factories.make_user(account, external_ref=str(number))
    first = api.get(USERS, {"limit": 2, "ordering": "created"}).json()
    for further in ({}, {"ordering": "created"}, {"ordering": "-created"}):
        page = api.get(USERS, {"cursor": first["next"]} | further).json()
        assert [row["externalRef"] for row in first["results"] + page["results"]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("cursor", "found"),
    [
        ("-created.0000000000000000.00000000000000000000000000000000", []),
        ("-created.9999999999999999.ffffffffffffffffffffffffffffffff", ["0"]),
        ("created.0000000000000000.00000000000000000000000000000000", ["0"]),
        ("created.9999999999999999.ffffffffffffffffffffffffffffffff", []),
    ],
)
def test_every_place_of_a_cursors_form_is_one_in_the_list(api, account, cursor, found):
    factories.make_user(account, external_ref="0")
    assert [row["externalRef"] for row in api.get(USERS, {"cursor": cursor}).json()["results"]] == found


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "time.1"},
        {"cursor": "created.0000000000000000.00000000000000000000000000000000\n"},
        {"cursor": "created.٠000000000000000.00000000000000000000000000000000"},
        {"cursor": "W10"},
        {"cursor": "é"},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "ten"},
        {"ordering": "name"},
        {"state": "SLEEPING"},
        {"createdAfter": "yesterday"},
        {"attribute": "email"},
        {"color": "red"},
        {"segment": "a\0b"},
        {"segment": ""},
        {"ordering": ""},
        {"createdAfter": "2026-01-01T00:00:00"},
        {"createdBefore": "0001-01-01T00:00:00+05:00"},
    ],
)
def test_a_wrong_query_is_a_400_that_names_the_parameter(api, query):
    answer = api.get(USERS, query)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_query"
    assert answer.json()["invalidParams"][0]["name"] == next(iter(query))


def test_a_list_costs_the_same_queries_for_1_and_100_rows(api, account, django_assert_num_queries):
    factories.make_user(account, attributes={"a": 1})
    with django_assert_num_queries(3):  # token, page, attributes
        api.get(USERS, {"attributes": "a"})
    for _ in range(99):
        factories.make_user(account, attributes={"a": 1})
    with django_assert_num_queries(3):
        assert len(api.get(USERS, {"attributes": "a", "limit": 100}).json()["results"]) == 100


def test_reading_a_user_is_three_queries(api, user, django_assert_num_queries):
    with django_assert_num_queries(3):  # token, user, attributes
        api.get(f"{USERS}/{user.pk}")


def test_a_patch_costs_the_same_for_1_and_20_attributes(api, account, django_assert_max_num_queries):
    user = factories.make_user(account)
    with django_assert_max_num_queries(32) as one:
        api.patch(f"{USERS}/{user.pk}", {"attributes": {"x1": 1}})
    with django_assert_max_num_queries(len(one)):
        api.patch(f"{USERS}/{user.pk}", {"attributes": {f"y{number}": number for number in range(20)}})


def test_a_unique_attribute_is_taken_once(api, account):
    from reuseid.models import AttributeKey

    AttributeKey.objects.create(account=account, name="ssn", searchable=True, unique=True)
    assert api.post(USERS, {"attributes": {"ssn": "0101 90"}}).status_code == 201
    taken = api.post(USERS, {"attributes": {"ssn": "010190"}})
    assert (taken.status_code, taken.json()["code"]) == (409, "attribute_not_unique")
    assert taken.json()["invalidParams"][0]["name"] == "attributes.ssn"
    assert User.objects.count() == 1


def test_a_closed_catalogue_takes_only_its_names_and_types(api, account):
    from reuseid.models import AttributeKey

    AttributeKey.objects.create(account=account, name="age", type="number", max_length=3)
    account.open_catalogue = False
    account.save()
    assert api.post(USERS, {"attributes": {"age": 12}}).status_code == 201
    for attributes in ({"age": "12"}, {"age": 12345}, {"other": 1}, {"1": 1}, {"age": True}):
        refused = api.post(USERS, {"attributes": attributes})
        assert refused.status_code == 422
        assert refused.json()["invalidParams"][0]["name"] == f"attributes.{next(iter(attributes))}"


def test_deactivating_a_proofing_marks_its_attributes(api, user):
    proofing = api.post(
        f"{USERS}/{user.pk}/proofings",
        {
            "method": "document",
            "provider": "Desk",
            "assuranceLevel": "high",
            "performedAt": "2026-01-02T03:04:05Z",
            "reference": "passport 1",
        },
    ).json()
    assert proofing["reference"] == "passport 1"
    record = {"value": "Anna", "proofingId": proofing["proofingId"], "assuranceLevel": "high"}
    assert api.put(f"{USERS}/{user.pk}/attributes/name", record).status_code == 200
    answer = api.post(f"{USERS}/{user.pk}/proofings/{proofing['proofingId']}/deactivate", {"reason": "SUSPECTED_FRAUD"})
    assert answer.json()["state"] == "DEACTIVATED"
    marked = api.get(f"{USERS}/{user.pk}/attributes/name").json()
    assert marked["withdrawnAt"]
    assert marked["assuranceLevel"] is None
    assert api.put(f"{USERS}/{user.pk}/attributes/name", record).status_code == 422


def test_erasure_is_asked_for_then_carried_out_and_leaves_the_trail(api, user):
    answer = api.post(f"{USERS}/{user.pk}/erase", {"reason": "CUSTOMER_REQUEST"})
    assert answer.status_code == 202
    assert answer.json()["state"] == "DEACTIVATED"
    assert api.post(f"{USERS}/{user.pk}/erase", {"reason": "CUSTOMER_REQUEST"}).status_code == 409
    assert erasures.carry_out() == 1
    assert erasures.carry_out() == 0
    left = api.get(f"{USERS}/{user.pk}").json()
    assert left["erased"]
    assert left["externalRef"] is None
    assert left["attributes"] == {}
    assert not user.attribute_versions.exists()
    assert not Event.objects.filter(object_id=user.pk).exists()
    assert TrailEntry.objects.filter(user_id=user.pk, action="user.erased").exists()


def test_erasure_takes_the_events_of_phones_and_operations_along(api, account, user):
    phone = device_factories.make_device(user, device_factories.make_application(account))
    operation = device_factories.make_operation(user)
    api.post(f"/mobileid/core/devices/{phone.pk}/lock", {"reason": "DEVICE_LOST"})
    api.post(f"/mobileid/core/authentications/{operation.pk}/cancel")
    api.post(f"{USERS}/{user.pk}/erase", {"reason": "CUSTOMER_REQUEST"})
    assert Event.objects.filter(object_id__in=[phone.pk, operation.pk]).exists()
    assert erasures.carry_out() == 1
    assert not Event.objects.filter(account=account).exists()


def test_without_the_attribute_scopes_values_are_neither_read_written_nor_searched(api_for, api_client, user):
    narrow = api_for(api_client, ["users:read", "users:write"])
    assert "attributes" not in narrow.get(f"{USERS}/{user.pk}").json()
    assert narrow.get(f"{USERS}/{user.pk}", {"attributes": "email"}).status_code == 403
    assert narrow.get(USERS, {"attribute": "email:anna@example.com"}).status_code == 403
    assert narrow.patch(f"{USERS}/{user.pk}", {"attributes": {"a": 1}}).status_code == 403
    assert narrow.post(USERS, {"attributes": {"a": 1}}).status_code == 403
    assert "attributes" not in narrow.post(USERS, {"segment": "a"}).json()


def test_another_accounts_user_is_unknown(other_api, user):
    assert other_api.get(f"{USERS}/{user.pk}").status_code == 404
    assert other_api.get(f"{USERS}/{uuid.uuid4()}").status_code == 404
    assert other_api.get(f"{USERS}/by-external-ref/{user.external_ref}").status_code == 404


def test_requested_attributes_are_those_that_are_there_unexpired_and_only_with_the_scope(
    api, api_client, account, user
):
    from reuseid.services.people import attributes

    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    api.put(f"{USERS}/{user.pk}/attributes/old", {"value": 1, "expiresAt": yesterday})
    names = ["email", "old", "missing"]
    assert attributes.requested(user, names, api_client) == {"email": "Anna@Example.com"}
    assert attributes.requested(user, names, factories.make_client(account, ["operations:read"])) == {}
    assert attributes.requested(None, names, api_client) == {}


@pytest.mark.parametrize("path", ["/by-external-ref/a%00b", "/{id}/attributes/a%00b"])
def test_an_address_with_nul_leads_nowhere(api, user, path):
    assert api.get(USERS + path.format(id=user.pk)).status_code == 404


def test_a_query_with_nul_or_said_twice_is_a_400(api, user):
    assert api.get(f"{USERS}/{user.pk}?attributes=a%00b").status_code == 400
    assert api.get(f"{USERS}/{user.pk}?attributes=email&attributes=phone").status_code == 400


def test_integrators_see_of_colleagues_only_that_it_was_one(api, account, user):
    from reuseid.actors import Actor
    from reuseid.services.audit import access
    from reuseid.services.people import approvals, caller_verification, notes
    from tests.staff_factories import make_colleague

    kim, lee = (make_colleague(name, "Senior support", account) for name in ("kim", "lee"))
    actor = Actor.staff(kim)
    access.viewed(user, actor=Actor.staff(kim))
    access.reveal(user.attributes.first(), actor=Actor.staff(kim), reason="OTHER", note="x")
    notes.add(user, "She called.", actor=actor)
    caller_verification.verified(user, actor=actor, asked=["ADDRESS"], passed=True)
    asked = approvals.ask(user, actor=actor, action="user.deactivate", reason="OTHER", note="x")
    approvals.approve(asked, actor=Actor.staff(lee))
    lines = api.get(f"{USERS}/{user.pk}/events").json()["results"]
    assert [line["action"] for line in lines] == ["user.deactivated", "user.created"]
    assert lines[0]["actor"] == {"type": "STAFF"}
    assert lines[0]["changes"] == {}
    told = events(user)[-1]
    assert (told["type"], told["data"]["actor"]) == ("user.deactivated", {"type": "STAFF"})
    ids = {str(kim.pk), str(lee.pk)}
    listed = api.get("/mobileid/core/events", {"userId": str(user.pk)}).json()["results"]
    assert not [row for row in listed if row["data"].get("actor", {}).get("id") in ids]
