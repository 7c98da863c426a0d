"""What a phone keeps lets nobody find the PIN, and what it says of itself shows no secret."""

import hashlib
import itertools
import json

import pytest

from mobileid.protocol import wire
from mobileid.sdk import errors, transport
from mobileid.sdk import pin as pin_module
from mobileid.sdk.device import Device
from mobileid.sdk.filestore import FileStore
from mobileid.sdk.keystore import MemoryStore
from mobileid.sdk.pin import STRETCHES

from .conftest import PIN
from .service import NOW, Service


class Watched(MemoryStore):
    """Keeps every state it was ever in, as text, and every byte that it was asked to HMAC or sign."""

    def __init__(self):
        super().__init__(gate=lambda: True)
        self.states = []

    def _changed(self):
        self.states.append(json.dumps([self._keys, self._records]))


def use(store, service, line, pin, new_pin):
    """Register, approve three times, change the PIN, enable biometry."""
    offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
    device = offer.finish(pin=pin, name="Ann's phone").device
    for _ in range(3):
        device.start_operation(service.add()).approve(pin=pin)
    device.change_pin(pin, new_pin)
    device.start_operation(service.add()).approve(pin=new_pin)
    device.enable_biometric(new_pin)
    return device


def candidates_of(store, device, pin, versions):
    """Everything that could be computed from a candidate PIN, the device secret and the store."""
    for version, salt in versions:
        for stretch in STRETCHES:
            stretched = pin_module.stretch(stretch, pin, salt)
            key = pin_module.knowledge_key(
                pin,
                hmac=store.hmac,
                application_id=device.application_id,
                registration_id=device._state.registration_id,
                version=version,
                salt=salt,
                stretch_name=stretch,
            )
            yield from (stretched, key.private_bytes_raw(), key.public_key().public_bytes_raw())


def test_nothing_made_from_the_pin_is_ever_in_the_store(service, line):
    store = Watched()
    device = use(store, service, line, PIN, "9713")
    everything = "\n".join(store.states)
    old = json.loads(store.states[-1])[1]["device"]["knowledge"]
    first = next(
        state["device"]["knowledge"] for state in (json.loads(text)[1] for text in store.states) if "device" in state
    )
    versions = [(one["version"], wire.unb64u(one["salt"])) for one in (first, old)]
    assert [version for version, _ in versions] == [1, 2]
    for pin in (PIN, "9713"):
        assert f'"{pin}"' not in everything
        for secret in candidates_of(store, device, pin, versions):
            for known in (secret, hashlib.sha256(secret).digest()):
                assert known.hex() not in everything
                assert wire.b64u(known) not in everything


class Dice:
    """The same randomness for two runs: keys and bytes come from a counter."""

    def __init__(self, monkeypatch, *modules):
        count = itertools.count()
        monkeypatch.setattr("os.urandom", lambda size: hashlib.shake_256(b"%d" % next(count)).digest(size))


