"""One attempt at a callback: sign, post, and say what it came to. No database."""

import html
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, quote_plus

from django.conf import settings

from reuseid import outbound
from reuseid import webhook_signatures as signatures
from reuseid.services.webhooks.claims import Claim, Outcome

ANSWER_KEPT = 2048
HIDDEN = "••••••"


def attempt(claim: Claim) -> Outcome:
    """Sign and post one delivery, and say what it came to; never raises.

    Whatever goes wrong and whatever a peer sends is an outcome, so that no delivery is ever lost.
    """
    if claim.problem:
        return Outcome(claim, None, error=claim.problem)
    started = time.monotonic()
    try:
        return _read(claim, _post(claim), started)
    except outbound.Refused as refusal:
        return Outcome(claim, None, error=f"not called: {refusal}", duration_ms=_since(started))
    except outbound.Failed as failure:
        return Outcome(claim, None, error=failure.reason, duration_ms=_since(started))
    except Exception as error:
        return Outcome(claim, None, error=f"failed here: {type(error).__name__}", duration_ms=_since(started))


def _read(claim, answer, started):
    return Outcome(
        claim,
        answer.status,
        error=_why(answer.status),
        answer=_kept(answer.body, claim.personal),
        duration_ms=_since(started),
        retry_after=retry_after(answer.headers.get("retry-after", "")),
    )


def _kept(body: bytes, personal: Iterable[str]) -> str:
    """The beginning of an answer, without the personal texts that were sent: receivers like to quote what they got."""
    if not body:
        return ""
    text = body.decode(errors="replace").replace("\0", "\ufffd")
    for value in personal:
        for form in {value, json.dumps(value)[1:-1], html.escape(value), quote(value), quote_plus(value)}:
            text = text.replace(form, HIDDEN)
    return text[:ANSWER_KEPT]


def _post(claim):
    headers = signatures.sign(
        claim.message_id, int(time.time()), claim.body, secrets=claim.secrets, signing_keys=claim.signing_keys
    )
    headers["content-type"] = "application/json"
    return outbound.request(
        "POST",
        claim.url,
        body=claim.body,
        headers=headers,
        timeout=settings.CALLBACK_TIMEOUT,
        account=str(claim.account_id),
    )


def _why(status):
    if 300 <= status < 400:
        return "a redirect is not followed"
    return "" if 200 <= status < 300 else f"answered {status}"


def retry_after(text: str) -> int | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3), given as seconds or as a date; None for anything else.

    A status that is known must not be unsaid by what stands beside it, so no text raises.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, round((moment - datetime.now(UTC)).total_seconds()))
    except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError):
        return None


def _since(started):
    return int((time.monotonic() - started) * 1000)
