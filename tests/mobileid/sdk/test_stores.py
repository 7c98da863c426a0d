import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from mobileid.protocol.proofs import public_key_from_jwk
from mobileid.sdk.errors import BiometryRefused, NotRegistered, StoreBusy, StoreError
from mobileid.sdk.filestore import FileStore
from mobileid.sdk.keystore import MemoryStore

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["memory", "file", "encrypted"])
def reopen(request, tmp_path):
    """Opens the store under test, again and again the same one; the one opened before is closed."""
    kept = MemoryStore(gate=lambda: True)
    opened = []

    def reopen():
        if request.param == "memory":
            return kept
        for store in opened:
            store.close()
        word = "word" if request.param == "encrypted" else None
        opened.append(FileStore(tmp_path / "phone", word, gate=lambda: True))
        return opened[-1]

    return reopen


def verify(jwk, signature, data):
    assert len(signature) == 64
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public_key_from_jwk(jwk).verify(encode_dss_signature(r, s), data, ECDSA(SHA256()))


def test_keys_and_records_are_there_when_it_is_opened_again(reopen):
    store = reopen()
    possession, inherence = store.create_keys(), store.create_inherence()
    tag = store.hmac(b"x")
    store.write("record", {"a": ["b", 1, None]})
    again = reopen()
    verify(possession, again.sign_possession(b"data"), b"data")
    verify(inherence, again.sign_inherence(b"data"), b"data")
    assert again.hmac(b"x") == tag
    assert again.read("record") == {"a": ["b", 1, None]}
    assert again.read("other") is None


def test_new_keys_replace_all_old_ones(reopen):
    store = reopen()
    first, _ = store.create_keys(), store.create_inherence()
    tag = store.hmac(b"x")
    assert store.create_keys() != first
    assert store.hmac(b"x") != tag
    with pytest.raises(BiometryRefused):
        store.sign_inherence(b"x")


@pytest.mark.parametrize("taken", [False, True])
def test_a_second_biometric_key_is_beside_the_first_until_one_is_taken(reopen, taken):
    store = reopen()
    store.create_keys()
    first, second = store.create_inherence(), store.create_inherence(beside=True)
    store = reopen()
    verify(first, store.sign_inherence(b"data"), b"data")
    verify(second, store.sign_inherence(b"data", beside=True), b"data")
    store.settle_inherence(taken=taken)
    store = reopen()
    verify(second if taken else first, store.sign_inherence(b"data"), b"data")
    with pytest.raises(BiometryRefused):
        store.sign_inherence(b"data", beside=True)
    store.settle_inherence(taken=True)
    verify(second if taken else first, store.sign_inherence(b"data"), b"data")


@pytest.mark.parametrize("end", ["delete_inherence", "create_keys", "create_inherence"])
def test_the_key_beside_goes_with_the_one_in_use(reopen, end):
    store = reopen()
    store.create_keys()
    store.create_inherence()
    store.create_inherence(beside=True)
    getattr(store, end)()
    with pytest.raises(BiometryRefused):
        reopen().sign_inherence(b"data", beside=True)


def test_an_erased_store_signs_nothing(reopen):
    store = reopen()
    store.create_keys()
    store.write("record", {})
    store.erase()
    for get in (lambda: store, reopen):
        opened = get()
        assert opened.read("record") is None
        for use in (opened.sign_possession, opened.hmac):
            with pytest.raises(NotRegistered):
                use(b"x")


def test_what_is_read_is_a_copy(reopen):
    store = reopen()
    store.write("record", {"list": []})
    store.read("record")["list"].append(1)
    assert store.read("record") == {"list": []}


def test_biometry_is_asked_for_each_time_and_refuses_by_default():
    asked = []
    store = MemoryStore(gate=lambda: asked.append(1) or len(asked) < 2)
    store.create_inherence()
    store.sign_inherence(b"x")
    with pytest.raises(BiometryRefused):
        store.sign_inherence(b"x")
    without = MemoryStore()
    without.create_inherence()
    with pytest.raises(BiometryRefused):
        without.sign_inherence(b"x")


def test_only_the_owner_can_read_the_file(tmp_path):
    old = os.umask(0)
    try:
        FileStore(tmp_path / "phone").create_keys()
    finally:
        os.umask(old)
    directory = tmp_path / "phone"
    [file] = directory.iterdir()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    store.create_keys()
    store.write("record", {"a": 1})

    def fail(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(StoreError, match="No space left"):
        store.write("record", {"a": 2})
    store.close()
    assert FileStore(tmp_path).read("record") == {"a": 1}
    assert len(list(tmp_path.iterdir())) == 1, "nothing half-written stays behind"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"v":1}', '{"v":2,"keys":{},"records":{}}', '{"sealed":"AA"}'])
def test_an_unreadable_file_is_an_error_and_is_not_overwritten(tmp_path, text):
    file = tmp_path / "mobileid.json"
    file.write_text(text)
    with pytest.raises(StoreError):
        FileStore(tmp_path, "word" if "sealed" in text else None)
    assert file.read_text() == text


def test_a_wrong_passphrase_or_none_opens_nothing(tmp_path):
    FileStore(tmp_path, "right").create_keys()
    for passphrase in ("wrong", None):
        with pytest.raises(StoreError):
            FileStore(tmp_path, passphrase)


HOLD = """
import sys
from mobileid.sdk.filestore import FileStore
store = FileStore(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
store.write("other", {"b": 2})
"""


@pytest.fixture
def other_process(tmp_path):
    """Another program that has the store open until its input ends, and then writes to it."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], cwd=ROOT, **pipes) as process:
        assert process.stdout.readline() == b"open\n"
        yield process
        process.kill()


def test_a_store_that_another_process_has_open_is_busy(tmp_path, other_process):
    begun = time.monotonic()
    with pytest.raises(StoreBusy) as caught:
        FileStore(tmp_path, wait=0.3)
    assert 0.3 <= time.monotonic() - begun < 2
    assert (caught.value.code, caught.value.retry) == ("store-busy", "later")


def test_a_store_waits_for_the_other_process_and_finds_what_that_wrote(tmp_path, other_process):
    threading.Timer(0.3, other_process.stdin.close).start()
    with FileStore(tmp_path, wait=30) as store:
        assert store.read("other") == {"b": 2}
        store.write("record", {"a": 1})
    assert FileStore(tmp_path).read("other") == {"b": 2}


def test_a_process_that_is_killed_leaves_no_lock_behind(tmp_path, other_process):
    other_process.kill()
    with FileStore(tmp_path, wait=30) as store:
        store.write("record", {"a": 1})


def test_a_closed_store_changes_nothing_any_more(tmp_path):
    with FileStore(tmp_path) as store:
        store.create_keys()
        store.write("record", {"a": 1})
    for change in (lambda: store.write("record", {"a": 2}), store.create_keys, store.erase):
        with pytest.raises(StoreError, match="closed"):
            change()
    with FileStore(tmp_path) as again:
        assert again.read("record") == {"a": 1}


def test_a_store_that_could_not_be_read_is_not_held(tmp_path):
    FileStore(tmp_path, "right").create_keys()
    with pytest.raises(StoreError):
        FileStore(tmp_path, "wrong")
    FileStore(tmp_path, "right", wait=0).close()


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Not a directory"):
        FileStore(tmp_path / "file" / "phone")
