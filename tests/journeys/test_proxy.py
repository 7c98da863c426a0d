"""deploy/nginx.conf, in front of a real server process."""

import datetime
import ipaddress
import json
import os
import shutil
import ssl
import subprocess
import time
import uuid
from contextlib import ExitStack

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config.demo import supervisor
from config.demo.integrator import Integrator
from tests.config.test_settings import ROOT
from tests.device_factories import CONTENT
from tests.journeys import wire

pytestmark = pytest.mark.nginx
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
CORE = "/mobileid/core/"
QR = {"binding": "QR", "preOperationContext": CONTENT}
WAITERS = 3


@pytest.fixture(scope="module")
def environment():
    return {"TRUSTED_PROXIES": "1"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1, and its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "it.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "it.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "it"


@pytest.fixture(scope="module")
def proxy(installation, certificate, tmp_path_factory):
    """The port of nginx with the configuration as it is shipped, but for places, and smaller numbers where we wait."""
    folder, port = tmp_path_factory.mktemp("nginx"), supervisor.free_port()
    text = CONFIGURATION.read_text()
    for shipped, ours in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "server 127.0.0.1:8000": f"server 127.0.0.1:{installation.port}",
        "/etc/ssl/id.example.com": str(certificate),
        "/run/nginx-bodies": str(folder / "bodies"),
        "/run/nginx.pid": str(folder / "pid"),
        "/var/log/nginx": str(folder),
        "worker_processes auto": "worker_processes 1; daemon off",
        "client_body_timeout 10s": "client_body_timeout 1s",
        "client_header_timeout 10s": "client_header_timeout 1s",
        "limit_conn address 2000": f"limit_conn address {WAITERS}",
    }.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    if os.geteuid() == 0:
        text = "user root;\n" + text
    (folder / "nginx.conf").write_text(text)
    command = [
        shutil.which("nginx"),
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        str(folder / "error.log"),
    ]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    with supervisor.Supervisor() as running:
        running.start("nginx", command, folder / "output.log")
        assert running.wait(30, lambda: not supervisor.port_is_free(port))
        yield port


@pytest.fixture(scope="module")
def bank(installation):
    """Signed in at the service itself; the proxy knows no sign-in."""
    with Integrator(installation.create_account(f"Bank {uuid.uuid4().hex[:8]}")) as bank:
        bank.sign_in()
        yield bank


def connect(port):
    """A TLS connection to the proxy."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(wire.connect(port))


@pytest.fixture
def line(proxy):
    with connect(proxy) as line:
        yield line


@pytest.fixture
def caller(proxy, bank):
    with httpx.Client(
        base_url=f"https://127.0.0.1:{proxy}", verify=False, timeout=30, headers=bank.http.headers
    ) as caller:
        yield caller


def test_it_passes_calls_on_as_from_their_caller(caller):
    assert caller.get("/healthz").json() == {"status": "ok"}
    assert caller.get(f"{CORE}devices").json()["results"] == []
    assert caller.get("/metrics").status_code == 404


def test_it_refuses_what_is_too_large_before_it_comes(line):
    line.sendall(wire.head("POST", "/mobileid/device/v1/status", f"Content-Length: {300 * 1024 * 1024}"))
    status, headers, _ = wire.answer(line)
    assert (status, headers["server"]) == (413, "nginx")


def test_it_takes_what_the_service_takes(caller):
    for path, size, status in [(f"{CORE}signatures", 6 * 1024 * 1024, 400), ("/reuseid/core/users", 256 * 1024, 400)]:
        answer = caller.post(path, content=b"[" * size, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (status, "invalid_json")


def test_slow_callers_end_at_the_proxy(line, proxy):
    line.sendall(wire.head("POST", "/oauth/token", "Content-Length: 1000") + b"x")
    with connect(proxy) as silent:
        assert wire.is_closed(silent)
    # It waits for the rest of the body, hears none, and says no more.
    assert wire.is_closed(line)


def test_one_address_holds_so_many_calls_and_a_wait_is_answered_when_it_ends(bank, proxy):
    user = bank.post("/reuseid/core/users", {"segment": "callers"})["userId"]
    path = f"{CORE}registrations/{bank.post(f'{CORE}registrations', {'userId': user})['operationId']}"
    with ExitStack() as held:
        lines = [held.enter_context(waiting(bank, proxy, f"{path}?wait=20")) for _ in range(WAITERS)]
        assert refused_in_the_end(bank, proxy, path)
        bank.post(f"{path}/cancel")
        assert {json.loads(wire.answer(line)[2])["state"] for line in lines} == {"CANCELED"}


def refused_in_the_end(bank, proxy, path):
    """Whether one more is refused, when the others have got through to the proxy."""
    deadline = time.monotonic() + wire.PATIENCE
    while time.monotonic() < deadline:
        with waiting(bank, proxy, path) as one_more:
            if wire.answer(one_more)[0] == 429:
                return True
    return False


def waiting(bank, proxy, target):
    """A call of the bank's, sent through the proxy."""
    line = connect(proxy)
    line.sendall(wire.head("GET", target, f"Authorization: {bank.http.headers['Authorization']}"))
    return line


def test_frames_come_as_they_are_made(bank, caller):
    started = bank.post(f"{CORE}authentications", {"operationProperties": QR})
    # Buffered they would come when the operation is over, in minutes.
    with caller.stream("GET", f"{CORE}authentications/{started['operationId']}/qr/stream") as stream:
        assert stream.status_code == 200
        assert "event: frame" in stream.iter_lines()
