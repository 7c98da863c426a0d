"""New keys: everything old stays readable, and after rotation the old keys can go."""

import base64

import pytest
from django.core.management import CommandError, call_command

from reuseid import crypto
from reuseid.models import Attribute, AttributeKey, Event, Proofing, User
from reuseid.models.sealed import SealedField, sealed_columns
from reuseid.services.audit import seals
from reuseid.services.people import attributes, catalogue
from tests import factories

pytestmark = pytest.mark.django_db


def key(name, byte):
    return f"{name}:{base64.b64encode(bytes([byte]) * 32).decode()}"


OLD, NEW = key("old", 1), key("new", 2)


@pytest.fixture
def keys(settings):
    """`keys(NAME=…)`: as if the processes were restarted with these lists."""

    def use(**lists):
        for name, value in lists.items():
            setattr(settings, name, value)
        crypto.key_provider.cache_clear()
        crypto.blind_index_keys.cache_clear()

    yield use
    crypto.key_provider.cache_clear()
    crypto.blind_index_keys.cache_clear()


@pytest.fixture
def old(keys):
    keys(ENCRYPTION_KEYS=OLD, BLIND_INDEX_KEYS=OLD)
    return keys


def test_every_sealed_column_of_the_project_is_walked_and_bound_to_an_account():
    walked = {model._meta.label: names for model, names in sealed_columns()}
    assert {"reuseid.Attribute", "reuseid.Event", "mobileid.Device", "mobileid.Operation"} <= set(walked)
    for model, _ in sealed_columns():
        assert hasattr(model, "account_id"), model
        assert all(isinstance(model._meta.get_field(name), SealedField) for name in walked[model._meta.label])


def test_after_rotation_the_old_key_can_go(old, account, api, capsys):
    user = factories.make_user(account, attributes={"email": "a@b.example"})
    api.post(
        f"/reuseid/core/users/{user.pk}/proofings",
        {
            "method": "eid",
            "provider": "x",
            "assuranceLevel": "low",
            "performedAt": "2026-01-01T00:00:00Z",
            "reference": "r",
        },
    )
    seals.seal()
    old(ENCRYPTION_KEYS=f"{NEW},{OLD}")
    assert attributes.values([user])[user.pk] == {"email": "a@b.example"}
    call_command("rotate_keys")
    assert "reuseid.attribute.value: 1 rewritten" in capsys.readouterr().out
    old(ENCRYPTION_KEYS=NEW)
    for model, names in sealed_columns():
        for row in model._base_manager.all():
            for name in names:
                if getattr(row, name) is not None:
                    assert bytes(getattr(row, name)).startswith(b"\x01\x03new")
    assert attributes.values([user])[user.pk] == {"email": "a@b.example"}
    assert api.get(f"/reuseid/core/users/{user.pk}/proofings").json()["results"][0]["reference"] == "r"
    assert seals.verify() == ""
    assert Event.objects.exists()
    assert Proofing.objects.exists()


def test_a_second_run_finds_nothing_to_do(old, account, capsys):
    factories.make_user(account, attributes={"a": 1})
    old(ENCRYPTION_KEYS=f"{NEW},{OLD}")
    call_command("rotate_keys")
    capsys.readouterr()
    call_command("rotate_keys")
    assert "0 values rewritten" in capsys.readouterr().out


def test_a_value_that_does_not_open_is_kept_and_told(old, account):
    user = factories.make_user(account, attributes={"a": 1, "b": 2})
    Attribute.objects.filter(user=user, name="a").update(value=b"\x01\x03old" + bytes(40))
    old(ENCRYPTION_KEYS=f"{NEW},{OLD}")
    with pytest.raises(CommandError, match=r"reuseid.attribute.value \(1\)"):
        call_command("rotate_keys")
    assert attributes.value_of(user.attributes.get(name="b")) == 2


def test_search_and_uniqueness_hold_during_and_after_the_rotation_of_the_index_key(old, account, api):
    AttributeKey.objects.create(account=account, name="ssn", searchable=True, unique=True)
    user = factories.make_user(account, attributes={"ssn": "0101", "email": "a@b.example"})

    def found():
        return list(
            User.objects.filter(attributes__blind_index__in=catalogue.search_indexes(account, "email", "A@B.example"))
        )

    def taken():
        return api.post("/reuseid/core/users", {"attributes": {"ssn": "0101"}}).json().get("code")

    old(BLIND_INDEX_KEYS=f"{NEW},{OLD}")
    assert found() == [user]
    assert taken() == "attribute_not_unique"
    call_command("rotate_keys", "--blind-index")
    old(BLIND_INDEX_KEYS=NEW)
    assert found() == [user]
    assert taken() == "attribute_not_unique"


def test_a_value_moved_to_another_row_does_not_open(account):
    one = factories.make_user(account, attributes={"a": 1})
    other = factories.make_user(account, attributes={"a": 2})
    Attribute.objects.filter(user=other).update(value=one.attributes.get().value)
    with pytest.raises(crypto.Unreadable):
        attributes.value_of(other.attributes.get())
