"""The calls of the REST API that do what the "try it" page does, as commands to copy."""

import json
import pprint
import shlex
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _

SCOPE = "operations:read operations:write"


@dataclass(frozen=True)
class Command:
    """One block of code and what it is for."""

    title: str
    code: str


def commands(plural: str, body: dict) -> list[Command]:
    """Token, start, watch, cancel with curl, then the same in Python. ``plural`` is the last part of the address."""
    address = f"{settings.PUBLIC_URL}/mobileid/core/{plural}"
    return [
        Command(_("1. Get a token"), _token()),
        Command(_("2. Start"), _start(address, body)),
        Command(_("3. Wait for the result (ID is the operationId of 2.)"), _get(f"{address}/$ID?wait=30")),
        Command(_("Or cancel"), _post(f"{address}/$ID/cancel")),
        Command(_("The same in Python"), _python(address, body)),
    ]


def _token():
    # The shell's own quotes keep $CLIENT_SECRET out of what is shown here.
    return (
        f'TOKEN=$(curl -sS -u "$CLIENT_ID:$CLIENT_SECRET" {shlex.quote(settings.PUBLIC_URL + "/oauth/token")} \\\n'
        f"  -d grant_type=client_credentials -d {shlex.quote(f'scope={SCOPE}')} | jq -r .access_token)"
    )


def _start(address, body):
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return (
        f"curl -sS {shlex.quote(address)} \\\n"
        '  -H "Authorization: Bearer $TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(text)}"
    )


def _get(address):
    return f'curl -sS "{address}" \\\n  -H "Authorization: Bearer $TOKEN"'


def _post(address):
    return f'curl -sS -X POST "{address}" \\\n  -H "Authorization: Bearer $TOKEN"'


def _python(address, body):
    return f"""import os
import httpx

api = httpx.Client(timeout=40)
token = api.post(
    {settings.PUBLIC_URL + "/oauth/token"!r},
    auth=(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]),
    data={{"grant_type": "client_credentials", "scope": {SCOPE!r}}},
).raise_for_status().json()["access_token"]
api.headers["Authorization"] = f"Bearer {{token}}"

body = {pprint.pformat(body, sort_dicts=False, width=76)}
started = api.post({address!r}, json=body).raise_for_status().json()
print(started)

url = f"{address}/{{started['operationId']}}"
print(api.get(url, params={{"wait": 30}}).raise_for_status().json())"""
