"""docs/protocol-examples.md shows what really travels: each example has the shape of a message of a real phone."""

import json
import re
from pathlib import Path

import pytest

from mobileid.protocol import wire
from mobileid.sdk import errors
from mobileid.sdk.channel import Channel
from tests.phone_factories import PIN, Line, ask, ask_to_sign, link, make_phone

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "protocol-examples.md").read_text()
VECTORS = json.loads((DOCS / "protocol-vectors.json").read_text())
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
PAYMENT = {
    "amount": "249",
    "currency": "EUR",
    "creditorName": "Nordic Bicycles",
    "creditorAccount": "NL91ABNA0417164300",
    "reference": "Order 47",
}
POST = {"title": "Done", "mimeType": "text/plain", "content": "Thank you, Ada."}
# Of other lengths on one phone than on another.
_FREE = {"data", "platform", "osVersion", "model", "sdkVersion", "appVersion", "token"}


def examples():
    """``{message: [{"body": …, "statement": …, "answer": …}, …]}``: a block of JSON is what the word before it says."""
    found = {}
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        for label, block in re.findall(
            r"^\*(\w+)\*[^\n]*\n```json\n(.*?)\n```", section, flags=re.MULTILINE | re.DOTALL
        ):
            variants = found.setdefault(section.split()[0], [])
            if label == "body":
                variants.append({})
            variants[-1][label] = json.loads(block)
    return found


def shape(value, name=""):
    """What is the same in all messages of a kind: members, types, lengths of keys and hashes."""
    if isinstance(value, dict):
        return {key: shape(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    if not isinstance(value, str) or name in _FREE:
        return type(value).__name__
    for form in (_UUID, _TIME):
        if form.fullmatch(value):
            return form.pattern
    try:
        size = len(wire.unb64u(value))
    except wire.WireError:
        return "text"
    return f"{size} bytes" if size >= 16 else "text"


@pytest.fixture
def said(monkeypatch):
    """Every message that phones of this test sent, opened: ``(name, body, statement, answer)``."""
    heard, deliver = [], Channel.deliver

    def listen(channel, message):
        inner = wire.loads_strict(wire.unpad(message.plaintext))
        payload = inner.get("proof", {}).get("payload")
        one = (
            message.path.removeprefix(wire.PREFIX),
            inner["body"],
            payload and wire.loads_strict(wire.unb64u(payload)),
        )
        try:
            answer = deliver(channel, message)
        except errors.ServiceError as error:
            heard.append((*one, {"problem": error.problem}))
            raise
        heard.append((*one, answer))
        return answer

    monkeypatch.setattr(Channel, "deliver", listen)
    return heard


def play(ada, application):
    """A phone's life, every message in it."""
    line = Line()
    phone = make_phone(ada, application, line=line, post_context=POST)
    device = phone.device
    number, shown = ask(ada, binding="NUMBER", transaction=PAYMENT, post_context=POST)
    device.pending()
    device.start_operation(str(number.pk)).approve(pin=PIN, number=shown["matchingNumber"])
    operation, _ = ask_to_sign(ada)
    device.start_operation(str(operation.pk)).reject("NOT_ME")
    _, shown = ask(ada, binding="QR")
    device.start_operation(qr=link(shown)).approve(pin=PIN)
    _, shown = ask(ada, binding="SAME_DEVICE", return_url="https://shop.example/back")
    device.start_operation(qr=link(shown)).approve(pin=PIN)
    with pytest.raises(errors.OperationUnknown):
        device.start_operation("00000000-0000-4000-8000-000000000000")
    device.change_pin(PIN, "271828")
    device.enable_biometric("271828")
    device.status()
    device.disable_biometric()
    device.rename("Ada's phone")
    device.push_token("fcm", "token")
    device.deactivate()


def test_each_example_has_the_shape_of_a_message_that_a_phone_sends(ada, application, cheap_pins, said):
    play(ada, application)
    live = {}
    for name, body, statement, answer in said:
        said_once = {"body": body, "answer": answer} | ({} if _is_plain(statement) else {"statement": statement})
        live.setdefault(name, []).append(shape(said_once))
    told = examples()
    assert told.keys() == live.keys()
    for name, variants in told.items():
        for variant in variants:
            assert shape(variant) in live[name], name


def _is_plain(statement):
    return statement is None or statement["typ"] == "message"


def test_the_sealed_exchange_is_the_one_of_the_vectors():
    vector = VECTORS["envelopes"][0]
    shown = [json.loads(block) for block in re.findall(r"^```json\n(.*?)\n```", PAGE, flags=re.MULTILINE | re.DOTALL)]
    for part in ("plaintext", "answerPlaintext"):
        assert wire.loads_strict(wire.unpad(wire.unb64u(vector[part]))) in shown
    assert vector["request"] in shown
    assert vector["answer"] in shown
    for value in ("publicKey", "privateKey", "info", "answerKey", "answerNonce", "answerAad"):
        assert vector[value] in PAGE.split()
