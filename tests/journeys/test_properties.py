"""Whatever is sent to whichever address: documented statuses, documented answers, no 5xx. Made from the document."""

import os
import uuid
from types import SimpleNamespace

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from tests.rules.test_settings import ROOT

# For each call; more find more and take longer.
EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "4"))
CONFIG = SchemathesisConfig.from_dict(
    {
        # NUL in a body is a 400 that its own test covers; in an address no client can send it.
        "generation": {"allow-x00": False},
        # 404: the id of another run. 409: the state. 422: members judged by their meaning, which no schema can say.
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 422, 429]}},
    }
)
PROOFING = {"method": "eid", "provider": "x", "assuranceLevel": "low", "performedAt": "2026-01-01T00:00:00Z"}
CONTEXT = {"mimeType": "text/plain", "content": "Sign in?"}


@pytest.fixture(scope="module")
def caller(installation):
    """A client with a token, on a service that limits nobody."""
    account = installation.create_account(f"Properties {uuid.uuid4()}")
    base = f"http://127.0.0.1:{installation.port}"
    with httpx.Client(base_url=base, timeout=30) as http:
        token = http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(account.client_id, account.client_secret),
        ).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield http


@pytest.fixture(scope="module")
def things():
    """Ids to put into addresses, one set for each call that is tested."""
    return {}


def make(caller):
    """One of everything that an address can name."""
    user = caller.post("/reuseid/core/users", json={"attributes": {"email": "a@b.example"}}).json()["userId"]
    proofing = caller.post(f"/reuseid/core/users/{user}/proofings", json=PROOFING).json()["proofingId"]
    webhook = caller.post("/mobileid/core/webhooks", json={"url": "https://example.com/hooks"}).json()
    properties = {"binding": "QR", "preOperationContext": CONTEXT}
    started = {
        "registrations": {"userId": user},
        "authentications": {"operationProperties": properties},
        "signatures": {"operationProperties": properties},
    }
    ids = {
        kind: caller.post(f"/mobileid/core/{kind}", json=body).json().get("operationId")
        for kind, body in started.items()
    }
    event = caller.get("/mobileid/core/events").json()["results"][0]["id"]
    return {"user_id": user, "proofing_id": proofing, "webhook_id": webhook.get("id"), "event_id": event} | ids


def point_at(case, ids):
    """Half of the calls meet something that is there."""
    if case.path_parameters and uuid.UUID(int=abs(hash(str(case.path_parameters))) % 2**128).int % 2:
        kind = case.operation.path.split("/")[3]
        for name in case.path_parameters:
            known = ids.get(kind if name == "operation_id" else name)
            if known:
                case.path_parameters[name] = known


schema = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml", config=CONFIG)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_a_documented_one(case, caller, things):
    label = case.operation.label
    ids = things.setdefault(label, SimpleNamespace(left=0, ids={}))
    if not ids.left:
        ids.left, ids.ids = EXAMPLES, make(caller)
    ids.left -= 1
    point_at(case, ids.ids)
    # Preconditions: no generated value can meet them, and each has its own tests.
    for name in ("Idempotency-Key", "If-Match"):
        (case.headers or {}).pop(name, None)
    if case.query:
        case.query.pop("cursor", None)
        if str(case.query.get("wait")).isdigit() and int(case.query["wait"]) <= 30:
            case.query["wait"] = "1"
    authorization = {"Authorization": caller.headers["Authorization"]}
    case.call_and_validate(base_url=str(caller.base_url), headers=authorization)