class Twin(MemoryStore):
    """Its keys are drawn from `os.urandom` too, so that two runs of one dice are the same phone."""

    def _create(self, name):
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

        number = hashlib.sha256(name.encode()).digest()
        self._keys[name] = wire.b64u(number)
        point = derive_private_key(int.from_bytes(number, "big"), SECP256R1()).public_key().public_numbers()
        x, y = (wire.b64u(one.to_bytes(32, "big")) for one in (point.x, point.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def test_phones_with_different_pins_keep_the_very_same_bytes(clock, monkeypatch, service):
    """So no candidate can be eliminated, by any computation: the store is no function of the PIN at all."""
    kept = []
    document = service.document()
    for pin, new in (("2580", "9713"), ("0001", "4444"), ("8642", "1212")):
        with monkeypatch.context() as patched:
            Dice(patched)
            identifiers = itertools.count(1)
            patched.setattr("uuid.uuid4", lambda ids=identifiers: f"00000000-0000-0000-0000-{next(ids):012d}")
            twin = Service()
            twin.__dict__.update(anchor=service.anchor, signing_anchor=service.anchor, keys=service.keys)
            twin.document = lambda: document
            store = Twin(gate=lambda: True)
            line = {"transport": twin, "clock": clock, "sleep": clock.slept.append}
            use(store, twin, line, pin, new)
            kept.append(json.dumps([store._keys, store._records]))
    assert kept[0] == kept[1] == kept[2]
    assert "secret" in kept[0]


def test_a_signature_or_public_key_would_test_a_pin_which_is_why_neither_is_kept(service, store, line, device):
    """The control: with the service's (encrypted) knowledge key one candidate remains."""
    version = device._state.knowledge
    known = service.phones[device.device_id].knowledge[1].public_bytes_raw()
    derive = [
        candidate
        for candidate in ("0000", "1111", PIN, "9999")
        if device._factors.derive(candidate, version).public_key().public_bytes_raw() == known
    ]
    assert derive == [PIN]


def test_no_representation_shows_a_secret(service, store, line):
    offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
    device = offer.finish(pin=PIN, name="Ann's phone").device
    message = device.channel.compose("status", {"pin": PIN})
    shown = repr([device, store, offer, message, device.channel, device.start_operation(service.add())])
    assert PIN not in shown
    assert wire.b64u(message.rk) not in shown
    assert repr(message.rk) not in shown
    assert "ABCD" not in shown


def test_a_pin_is_the_same_in_either_unicode_form():
    salt = bytes(16)
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert pin_module.stretch(pin_module.ARGON2ID, composed, salt) == pin_module.stretch(
        pin_module.ARGON2ID, decomposed, salt
    )


@pytest.mark.parametrize(
    "change",
    [
        {"pin": "2581"},
        {"application_id": "b"},
        {"registration_id": "b"},
        {"version": 2},
        {"salt": bytes([1]) * 16},
        {"stretch_name": pin_module.PBKDF2},
        {"hmac": lambda data: hashlib.sha256(b"other" + data).digest()},
    ],
)
def test_each_part_of_the_derivation_changes_the_key(change):
    parts = {
        "pin": PIN,
        "hmac": lambda data: hashlib.sha256(data).digest(),
        "application_id": "a",
        "registration_id": "a",
        "version": 1,
        "salt": bytes(16),
    }
    keys = [pin_module.knowledge_key(**one).private_bytes_raw() for one in (parts, parts, parts | change)]
    assert keys[0] == keys[1] != keys[2]


def test_an_encrypted_file_store_hides_even_the_names(service, line, tmp_path):
    store = FileStore(tmp_path / "phone", "correct horse")
    offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
    device = offer.finish(pin=PIN, name="Ann's phone").device
    [file] = (tmp_path / "phone").iterdir()
    text = file.read_text()
    assert device.device_id not in text
    assert "possession" not in text
    store.close()
    again = Device.load(FileStore(tmp_path / "phone", "correct horse"), **line)
    assert again.start_operation(service.add()).approve(pin=PIN).state == "COMPLETED"
    assert service.now == NOW


def test_a_registration_under_way_keeps_a_commitment_and_neither_the_pins_key_nor_what_opens_it(service, line):
    store = Watched()
    offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
    service.lose_answers = transport.TRIES
    with pytest.raises(errors.ConnectionFailed):
        offer.finish(pin=PIN, name="Ann's phone")
    kept = store.read("registration")
    [statement] = [wire.loads_strict(wire.unb64u(one)) for one in kept["statements"]]
    [phone] = service.phones.values()
    public = wire.b64u(phone.knowledge[1].public_bytes_raw())
    assert "knowledge" not in kept["body"]
    assert statement["knowledge"] not in (None, public)
    assert public not in "\n".join([*store.states, str(statement)])
    offer.finish(pin=PIN)
    assert store.read("registration") == {}
