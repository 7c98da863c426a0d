"""Another client, written from docs/protocol.md alone with other libraries, in JavaScript: tests/javascript/."""

import hashlib
import json
import shutil
import subprocess
import time

import pytest

from mobileid.protocol import channel_keys, envelope, proofs, wire

from .make_vectors import APP, DEVICE, FILE, OPERATION

HERE = FILE.parents[1] / "tests" / "javascript"
INSTALLED = HERE / "node_modules" / ".installed"
PATH = wire.PREFIX + "registration/finish"
SECONDS = 100


@pytest.fixture(scope="module")
def node():
    """Node.js, with the packages of package-lock.json; skips where it or they cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("needs Node.js 18.19 or newer: install nodejs and npm")
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if not INSTALLED.exists() or INSTALLED.read_text() != lock:
        done = subprocess.run([npm, "ci"], cwd=HERE, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode:
            pytest.skip(f"npm ci in tests/javascript: {done.stderr[-500:]}")
        INSTALLED.write_text(lock)
    return node


def test_a_reader_in_javascript_finds_the_vectors_to_be_what_the_text_says(node):
    done = subprocess.run([node, "--test", "read.mjs"], cwd=HERE, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 0" not in done.stdout


@pytest.mark.parametrize("suite", [1, 2])
def test_a_phone_in_javascript_registers_and_believes_the_answer(node, suite):
    private, public = channel_keys.generate(suite)
    nonce, iat = wire.b64u(bytes(32)), time.time_ns() // 1_000_000
    asked = {
        "suite": suite,
        "kid": "k",
        "publicKey": wire.b64u(public),
        "applicationId": APP,
        "operationId": OPERATION,
        "nonce": nonce,
        "path": PATH,
        "pin": "2580",
        "iat": iat,
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([node, "phone.mjs"], cwd=HERE, **pipes) as phone:
        phone.stdin.write(wire.dumps(asked) + b"\n")
        phone.stdin.flush()
        sealed = phone.stdout.readline()
        assert sealed, phone.stderr.read().decode()
        key = channel_keys.load_private(suite, private)
        request = envelope.open_request(envelope.parse(sealed.strip()), key, suite, PATH)
        proof = _judged(request, nonce, iat)
        answer = envelope.seal_answer(request, {"status": 200, "body": {"deviceId": DEVICE, "state": "ACTIVE"}})
        said, errors = phone.communicate(wire.dumps(answer) + b"\n", timeout=SECONDS)
    assert phone.returncode == 0, errors.decode()
    assert json.loads(said) == {
        "opened": {"status": 200, "body": {"deviceId": DEVICE, "state": "ACTIVE"}},
        "confirmationCode": wire.confirmation_code(proof.payload, DEVICE),
    }


def _judged(request, nonce, iat):
    """The proof, once it holds as the service judges a registration."""
    proof = proofs.parse(request.proof)
    statement, knowledge = proof.statement, request.body["knowledge"]
    proofs.check_statement(
        statement, "registration", applicationId=APP, operationId=OPERATION, nonce=nonce, iat=request.iat
    )
    assert request.iat == iat
    proof.require(proofs.required_factors(statement))
    public = wire.unb64u(knowledge["publicKey"])
    assert statement["knowledge"] == wire.b64u(wire.commitment(public, wire.unb64u(knowledge["r"])))
    assert proof.verify("possession", proofs.public_key_from_jwk(statement["possession"]))
    assert proof.verify("knowledge", proofs.knowledge_public_key(public))
    return proof
