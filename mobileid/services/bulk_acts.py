"""What may be done to many devices at once: reuseid's bulk acts learn of it here."""

from uuid import UUID

from mobileid.models import Device
from mobileid.services import devices
from reuseid.normalisation import as_uuid
from reuseid.services.jobs.bulk import KINDS, Act, Kind


def find_devices(account_id: UUID, texts: list[str]) -> dict:
    """``{text: id}`` of the texts that are ids of the account's devices."""
    ids = {text: value for text in texts if (value := as_uuid(text))}
    rows = Device.objects.filter(account=account_id, pk__in=set(ids.values()))
    known = set(rows.values_list("pk", flat=True))
    return {text: value for text, value in ids.items() if value in known}


KINDS["device"] = Kind(
    Device,
    "mobileid.bulk_device",
    find_devices,
    {
        "lock": Act(devices.lock, "mobileid.lock_device", Device.Status.LOCKED, ends=True),
        "unlock": Act(devices.unlock, "mobileid.unlock_device", Device.Status.ACTIVE),
    },
)
