"""The one HTTP client against real servers: what it must not call, and what must not hold it."""

import contextlib
import socket
import threading
import time

import pytest

from reuseid import addresses, name_service, outbound
from reuseid.services.webhooks import attempts
from tests import certificates
from tests.receiver import Receiver
from tests.reuseid.services.webhooks.test_attempts import claim_for


@pytest.fixture(autouse=True)
def _close_connections():
    yield
    outbound.close()


def post(url, timeout=2.0):
    return outbound.request("POST", url, body=b"{}", headers={"content-type": "application/json"}, timeout=timeout)


@pytest.fixture
def authority(tmp_path, settings):
    files, issuer = certificates.make(tmp_path, host="authority")
    settings.OUTBOUND_CA_FILE = files[0]
    return issuer


@pytest.fixture
def names(monkeypatch):
    """`names["a.example"] = ["203.0.113.7"]`: what the name service answers; a callable is asked each time."""
    table = {}
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if host not in table:
            return real(host, port, *args, **kwargs)
        found = table[host]() if callable(table[host]) else table[host]
        return [entry for address in found for entry in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2001:db8::1",
        "2001::1",
        "2002:0a00:0001::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_refused(settings, address):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    with pytest.raises(addresses.Refused):
        addresses.check_address(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:8.8.8.8"])
def test_a_public_address_is_called(settings, address):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    addresses.check_address(address)


def test_an_operator_may_name_networks_of_its_own(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.20.0.0/16"]
    addresses.check_address("10.20.3.4")
    with pytest.raises(addresses.Refused):
        addresses.check_address("10.21.3.4")


def test_a_name_that_leads_inside_is_refused_when_connecting(settings, names):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    names["inside.example"] = ["10.0.0.1", "169.254.169.254"]
    with pytest.raises(outbound.Refused):
        post("https://inside.example/")


def test_a_second_answer_of_the_name_service_changes_nothing(settings, names, receiver):
    """Rebinding: the first answer is public, every later one is this host. One look-up a connection, checked."""
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    asked = []

    def answer():
        asked.append(1)
        return ["203.0.113.9"] if len(asked) == 1 else ["127.0.0.1"]

    names["rebind.example"] = answer
    with pytest.raises(outbound.Refused):
        post(f"https://rebind.example:{receiver.port}/")
    with pytest.raises(outbound.Refused):
        post(f"https://rebind.example:{receiver.port}/")
    assert receiver.got == []


def test_tls_verifies_the_name_though_the_connection_is_made_to_an_address(tmp_path, authority, names):
    certificate, _ = certificates.make(tmp_path, host="hooks.example", issuer=authority)
    names["hooks.example"] = names["other.example"] = ["127.0.0.1"]
    with Receiver(certificate=certificate) as receiver:
        assert post(f"https://hooks.example:{receiver.port}/").status == 200
        assert receiver.got[0].headers["host"] == f"hooks.example:{receiver.port}"
        with pytest.raises(outbound.Failed, match="certificate not trusted: Hostname mismatch"):
            post(f"https://other.example:{receiver.port}/")


def test_an_unknown_authority_and_an_expired_certificate_are_refused(tmp_path, authority):
    stranger, _ = certificates.make(tmp_path, host="localhost")
    with Receiver(certificate=stranger) as receiver, pytest.raises(outbound.Failed, match="not trusted: self"):
        post(receiver.url)
    expired, _ = certificates.make(tmp_path, host="localhost", issuer=authority, days=-1)
    with Receiver(certificate=expired) as receiver, pytest.raises(outbound.Failed, match="has expired"):
        post(receiver.url)


def test_plain_http_leaves_this_host_never(settings):
    with pytest.raises(outbound.Refused, match="loopback addresses only"):
        post("http://93.184.216.34/")
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    with pytest.raises(outbound.Refused):
        post("http://127.0.0.1:9/")


def test_a_redirect_is_an_answer_and_is_not_followed(receiver):
    receiver.answers((302, {"location": "http://169.254.169.254/latest/meta-data"}, b""))
    assert post(receiver.url).status == 302
    assert len(receiver.got) == 1


def test_an_endless_body_is_cut_and_the_status_counts(receiver):
    receiver.answers("endless")
    answer = post(receiver.url)
    assert answer.status == 200
    assert len(answer.body) == outbound.ANSWER_LIMIT


def test_a_dripping_receiver_ends_with_the_deadline(receiver):
    receiver.answers("drip")
    started = time.monotonic()
    with pytest.raises(outbound.Failed, match="timeout"):
        post(receiver.url, timeout=1.0)
    assert time.monotonic() - started < 1.6


def test_resets_refusals_and_silence_have_names(receiver):
    receiver.answers("reset")
    with pytest.raises(outbound.Failed, match=r"connection reset|closed without an answer"):
        post(receiver.url)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(outbound.Failed, match="connection refused"):
            post(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    with pytest.raises(outbound.Failed, match="name not resolved"):
        post("https://no-such-host.invalid/")


def test_what_is_no_http_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(outbound.Failed, match="not HTTP"):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()


def test_connections_are_kept_and_used_again(receiver):
    ports = []
    receiver.answers(lambda got, number: ports.append(threading.current_thread().ident) or 200)
    for _ in range(5):
        post(receiver.url)
    assert len(set(ports)) == 1


def test_a_proxy_of_the_environment_is_honoured(monkeypatch, names):
    names["hooks.example"] = ["93.184.216.34"]
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                seen.append(connection.recv(1000))
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://bank:secret@127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(outbound.Failed, match="proxy refused"):
            post("https://hooks.example/")
        thread.join()
    assert seen[0].startswith(b"CONNECT hooks.example:443 ")
    assert b"Proxy-Authorization: Basic " in seen[0]


def test_behind_a_proxy_too_a_name_that_is_known_to_lead_inside_is_refused(monkeypatch, names):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    names["inside.example"] = ["192.168.0.5"]
    with pytest.raises(outbound.Refused):
        post("https://inside.example/")


def outcome_of(url, settings):
    """What the integrator reads of an attempt."""
    settings.CALLBACK_TIMEOUT = 1
    found = attempts.attempt(claim_for(url))
    return found.status, found.error


def test_a_name_of_ours_looks_like_one_that_there_is_not(settings, names, api):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    names["inside.example"] = ["10.0.0.1"]

    def nowhere():
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    names["nowhere.example"] = nowhere
    urls = ["https://inside.example/", "https://nowhere.example/"]
    assert {outcome_of(url, settings) for url in urls} == {(None, f"not called: {outbound.NO_ADDRESS}")}
    answers = [api.post("/mobileid/core/webhooks", {"url": url}) for url in urls]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_setting_an_address_looks_no_name_up(api, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: pytest.fail("looked up"))
    at = "/mobileid/core/webhooks"
    made = api.post(at, {"url": "https://bank.example/hooks"}).json()
    assert api.patch(f"{at}/{made['id']}", {"url": "https://other.example/hooks"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["0x7f.1", "2130706433", "127.1", "0177.0.0.1", "localhost", "a.localhost", "localhost."]
)
def test_this_host_by_another_name_is_refused_without_a_look_up(settings, monkeypatch, host):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: pytest.fail("looked up"))
    with pytest.raises(addresses.Refused):
        addresses.check_url(f"https://{host}/")


@pytest.fixture
def silence(names):
    """`silence("slow.example")`: its name server says nothing until the test is over."""
    over = threading.Event()

    def wait():
        over.wait(20)
        return []

    yield lambda *hosts: names.update(dict.fromkeys(hosts, wait))
    over.set()
    until = time.monotonic() + 5
    while name_service.under_way() and time.monotonic() < until:
        time.sleep(0.01)


def test_a_silent_name_server_takes_no_longer_than_the_deadline(silence, settings):
    silence("slow.example")
    started = time.monotonic()
    assert outcome_of("https://slow.example/", settings) == (None, f"not called: {outbound.NO_ADDRESS}")
    assert time.monotonic() - started < 1.8


def test_silent_names_of_one_account_use_up_its_own_look_ups_alone(silence, names, monkeypatch):
    monkeypatch.setattr(name_service, "OF_ONE_ACCOUNT", 3)
    silence(*(f"slow{number}.example" for number in range(5)))
    names["good.example"] = ["203.0.113.7"]
    for number in range(5):
        with contextlib.suppress(OSError):
            name_service.look_up(f"slow{number}.example", 443, timeout=0.05, account="theirs")
    assert name_service.under_way()["theirs"] == 3
    with contextlib.suppress(OSError):
        name_service.look_up("slow0.example", 443, timeout=0.05, account="theirs")
    assert name_service.under_way()["theirs"] == 3
    assert name_service.look_up("good.example", 443, timeout=5, account="ours") == ["203.0.113.7"]


def test_an_error_of_the_name_service_is_the_callers(names):
    names["odd.example"] = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        name_service.look_up("odd.example", 443, timeout=5)
    assert not name_service.under_way()
