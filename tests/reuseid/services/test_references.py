"""References that the database does not check: a command finds the row that a hand in the database has orphaned."""

import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from mobileid.models import Evidence, Nonce, Operation
from reuseid.models import Delivery, DeliveryAttempt, Event
from reuseid.services import references
from tests import factories
from tests.device_factories import make_application, make_device, make_operation

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(account):
    """A started one, with its device, and a nonce."""
    user = factories.make_user(account)
    device = make_device(user, make_application(account))
    operation = make_operation(user)
    times = {"expires_at": operation.expires_at}
    Nonce.objects.create(value="n", purpose="operation", operation=operation, device=device, **times)
    return operation


def found():
    return {(str(field), key) for field in references.unchecked() for key in references.dangling(field)}


def test_what_services_write_leads_to_its_rows(operation, endpoint, owe, send, capsys):
    owe()
    send()
    call_command("verify_references")
    assert capsys.readouterr().out == "Every reference leads to its row.\n"


@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_every_row_is_looked_at_whatever_a_step_takes(operation, owe, step, monkeypatch):
    monkeypatch.setattr(references, "STEP", step)
    events = [owe() for _ in range(3)]
    lost = {events[0].pk, events[2].pk}
    Event.objects.filter(pk__in=lost).update(account=uuid.uuid4())
    assert found() == {("reuseid.Event.account", pk) for pk in lost}


def test_a_key_that_is_the_reference_itself_is_looked_at(operation):
    lost = uuid.uuid4()
    Evidence.objects.create(operation_id=lost, proof="", device_jwk={}, device_thumbprint="", auth_method="DEVICE")
    assert found() == {("mobileid.Evidence.operation", lost)}


def test_a_reference_to_nothing_is_none_that_leads_nowhere(operation):
    Operation.objects.update(user=None, device=None, target_device=None, application=None, client=None)
    assert found() == set()


def test_the_command_names_the_row_and_fails(operation, capsys):
    Nonce.objects.update(device=uuid.uuid4())
    with pytest.raises(CommandError, match="1 references lead nowhere"):
        call_command("verify_references")
    assert f"mobileid.Nonce {Nonce.objects.get().pk}: its device is not there." in capsys.readouterr().err


@transaction.atomic
def name_nothing(model, **column):
    model.objects.update(**column)
    connection.check_constraints()


@pytest.mark.parametrize(
    ("model", "column"), [(Delivery, {"event_id": 10**9}), (DeliveryAttempt, {"delivery_id": uuid.uuid4()})]
)
def test_what_may_be_deleted_is_checked_by_the_database(endpoint, owe, send, model, column):
    owe()
    send()
    with pytest.raises(IntegrityError):
        name_nothing(model, **column)
