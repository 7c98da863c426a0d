"""The two doors for phones: the signed key document, and sealed messages (docs/protocol.md, chapters 2 and 3)."""

import logging
import uuid
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from mobileid.device_api import door, strangers
from mobileid.device_api.messages import MESSAGES
from mobileid.models import Application
from mobileid.problems import EnvelopeRefused, StillJudged, TooLarge
from mobileid.protocol.envelope import EnvelopeInvalid
from mobileid.protocol.key_document import MEDIA_TYPE as JWT
from mobileid.services.keys import channel
from reuseid.api.errors import FRAMEWORK, MEDIA_TYPE, BodyTooLarge, UnknownPath, problem
from reuseid.client_address import client_network
from reuseid.errors import ServiceError, TooMany, Unknown
from reuseid.models import Account

log = logging.getLogger(__name__)


def keys(request: HttpRequest) -> HttpResponse:
    """The key document of ``?applicationId=`` as a bare compact JWS; 404 for an unknown application."""
    return _told(request, "GET", _key_document)


def _key_document(request: HttpRequest, address: str) -> HttpResponse:
    strangers.count(address)
    try:
        wanted = uuid.UUID(request.GET.get("applicationId", ""))
    except ValueError:
        raise Unknown from None
    application = Application.objects.filter(pk=wanted, account__status=Account.Status.ACTIVE).first()
    if application is None:
        raise Unknown
    return HttpResponse(channel.key_document(application), content_type=JWT)


@csrf_exempt
def message(request: HttpRequest, name: str) -> HttpResponse:
    """One sealed message. Once its envelope opens the status is 200, whatever the sealed answer says."""
    if name not in MESSAGES:
        return _problem(UnknownPath())

    def answer(request: HttpRequest, address: str) -> HttpResponse:
        strangers.check(address, is_start=name == "registration/start")
        return JsonResponse(door.answer(request, name, address))

    return _told(request, "POST", answer)


def _told(request: HttpRequest, method: str, answer: Callable[[HttpRequest, str], HttpResponse]) -> HttpResponse:
    """The view's answer, or the problem in the clear; none of them quotes anything from the message."""
    if request.method != method:
        response = _response(405, *FRAMEWORK[405])
        response["Allow"] = method
        return response
    try:
        response = answer(request, client_network(request))
    except EnvelopeInvalid:
        return _problem(EnvelopeRefused())
    except ServiceError as error:
        return _problem(error)
    except (OperationalError, InterfaceError) as error:
        log.warning("The database is not reached or refused: %s.", type(error).__name__)
        return _problem(StillJudged())
    except Exception:
        log.exception("A message of a phone failed.")
        return _response(500, *FRAMEWORK[500])
    response["Cache-Control"] = "no-store"
    return response


def _problem(error: ServiceError) -> HttpResponse:
    if isinstance(error, BodyTooLarge):
        error = TooLarge()
    if isinstance(error, TooMany):
        return _response(429, "rate-limited", error.title, retry_after=error.retry_after)
    return _response(error.status, error.code, error.title)


def _response(status: int, code: str, title: str, *, retry_after: int | None = None) -> HttpResponse:
    response = JsonResponse(problem(status, code, title), status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    if retry_after or status == 503:
        response["Retry-After"] = str(retry_after or 1)
    return response
