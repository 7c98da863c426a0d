import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobileid.protocol import channel_keys, envelope, wire

from . import sealing

APP = "00000000-0000-0000-0000-000000000001"
PATH = "/mobileid/device/v1/status"
MID, RK = bytes(range(16)), bytes(range(64, 96))
PAIRS = {suite: channel_keys.generate(suite) for suite in wire.SUITES}
INNER = {"mid": wire.b64u(MID), "iat": 5, "rk": wire.b64u(RK), "body": {"a": "ä"}}


def plain(**changes):
    inner = {name: value for name, value in (INNER | changes).items() if value is not ...}
    return wire.pad(wire.dumps(inner))


def sealed(suite=2, plaintext=None, *, kid="k1", app=APP, path=PATH, named=None, **options):
    """An envelope by the independent phone; `named` is the suite that `info` claims."""
    info = wire.request_info(named or suite, kid, app, path)
    plaintext = plain() if plaintext is None else plaintext
    enc, ct = sealing.seal(suite, PAIRS[suite][1], info, plaintext, **options)
    return {"v": 1, "app": app, "kid": kid, "enc": wire.b64u(enc), "ct": wire.b64u(ct)}


def opened(outer, suite=2, path=PATH):
    raw = outer if isinstance(outer, bytes) else wire.dumps(outer)
    private = channel_keys.load_private(suite, PAIRS[suite][0])
    return envelope.open_request(envelope.parse(raw), private, suite, path)


@pytest.mark.parametrize("suite", [1, 2])
def test_an_envelope_by_the_rfc_opens_and_its_answer_opens_by_the_formulas(suite):
    outer = sealed(suite)
    request = opened(outer, suite)
    assert (request.application_id, request.kid, request.mid, request.iat) == (APP, "k1", MID, 5)
    assert (request.body, request.proof) == ({"a": "ä"}, None)
    answer = envelope.seal_answer(request, {"status": 200, "body": {"b": 1}})
    pieces = {name: wire.unb64u(answer[name]) for name in ("n", "ct")}
    padded = sealing.open_answer(
        pieces, rk=RK, enc=wire.unb64u(outer["enc"]), mid=MID, info=wire.request_info(suite, "k1", APP, PATH)
    )
    assert len(padded) % 256 == 0
    assert wire.loads_strict(padded) == {"status": 200, "body": {"b": 1}}


def test_an_answer_sealed_again_has_other_keys_and_the_same_plaintext():
    request = opened(sealed())
    first, second = (envelope.seal_answer(request, b'{"status":200,"body":{}}') for _ in range(2))
    assert first["n"] != second["n"]
    assert first["ct"] != second["ct"]


def test_the_digest_tells_a_repeated_message_from_another_one():
    again = opened(sealed()).plaintext_digest == opened(sealed()).plaintext_digest
    other = opened(sealed()).plaintext_digest == opened(sealed(plaintext=plain(iat=6))).plaintext_digest
    assert (again, other) == (True, False)


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize(
    "point",
    [
        bytes(32),
        bytes([1]) + bytes(31),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ],
)
def test_a_share_of_small_order_is_refused_though_the_rest_fits(suite, point):
    outer = sealed(suite, share=sealing.SMALL_ORDER, point=point)
    with pytest.raises(envelope.EnvelopeInvalid):
        opened(outer, suite)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/mobileid/device/v1/rename"},
        {"named": 1},
        {"kid": "k2"},
        {"app": "00000000-0000-0000-0000-000000000002"},
    ],
)
def test_an_envelope_moved_to_another_path_suite_key_or_application_does_not_open(options):
    moved = sealed(**options) | {"kid": "k1", "app": APP}
    with pytest.raises(envelope.EnvelopeInvalid):
        opened(moved)


