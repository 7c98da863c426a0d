"""What surrounds Django, without a server: ASGI in, ASGI out."""

import asyncio
import json

import pytest
from django.contrib.auth import get_user_model
from rest_framework.exceptions import NotAuthenticated

from mobileid.api.starting import MAX_BODY
from reuseid.api.errors import BodyTooLarge
from reuseid.ingress import allowances, answers
from reuseid.ingress.bodies import Bodies
from reuseid.ingress.readers import Readers
from reuseid.ingress.server import OPTIONS
from tests.config.test_settings import ROOT

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "http_version": "1.1"}
BEGIN = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b""}


async def never(*_):
    await asyncio.get_running_loop().create_future()


def test_who_takes_no_answer_has_left():
    heard = []

    async def app(scope, receive, send):
        telling = asyncio.ensure_future(send(BEGIN))
        heard.append((await receive())["type"])
        telling.cancel()

    asyncio.run(Readers(app, seconds=0.01)(SCOPE, never, never))
    assert heard == ["http.disconnect"]


def test_who_takes_no_answer_and_is_not_listened_for_is_ended():
    after = []

    async def app(scope, receive, send):
        await send(BEGIN)
        after.append("went on")

    asyncio.run(Readers(app, seconds=0.01)(SCOPE, never, never))
    assert after == []


async def echo(scope, receive, send):
    await send(BEGIN)
    await send({"type": "http.response.body", "body": (await receive())["body"]})


def sent(app, body, announced=None):
    """What the application, or what surrounds it, says to a body in one part."""
    headers = [(b"content-length", str(announced or len(body)).encode())]
    told = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        told.append(message)

    asyncio.run(app(SCOPE | {"method": "POST", "headers": headers}, receive, send))
    return told[0]["status"], told[1]["body"]


def test_a_body_arrives_whole_and_what_it_held_is_free_again(settings):
    settings.BODY_MEMORY = 10
    bodies = Bodies(echo, None)
    for _ in range(3):
        assert sent(bodies, b"x" * 10) == (200, b"x" * 10)


def test_bodies_beyond_what_all_of_them_may_hold_are_asked_to_come_again(settings):
    settings.BODY_MEMORY = 10
    assert sent(Bodies(echo, None), b"x" * 11)[0] == 503


@pytest.fixture
def scope_of(client):
    """The scope of a large form that this browser sends to the back office."""

    def scope_of():
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        return SCOPE | {
            "method": "POST",
            "path": "/admin/",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1"), (b"cookie", cookies.encode())],
        }

    return scope_of


@pytest.mark.django_db(transaction=True)
def test_who_is_signed_in_as_a_colleague_is_known(client, scope_of):
    with pytest.raises(NotAuthenticated):
        allowances.prove_known(scope_of())
    client.force_login(get_user_model().objects.create_user("support", password="x", is_staff=True))
    allowances.prove_known(scope_of())
    client.logout()
    with pytest.raises(NotAuthenticated):
        allowances.prove_known(scope_of())


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/mobileid/device/v1/status", 64 * 1024),
        ("/oauth/token", 64 * 1024),
        ("/nowhere", 64 * 1024),
        ("/mobileid/core/webhooks", 64 * 1024),
        ("/reuseid/core/users", 256 * 1024),
        ("/mobileid/core/signatures", MAX_BODY),
        ("/admin/login/", 4 * 1024 * 1024),
    ],
)
def test_each_address_takes_what_its_view_says(path, most, settings):
    assert allowances.most(path) == most
    # Or Django would write it to a file.
    assert most <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE


def test_the_operating_guide_starts_the_server_as_the_demo_does():
    guide = (ROOT / "docs" / "operating.md").read_text()
    assert [option for option in OPTIONS.items() if " ".join(option) not in guide] == []


@pytest.mark.parametrize(
    ("path", "content_type", "told"),
    [
        ("/mobileid/device/v1/approve", "application/problem+json", {"code": "too-large"}),
        ("/reuseid/core/users", "application/problem+json", {"code": "body_too_large", "detail": "At most 5 bytes."}),
        ("/admin/", "text/plain; charset=utf-8", None),
    ],
)
def test_a_refusal_is_told_in_the_words_of_its_address(path, content_type, told):
    answer = answers.refusal(SCOPE | {"path": path}, BodyTooLarge("At most 5 bytes."))
    headers = dict(answer.headers)
    assert (answer.status, headers[b"content-type"].decode()) == (413, content_type)
    assert headers[b"connection"] == b"close"
    if told is None:
        assert answer.body == b"The body is larger than this call takes. At most 5 bytes."
    else:
        body = json.loads(answer.body)
        assert {name: body[name] for name in ("code", "detail") if name in body} == told
