"""A person with a terminal for a phone, against the running service."""

import json
import uuid

import pytest

from config.demo import play
from config.demo.integrator import Integrator
from tests.journeys.terminal import Terminal

PIN, NEW_PIN, WRONG_PIN = "735911", "468013", "111111"
CORE = "/mobileid/core/"


@pytest.fixture(scope="module")
def bank(installation, tmp_path_factory):
    """A back end that has signed in and knows Ada; `bank.printed` is the file that `create_account --json` made."""
    account = installation.manage("create_account", f"Bank {uuid.uuid4().hex[:8]}", "--json")
    with Integrator(play.Account.from_dict(json.loads(account))) as bank:
        bank.printed = tmp_path_factory.mktemp("bank") / "bank.json"
        bank.printed.write_text(account)
        bank.sign_in()
        bank.user_id = bank.post("/reuseid/core/users", play.CUSTOMER)["userId"]
        yield bank


@pytest.fixture
def phone(bank, tmp_path):
    """`phone("status")`: one command of one phone, at a terminal of its own."""

    def command(*arguments):
        return Terminal("--store", str(tmp_path / "phone"), *arguments)

    return command


def activation(bank):
    return bank.post(f"{CORE}registrations", {"userId": bank.user_id})


def register(phone, bank, code, name="Ada's terminal"):
    with phone("register", code, "--config", str(bank.printed)) as terminal:
        terminal.see(r"Name of this phone \[.+\]: ")
        terminal.type(name)
        for prompt in (r"New PIN \(\d+ to \d+ \w+\): ", "New PIN again: "):
            terminal.see(prompt)
            terminal.type(PIN)
        device_id = terminal.see(r"Registered: (\S+)")[1]
        assert terminal.end() == 0
        assert PIN not in terminal.screen
    return device_id


def ask(bank, device_id, kind="authentications", **properties):
    properties = {"authLevel": "TWO_FACTOR", "authMethods": ["DEVICE_PIN"], **properties}
    if "transaction" not in properties:
        properties.setdefault("preOperationContext", text("Log in", "Log in?"))
    body = {"userId": bank.user_id, "deviceId": device_id, "allowParallel": True, "operationProperties": properties}
    return bank.post(f"{CORE}{kind}", body)


def text(title, content):
    return {"title": title, "mimeType": "text/plain", "content": content}


def outcome(bank, started):
    status = bank.result(f"{started['type']}s", started["operationId"])
    return status["state"], status.get("failureReason")


def run(phone, *arguments, typed=()):
    """One command whose prompts are known: `typed` is (prompt, answer) in order; (exit code, screen)."""
    with phone(*arguments) as terminal:
        for prompt, answer in typed:
            terminal.see(prompt)
            terminal.type(answer)
        return terminal.end(), terminal.screen