@pytest.mark.parametrize(
    "changes",
    [
        {"mid": wire.b64u(bytes(15))},
        {"mid": wire.b64u(bytes(17))},
        {"mid": 5},
        {"mid": ...},
        {"rk": wire.b64u(bytes(31))},
        {"rk": None},
        {"iat": "5"},
        {"iat": True},
        {"iat": 5.0},
        {"iat": -1},
        {"iat": 2**60},
        {"body": []},
        {"body": ...},
        {"proof": []},
        {"proof": None},
        {"other": 1},
    ],
)
def test_a_plaintext_of_another_form_is_refused(changes):
    with pytest.raises(envelope.EnvelopeInvalid):
        opened(sealed(plaintext=plain(**changes)))


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        wire.dumps(INNER),
        plain() + b" ",
        wire.pad(b"[]"),
        wire.pad(b'"' + b"\xff" + b'"'),
        wire.pad(wire.dumps(INNER)[:-1] + b',"iat":6}'),
        wire.pad(wire.dumps(INNER).replace(b'"iat":5', b'"iat":NaN')),
        wire.pad(b"\xef\xbb\xbf" + wire.dumps(INNER)),
    ],
)
def test_a_plaintext_that_is_not_padded_strict_json_is_refused(plaintext):
    with pytest.raises(envelope.EnvelopeInvalid):
        opened(sealed(plaintext=plaintext))


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"v": 1.0},
        {"app": APP.upper() + "A"},
        {"app": 1},
        {"kid": ""},
        {"kid": "k 1"},
        {"kid": "k" * 65},
        {"kid": []},
        {"enc": ""},
        {"enc": None},
        {"ct": ""},
        {"ct": wire.b64u(bytes(15))},
        {"ct": wire.b64u(bytes(300))},
        {"extra": 1},
    ],
)
def test_an_outer_form_that_is_not_exact_is_refused(changes):
    with pytest.raises(envelope.EnvelopeInvalid):
        opened(sealed() | changes)


def test_wrong_lengths_of_the_encapsulated_key_are_refused():
    outer = sealed()
    enc, ct = wire.unb64u(outer["enc"]), wire.unb64u(outer["ct"])
    for shorter in (enc[:-1], enc + ct[:1], enc[:32], b""):
        rest = (enc + ct)[len(shorter) :]
        with pytest.raises(envelope.EnvelopeInvalid):
            opened(outer | {"enc": wire.b64u(shorter), "ct": wire.b64u(rest)})


@pytest.mark.parametrize("where", ["enc", "ct"])
@pytest.mark.parametrize("bit", [0, 7, 100, -1])
def test_any_changed_bit_closes_it(where, bit):
    outer = sealed()
    data = bytearray(wire.unb64u(outer[where]))
    data[bit] ^= 1
    with pytest.raises(envelope.EnvelopeInvalid):
        opened(outer | {where: wire.b64u(bytes(data))})


def test_every_refusal_reads_the_same():
    causes = [b"", sealed() | {"v": 2}, sealed(path="/x"), sealed(plaintext=plain(mid=1))]
    texts = set()
    for cause in causes:
        with pytest.raises(envelope.EnvelopeInvalid) as caught:
            opened(cause)
        texts.add(str(caught.value))
        assert caught.value.__suppress_context__
    assert len(texts) == 1


def test_a_request_shows_no_secret():
    shown = repr(opened(sealed()))
    assert repr(RK)[2:-1] not in shown
    assert "ä" not in shown


@given(st.binary(max_size=300))
def test_any_bytes_are_one_refusal(data):
    with pytest.raises(envelope.EnvelopeInvalid):
        opened(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({name: json_values for name in ("v", "app", "kid", "enc", "ct")}))
def test_any_outer_values_are_one_refusal(outer):
    try:
        raw = wire.dumps(outer)
    except ValueError:
        return
    with pytest.raises(envelope.EnvelopeInvalid):
        opened(raw)


@given(st.dictionaries(st.sampled_from(["mid", "iat", "rk", "body", "proof"]), json_values, min_size=1))
def test_any_inner_values_open_or_are_one_refusal(changes):
    info = wire.request_info(1, "k1", APP, PATH)
    try:
        plaintext = plain(**changes)
    except ValueError:
        return
    enc, ct = wire.SUITES[1].seal(plaintext, channel_keys.load_public(1, PAIRS[1][1]), info)
    outer = {"v": 1, "app": APP, "kid": "k1", "enc": wire.b64u(enc), "ct": wire.b64u(ct)}
    try:
        request = opened(outer, 1)
    except envelope.EnvelopeInvalid:
        return
    assert isinstance(request.body, dict)
    assert len(request.mid) == 16


@pytest.mark.parametrize("suite", [1, 2])
def test_channel_keys_survive_their_raw_bytes(suite):
    private, public = channel_keys.generate(suite)
    key = channel_keys.load_private(suite, private)
    scheme = wire.SUITES[suite]
    enc, ct = scheme.seal(b"hello", channel_keys.load_public(suite, public), b"info")
    assert scheme.hpke.decrypt(enc + ct, key, b"info") == b"hello"
    assert channel_keys.generate(suite)[0] != private
    for load, data in ((channel_keys.load_private, private), (channel_keys.load_public, public)):
        for wrong in (data[:-1], data + b"\0", b""):
            with pytest.raises(ValueError, match="length"):
                load(suite, wrong)


def test_a_malformed_mlkem_key_is_a_value_error():
    public = b"\xff" * 1184 + os.urandom(32)
    with pytest.raises(ValueError, match="ML-KEM"):
        channel_keys.load_public(2, public)
