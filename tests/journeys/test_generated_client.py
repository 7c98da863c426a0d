"""A client made by a stock generator from docs/openapi.yaml works as it comes out."""

import importlib
import subprocess
import sys
import uuid

import httpx
import pytest

from tests.config.test_settings import ROOT


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The generated package, importable; the generator has no word to say about the document."""
    out = tmp_path_factory.mktemp("generated")
    config = out / "config.yaml"
    config.write_text("post_hooks: []\npackage_name_override: reuseid_client\n")
    options = ["--config", config, "--path", ROOT / "docs" / "openapi.yaml", "--output-path", out / "client"]
    done = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", *map(str, options)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout
    sys.path.insert(0, str(out / "client"))
    yield importlib.import_module("reuseid_client")
    sys.path.pop(0)


@pytest.fixture(scope="module")
def bank(installation, package):
    account = installation.create_account(f"Generated {uuid.uuid4()}")
    base = f"http://127.0.0.1:{installation.port}"
    credentials = (account.client_id, account.client_secret)
    answer = httpx.post(f"{base}/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials)
    with package.AuthenticatedClient(base_url=base, token=answer.json()["access_token"]) as client:
        yield client


def call(name, **arguments):
    return importlib.import_module(f"reuseid_client.api.{name}").sync_detailed(**arguments)


def test_it_makes_finds_locks_and_lists_people(bank):
    models = importlib.import_module("reuseid_client.models")
    body = models.CreateUserBody.from_dict({"externalRef": "g-1", "attributes": {"email": "a@b.example", "n": 1}})
    made = call("users.create_user", client=bank, body=body, idempotency_key="generated-1")
    assert (made.status_code, made.parsed.state) == (201, models.UserState.ACTIVE)
    again = call("users.create_user", client=bank, body=body, idempotency_key="generated-1")
    assert again.parsed.user_id == made.parsed.user_id
    found = call("users.get_user_by_external_ref", client=bank, external_ref="g-1")
    assert found.parsed.attributes.to_dict() == {"email": "a@b.example", "n": 1}
    reason = models.LockBody(reason="SUSPECTED_FRAUD")
    assert call("users.lock_user", client=bank, user_id=found.parsed.user_id, body=reason).parsed.state == "LOCKED"
    refused = call("users.lock_user", client=bank, user_id=found.parsed.user_id, body=reason)
    assert (refused.status_code, refused.parsed.code, refused.parsed.state) == (409, "wrong_state", "LOCKED")
    page = call("users.list_users", client=bank, attribute="email:A@B.example")
    assert [row.external_ref for row in page.parsed.results] == ["g-1"]


def test_it_starts_reads_and_cancels_an_operation(bank):
    models = importlib.import_module("reuseid_client.models")
    body = models.StartBody.from_dict(
        {
            "operationProperties": {
                "binding": "QR",
                "preOperationContext": {"mimeType": "text/plain", "content": "Sign in?"},
            }
        }
    )
    started = call("authentications.start_authentication", client=bank, body=body)
    assert started.status_code == 201, started.content
    operation_id = started.parsed.operation_id
    assert call("authentications.get_authentication", client=bank, operation_id=operation_id).parsed.state == "PENDING"
    canceled = call("authentications.cancel_authentication", client=bank, operation_id=operation_id)
    assert canceled.parsed.state == "CANCELED"
