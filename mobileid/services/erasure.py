"""What is left of a person's phones and operations once the person is erased: keys, hashes, evidence, states."""

from django.db.models import Q

from mobileid.models import Device, Operation, StoredResponse
from mobileid.services.device_changes import NO_BIOMETRY, NO_PIN
from reuseid.models import User

# What a person approved or signed is evidence and stays, sealed, for as long as evidence is kept.
_EVIDENCE = Q(status=Operation.Status.COMPLETED)


def erase(user: User) -> None:
    """Empty names and contents, in the transaction of the person's erasure."""
    Device.objects.filter(user=user).update(name="", push_token=None, push_provider="", **NO_PIN, **NO_BIOMETRY)
    operations = Operation.objects.filter(user=user)
    operations.update(
        post_context=None,
        push_notification=None,
        binding_secret=None,
        confirmation_code=None,
        client_reference="",
        device_name="",
        return_url="",
    )
    operations.exclude(_EVIDENCE).update(title=None, content=None, transaction=None)
    # Answers that a phone could have asked for again: the phone is deactivated.
    StoredResponse.objects.filter(device_id__in=Device.objects.filter(user=user).values("pk")).delete()
