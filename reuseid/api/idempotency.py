"""``Idempotency-Key`` on every POST."""

import hashlib
import json

from django.db import transaction
from django.http import HttpResponse

from reuseid.services import idempotency

_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Retry-After")


def run(view, request, key: str, handler):
    """Answer from the kept first answer, or run ``handler`` and keep its answer in the transaction of the change.

    A 5xx undoes the change and frees the key. The body was parsed before, so a body that is no JSON takes no key.
    """
    row, kept = idempotency.claim(request.user, key, fingerprint(request))
    if kept is not None:
        return _replay(view, kept)
    try:
        with transaction.atomic():
            response = _rendered(view, request, handler)
            if response.status_code < 500:
                idempotency.settle(row, response.status_code, _keep(response), user_id=_person_in(response))
                return response
            transaction.set_rollback(True)
    except BaseException:
        idempotency.release(row)
        raise
    idempotency.release(row)
    return response


def fingerprint(request) -> str:
    """SHA-256 of method, address with its query, and body."""
    request.data  # noqa: B018 - parses the body, which the parser keeps as bytes
    body = getattr(request, "raw_body", b"")
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + body).hexdigest()


def _rendered(view, request, handler):
    # The handler's error becomes its answer here, inside the transaction: a refused attempt stays counted.
    try:
        response = handler()
    except Exception as error:
        response = view.handle_exception(error)
    response = view.finalize_response(request, response)
    response.render()
    return response


def _keep(response):
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    return {"status": response.status_code, "headers": headers, "body": response.content.decode()}


def _person_in(response):
    """The person whom an answer is about, by its members; None for a problem and for all else."""
    data = response.data if isinstance(response.data, dict) else {}
    return data.get("userId") or (data.get("user") or {}).get("userId")


def _replay(view, kept):
    body = kept["body"]
    if kept["status"] < 400 and body:
        # The caller may have lost a scope since; where it has not, the bytes are the first ones.
        shown = view.shown_again(json.loads(body))
        if shown != json.loads(body):
            body = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    response = HttpResponse(body.encode(), status=kept["status"], headers=kept["headers"])
    response["Idempotent-Replayed"] = "true"
    return response