def test_a_phone_lives_at_a_terminal_from_its_link_to_its_end(phone, bank):
    started = activation(bank)
    device_id = register(phone, bank, started["activationUri"])
    assert bank.result("registrations", started["operationId"])["state"] == "COMPLETED"
    code, screen = run(phone, "register", "--config", str(bank.printed))
    assert (code, "already-registered" in screen) == (1, True)

    payment = ask(bank, device_id, transaction=play.PAYMENT, binding="NUMBER")
    consent = ask(bank, device_id, "signatures", preOperationContext=text("Consent", "I agree."))
    code, screen = run(phone, "pending")
    assert code == 0
    assert all(started["operationId"] in screen for started in (payment, consent))
    code, screen = run(phone, "show", payment["operationId"])
    assert code == 0
    for line in ("Payment", "249.00 EUR", play.PAYMENT["creditorName"], play.PAYMENT["reference"]):
        assert line in screen

    number = ("Number on the other screen: ", payment["matchingNumber"])
    yes = (r"Approve\? \[y/N\] ", "y")
    wrong, right = ("PIN: ", WRONG_PIN), (r"Not accepted\. 4 tries left\.\s+PIN: ", PIN)
    code, screen = run(phone, "approve", payment["operationId"][:13], typed=[number, yes, wrong, right])
    assert (code, screen.splitlines()[-1]) == (0, "COMPLETED")
    assert PIN not in screen
    assert WRONG_PIN not in screen
    assert outcome(bank, payment) == ("COMPLETED", None)

    code, screen = run(phone, "reject", "--not-me")
    assert (code, screen.splitlines()[-1]) == (0, "REJECTED")
    assert outcome(bank, consent) == ("REJECTED", "NOT_ME")
    code, screen = run(phone, "approve", consent["operationId"])
    assert (code, "over: REJECTED" in screen) == (1, True)

    new = [(r"New PIN \(.+\): ", NEW_PIN), ("again: ", NEW_PIN)]
    code, screen = run(phone, "change-pin", typed=[("Present PIN: ", WRONG_PIN), *new])
    assert (code, "4 tries left" in screen) == (1, True)
    assert run(phone, "change-pin", typed=[("Present PIN: ", PIN), *new])[0] == 0
    log_in = ask(bank, device_id, preOperationContext=text("Log in", "Log in?"))
    typed = [yes, ("PIN: ", PIN), (r"tries left\.\s+PIN: ", NEW_PIN)]
    assert run(phone, "approve", typed=typed)[0] == 0
    assert outcome(bank, log_in) == ("COMPLETED", None)

    assert run(phone, "rename", "Ada's old terminal")[0] == 0
    code, screen = run(phone, "status")
    assert code == 0
    for shown in ("Ada's old terminal", device_id, "ACTIVE", bank.account.server):
        assert shown in screen
    assert run(phone, "deactivate", typed=[(r"for good\? \[y/N\] ", "y")])[0] == 0
    assert bank.get(f"{CORE}devices/{device_id}")["state"] == "DEACTIVATED"
    code, screen = run(phone, "status")
    assert (code, "not-registered" in screen) == (1, True)


def test_five_wrong_pins_lock_a_phone_registered_by_code_and_it_says_until_when(phone, bank):
    device_id = register(phone, bank, activation(bank)["activationCode"].replace("-", "").lower())
    started = ask(bank, device_id)
    wrong = ("PIN: ", WRONG_PIN)
    code, screen = run(phone, "approve", "--yes", typed=[wrong] * 3)
    assert (code, "2 tries left. (authentication-failed)" in screen) == (1, True)
    code, screen = run(phone, "approve", "--yes", typed=[wrong] * 2)
    assert (code, "1 try left." in screen, "LOCKED until" in screen) == (1, True, True)
    code, screen = run(phone, "approve", started["operationId"], "--yes")
    assert (code, "LOCKED until" in screen) == (1, True)
    assert bank.get(f"{CORE}authentications/{started['operationId']}")["state"] == "IN_PROGRESS"


def test_a_link_of_another_bank_and_a_code_that_is_not_one_register_nothing(phone, bank, stranger):
    user_id = stranger.post("/reuseid/core/users", {"externalRef": "c-1"})["userId"]
    other = stranger.post(f"{CORE}registrations", {"userId": user_id})["activationUri"]
    chosen = [(r"New PIN \(.+\): ", PIN), ("again: ", PIN)]
    for wrong, typed, said in ((other, (), "for another app"), ("0000-0000-0000", chosen, "registration-invalid")):
        code, screen = run(phone, "--config", str(bank.printed), "register", wrong, "--name", "x", typed=typed)
        assert (code, said in screen) == (1, True)
    code, screen = run(phone, "status")
    assert (code, "not-registered" in screen) == (1, True)


def test_an_interrupted_command_says_so_and_changes_nothing(phone, bank):
    code = activation(bank)["activationCode"]
    with phone("register", code, "--config", str(bank.printed), "--name", "x") as terminal:
        terminal.see("New PIN")
        terminal.interrupt()
        assert terminal.end() == 1
    # The code is as good as before.
    device_id = register(phone, bank, code)
    started = ask(bank, device_id)
    with phone("approve") as terminal:
        terminal.see(r"Approve\? \[y/N\] ")
        terminal.interrupt()
        assert terminal.end() == 1
        assert "Stopped." in terminal.screen
        assert "Traceback" not in terminal.screen
    with phone("approve", "--yes") as terminal:
        terminal.see("PIN: ")
        terminal.type("\x04")
        assert terminal.end() == 1
        assert "There is nobody to ask." in terminal.screen
    assert bank.get(f"{CORE}authentications/{started['operationId']}")["state"] == "IN_PROGRESS"
    assert "PIN tries left 5" in run(phone, "status")[1]
