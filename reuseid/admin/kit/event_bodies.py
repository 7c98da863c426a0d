"""Bodies of events and what receivers answered, as a colleague may read them."""

import json

from django.utils.translation import gettext_lazy as _

from reuseid import crypto
from reuseid.admin.kit.masking import MASK, masked_answer, masked_body
from reuseid.models import User


def _opened(event):
    """The body as it was sent; None where it can't be read."""
    try:
        body = crypto.unseal(
            event.payload, account=event.account_id, table=event._meta.db_table, row=event.id, column="payload"
        )
    except crypto.Unreadable:
        return None
    return json.loads(body)


def body_of(event, reader):
    """The body, with what is hidden from the colleague masked; a sentence where it can't be read."""
    body = _opened(event)
    if body is None:
        return _("It can't be decrypted: its key is not configured here.")
    return json.dumps(masked_body(body, reader), indent=2, ensure_ascii=False)


def answers_of(event, reader):
    """A function of a receiver's words: without what is hidden from the colleague in the body that it got.

    The person's reference is taken out too where the body does not have it: receivers know people by it.
    """
    body = _opened(event)
    if body is None:
        return lambda text: MASK if text else ""
    references = list(User.objects.filter(pk=event.user_id).values_list("external_ref", flat=True))
    return lambda text: masked_answer(text, [body, {"externalRef": references}], reader)
