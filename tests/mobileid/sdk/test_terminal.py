"""The terminal authenticator against a service behind a real socket."""

import contextlib
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mobileid.sdk import errors, transport
from mobileid.sdk.__main__ import main
from mobileid.sdk.filestore import FileStore
from mobileid.sdk.transport import HttpTransport

from .conftest import PIN

pytestmark = pytest.mark.usefixtures("cheap_pins")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service = None

    def do_GET(self):
        self._answer(self.service.get(self.path))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.headers["content-type"] == "application/json"
        self._answer(self.service.post(self.path, body))

    def _answer(self, answer):
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def handle(self):
        with contextlib.suppress(ConnectionError):  # of a client that has read enough
            super().handle()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(service, monkeypatch):
    monkeypatch.setattr("time.time", lambda: service.now)
    handler = type("Handler", (Handler,), {"service": service})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        httpd.daemon_threads = True
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def _in_turn(answers):
    left = iter(answers)
    return lambda prompt="": next(left)


@pytest.fixture
def run(service, server, tmp_path, monkeypatch, capsys):
    """`run("command", …, typed=[hidden…], said=[visible…])` → (exit code, output, errors).

    Each of the two may be a function of the prompt instead.
    """
    config = tmp_path / "app.json"
    config.write_text(json.dumps(service.config.to_dict() | {"server": server, "clientSecret": "not for apps"}))

    def run(*arguments, typed=(), said=(), options=None):
        for place, answers in (("getpass.getpass", typed), ("builtins.input", said)):
            monkeypatch.setattr(place, answers if callable(answers) else _in_turn(answers))
        options = ("--config", str(config)) if options is None else options
        code = main(["--store", str(tmp_path / "phone"), *options, *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def registered(run):
    code, out, _ = run("register", "abcd-2345-wxyz", "--name", "Ann's laptop", typed=[PIN, PIN])
    assert code == 0
    return re.search(r"Registered: (\S+)", out)[1]


def test_a_terminal_registers_by_code_and_by_link(run, service, server):
    code, out, _ = run(
        "register",
        f"{server}/mobileid/app#register?code=ABCD2345WXYZ&app={service.application_id}",
        said=["Ann's laptop"],
        typed=[PIN, PIN],
    )
    assert code == 0
    assert "Bank  J. D." in out
    assert [phone.name for phone in service.phones.values()] == ["Ann's laptop"]


def test_a_registration_whose_answer_was_lost_is_finished_by_the_next_command(run, service, monkeypatch):
    monkeypatch.setattr(transport, "TRIES", 1)
    judged = service.post

    def lossy(path, body):
        answer = judged(path, body)
        if path.endswith("finish"):
            service.post = judged
            raise ConnectionResetError
        return answer

    service.post = lossy
    code, _, err = run("register", "ABCD2345WXYZ", "--name", "Ann's laptop", typed=[PIN, PIN])
    assert (code, "Whether it was done is not known." in err) == (3, True)
    service.now += 300
    code, _, err = run("register", typed=["0000"])
    assert (code, "chosen at first" in err) == (1, True)
    code, out, err = run("register", typed=[PIN])
    assert (code, "cut short" in err) == (0, True)
    assert re.search(r"Registered: (\S+)", out)[1] in service.phones
    assert len(service.phones) == 1


def test_another_code_is_taken_when_the_registration_that_was_cut_short_comes_to_nothing(run, service, monkeypatch):
    monkeypatch.setattr(transport, "TRIES", 1)
    service.codes.add("WXYZ2345ABCD")
    judged = service.post
    service.post = lambda path, body: None if path.endswith("finish") else judged(path, body)
    assert run("register", "ABCD2345WXYZ", "--name", "x", typed=[PIN, PIN])[0] == 3
    service.post = judged
    service.registrations.clear()
    code, out, err = run("register", "WXYZ2345ABCD", "--name", "x", typed=[PIN, PIN, PIN])
    assert (code, "cut short" in err, "Registered" in out) == (0, True, True)


def test_registering_needs_the_pinned_configuration(run, service):
    code, _, err = run("register", "ABCD2345WXYZ", options=("--passphrase",), typed=["word"])
    assert code == 1
    assert "--config" in err
    assert not service.seen


def test_a_slip_in_a_new_pin_is_asked_again_and_a_weak_one_is_warned_of(run, service):
    code, _, err = run("register", "ABCD2345WXYZ", "--name", "x", typed=["1", "1234", "1235", "2580", "2580"])
    assert code == 0
    assert [word in err for word in ("must have", "thief", "differ")] == [True] * 3
    assert len(service.phones) == 1


def test_three_slips_are_enough(run, service):
    code, _, err = run("register", "ABCD2345WXYZ", "--name", "x", typed=["1", "22", "2580", "0852"])
    assert code == 1
    assert "differ" in err
    assert not service.phones
    assert run("register", "ABCD2345WXYZ", "--name", "x", typed=[PIN, PIN])[0] == 0


@pytest.mark.parametrize("prompt", ["Name of this phone", "New PIN (", "New PIN again"])
def test_who_stops_at_a_question_has_not_spent_the_code(run, service, prompt):
    answers = iter([PIN, PIN])

    def stop(asked=""):
        if prompt in asked:
            raise KeyboardInterrupt
        return next(answers)

    code, _, err = run("register", "ABCD2345WXYZ", typed=stop, said=stop)
    assert (code, "Stopped." in err) == (1, True)
    assert not service.seen
    assert run("register", "ABCD2345WXYZ", "--name", "x", typed=[PIN, PIN])[0] == 0


def test_a_code_that_cannot_be_one_is_refused_before_anything_is_asked(run, service):
    code, _, err = run("register", "ABCD")
    assert (code, "registration-invalid" in err) == (1, True)
    assert not service.seen


def test_a_pin_is_asked_again_when_the_rules_changed_after_it_was_chosen(run, service):
    honest = service.post

    def stricter(path, body):
        service.offered_pin = {"minLength": 8, "maxLength": 8, "type": "numeric"}
        return honest(path, body)

    service.post = stricter
    code, _, err = run("register", "ABCD2345WXYZ", "--name", "x", typed=["2580", "2580", "25802581", "25802581"])
    assert (code, "8 to 8 characters" in err) == (0, True)


def test_a_registered_phone_is_not_asked_for_a_code(run, service, registered):
    sent = len(service.seen)
    code, _, err = run("register")
    assert (code, len(service.seen)) == (1, sent)
    assert "already-registered" in err


def test_the_name_of_the_computer_is_offered(run, service, monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "ann-laptop")
    assert run("register", "ABCD2345WXYZ", said=[""], typed=[PIN, PIN])[0] == 0
    assert [phone.name for phone in service.phones.values()] == ["ann-laptop"]


def test_the_printed_account_is_a_configuration_too(run, service, server, tmp_path):
    printed = tmp_path / "bank.json"
    application = service.config.to_dict() | {"server": server}
    printed.write_text(json.dumps({"accountId": "a", "clientSecret": "not for apps", "application": application}))
    command = ("register", "ABCD2345WXYZ", "--name", "x", "--config", str(printed))
    assert run(*command, typed=[PIN, PIN], options=())[0] == 0


def test_the_only_request_needs_no_name_and_one_of_several_only_its_beginning(run, service, registered):
    assert "Nothing waits" in run("show")[2]
    first = service.add(title="First")
    assert "First" in run("show")[1]
    second = service.add(title="Second")
    assert "Several requests wait" in run("show")[2]
    length = next(n for n in range(1, 36) if first[:n] != second[:n])
    assert "Second" in run("show", second[:length].upper())[1]
    assert "No request that waits begins with zz." in run("show", "zz")[2]


def test_with_nobody_to_ask_nothing_is_approved(run, service, registered, monkeypatch):
    def nobody(prompt=""):
        raise EOFError

    monkeypatch.setattr("mobileid.sdk.terminal.input", nobody, raising=False)
    code, _, err = run("approve", service.add())
    assert (code, err.strip()) == (1, "There is nobody to ask.")


def test_a_store_in_use_is_named(run, registered, tmp_path):
    with FileStore(tmp_path / "phone"):
        code, _, err = run("status", options=())
    assert code == 1
    assert "store-busy" in err


def test_without_a_store_the_usage_is_shown(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    assert ended.value.code == 2
    assert "--store" in capsys.readouterr().err


def test_what_waits_is_listed_shown_and_approved(run, service, registered):
    operation = service.add(title="Pay \u202e 5 EUR", data=b"line one\n\x1b[2Jline two", methods=("DEVICE_PIN",))
    assert operation in run("pending")[1]
    code, out, _ = run("show", operation)
    assert code == 0
    assert "\\u202e" in out, "what cannot be seen is made visible"
    assert "\x1b" not in out
    code, out, err = run("approve", operation, said=["y"], typed=["0000", PIN])
    assert code == 0
    assert "Not accepted. 4 tries left." in err
    assert out.endswith("COMPLETED\n")
    assert "Nothing waits" in run("pending")[2]


def test_an_approval_asks_for_the_number_and_may_be_declined(run, service, registered):
    operation = service.add(binding="NUMBER", number="42")
    code, _, err = run("approve", operation, said=["42", "n"])
    assert code == 1
    assert "Not approved" in err
    code, out, _ = run("approve", operation, "--yes", "--number", "42", typed=[PIN])
    assert (code, out.splitlines()[-1]) == (0, "COMPLETED")
    other = service.add(binding="NUMBER", number="42")
    code, out, err = run("approve", other, "--yes", "--number", "24", typed=[PIN])
    assert (code, out.splitlines()[-1]) == (1, "FAILED")
    assert "number was wrong" in err


def test_three_wrong_pins_are_enough_for_one_command(run, service, registered):
    code, _, err = run("approve", service.add(), "--yes", typed=["0000", "1111", "2222"])
    assert code == 1
    assert "2 tries left. (authentication-failed)" in err


def test_the_last_wrong_pin_says_that_it_locked(run, service, registered):
    service.phones[registered].failures = 4
    code, _, err = run("approve", service.add(), "--yes", typed=["0000"])
    assert code == 1
    assert "LOCKED until" in err


def test_a_wrong_pin_changes_no_pin_and_says_how_many_tries_are_left(run, service, registered):
    code, _, err = run("change-pin", typed=["0000", "9713", "9713"])
    assert code == 1
    assert "4 tries left" in err
    assert run("approve", service.add(), "--yes", typed=[PIN])[0] == 0


def test_a_rejection_may_report_that_it_was_not_me(run, service, registered):
    operation = service.add()
    assert run("reject", operation, "--not-me")[1].endswith("REJECTED\n")
    assert service.operations[operation].statement["reason"] == "NOT_ME"


def test_the_device_is_managed_from_the_terminal(run, service, registered):
    assert run("rename", "Ann's old laptop")[0] == 0
    code, out, _ = run("status", options=())
    assert code == 0
    assert "Ann's old laptop" in out
    assert run("change-pin", typed=[PIN, "9713", "9713"])[0] == 0
    assert run("approve", service.add(), "--yes", typed=["9713"])[0] == 0
    code, *_ = run("deactivate", said=["no"])
    assert code == 1
    assert run("deactivate", "--yes")[0] == 0
    assert run("status")[0] == 1
    assert service.phones[registered].state == "DEACTIVATED"


def test_a_locked_device_says_until_when(run, service, registered):
    service.phones[registered].failures = 5
    code, _, err = run("approve", service.add(), "--yes", typed=[PIN])
    assert code == 1
    assert "LOCKED until" in err


def test_a_service_that_is_away_is_exit_code_3_and_one_that_lies_4(run, service, server, registered, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    honest = service.post
    service.post = lambda path, body: honest(path, body[:-9] + b'AAAAAAA"}')
    code, _, err = run("status")
    assert (code, server in err) == (3, True)
    service.post = honest
    service._once = lambda request: b"[]"
    assert run("status")[0] == 4


def test_nobody_listening_is_a_connection_failure():
    with (
        HttpTransport("http://127.0.0.1:9") as transport,
        pytest.raises(errors.ConnectionFailed, match=r"http://127\.0\.0\.1:9 cannot be reached"),
    ):
        transport.get("/")


def test_an_endless_answer_is_cut_off(service, server, monkeypatch):
    from mobileid.sdk.transport import Answer

    service.get = lambda target: Answer(200, {}, b" " * (5 * 1024 * 1024))
    with HttpTransport(server) as transport, pytest.raises(errors.UnexpectedAnswer):
        transport.get("/")


def test_it_runs_as_a_module_and_explains_itself():
    done = subprocess.run([sys.executable, "-m", "mobileid.sdk", "--help"], capture_output=True, text=True, check=True)
    for command in [
        "register",
        "pending",
        "show",
        "approve",
        "reject",
        "status",
        "rename",
        "change-pin",
        "deactivate",
    ]:
        assert command in done.stdout


def loaded_by(module):
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_it_imports_nothing_of_the_service():
    names = loaded_by("mobileid.sdk.__main__")
    assert not {name for name in names if name.split(".")[0] in ("django", "reuseid", "config")}
    lent = {"mobileid.protocol", "mobileid.protocol.wire"}
    assert {name for name in names if name.startswith("mobileid.")} == lent | {
        name for name in names if name.startswith("mobileid.sdk")
    }


def test_the_shared_bytes_load_nothing_else_of_either_side():
    names = loaded_by("mobileid.protocol.wire")
    assert {name for name in names if name.startswith("mobileid.")} == {"mobileid.protocol", "mobileid.protocol.wire"}
    assert not names & {"jwt", "httpx"}
