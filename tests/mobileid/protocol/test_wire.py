import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobileid.protocol import wire


@given(st.binary(max_size=100))
def test_base64url_comes_back_without_padding(data):
    text = wire.b64u(data)
    assert "=" not in text
    assert wire.unb64u(text) == data


@given(st.text(max_size=12))
def test_only_the_one_way_to_write_bytes_is_read(text):
    try:
        data = wire.unb64u(text)
    except wire.WireError:
        return
    assert wire.b64u(data) == text


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "AAB", "A+", "A/", " AA", "AA\n", "ＡＡ", None, 5, b"AA"])
def test_padding_stray_bits_and_foreign_alphabets_are_refused(text):
    with pytest.raises(wire.WireError):
        wire.unb64u(text)


def test_lists_that_read_alike_when_joined_have_different_lp():
    assert wire.lp("ab", "c") != wire.lp("a", "bc") != wire.lp("abc")
    assert wire.lp("ä", b"\x01") == b"\x00\x02\xc3\xa4\x00\x01\x01"
    assert wire.lp(bytes(65535))[:2] == b"\xff\xff"
    with pytest.raises(wire.WireError):
        wire.lp(bytes(65536))


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"x":{"a":1,"\\u0061":2}}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"-1e999",
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b'["\\ude00\\ud800"]',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        b"",
        b"{",
        b"{}x",
        b"'a'",
        b"[1,]",
        b"9007199254740992",
        b"9" * 5000,
        b"[" * 18 + b"]" * 18,
        b"[" * 60000,
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'"' + b"a" * 65535 + b'"',
    ],
)
def test_json_that_parsers_read_differently_is_refused(data):
    with pytest.raises(wire.WireError):
        wire.loads_strict(data)


def test_ordinary_json_is_read():
    value = {"a": [1, -1.5, True, None, "ä😀"], "b": {}}
    assert wire.loads_strict(wire.dumps(value)) == value
    assert wire.loads_strict(b' {"a" : "\\ud83d\\ude00"} ') == {"a": "😀"}
    assert wire.loads_strict(b"9007199254740991") == 2**53 - 1


@given(
    st.binary(max_size=60)
    | st.text(alphabet='{}[]",:0123456789eE+-.\\untrfalsNI \ud800', max_size=40).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
)
def test_any_bytes_are_read_or_refused_by_one_error(data):
    try:
        value = wire.loads_strict(data)
    except wire.WireError:
        return
    assert json.loads(data) == value


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner, max_size=2)))
def test_what_is_written_can_be_read_or_is_refused_when_read(value):
    with contextlib.suppress(wire.WireError):
        assert wire.loads_strict(wire.dumps(value)) == value


def test_nothing_that_is_not_json_is_written():
    for value in (float("nan"), float("inf"), "\ud800"):
        with pytest.raises(wire.WireError):
            wire.dumps([value])


@pytest.mark.parametrize(("length", "padded"), [(0, 0), (1, 256), (255, 256), (256, 256), (257, 512)])
def test_padding_reaches_the_next_multiple(length, padded):
    assert len(wire.pad(b"x" * length)) == padded


@given(st.binary(max_size=600))
def test_unpadding_undoes_padding_but_for_trailing_spaces(data):
    if data:
        assert wire.unpad(wire.pad(data)) == data.rstrip(b" ")


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 255, b"x" * 257])
def test_other_lengths_were_not_padded(data):
    with pytest.raises(wire.WireError):
        wire.unpad(data)


def test_the_content_hash_binds_title_type_and_bytes():
    hashes = {
        wire.content_hash(*one)
        for one in (
            ("Pay", "text/plain", b"5"),
            ("Pa", "text/plain", b"5"),
            ("Pay", "text/markdown", b"5"),
            ("Pay", "text/plain", b"4"),
            ("Paytext/plain", "", b"5"),
            ("", "text/plain", b"5"),
        )
    }
    assert len(hashes) == 6


def test_a_confirmation_code_is_six_digits_with_its_zeros():
    codes = {wire.confirmation_code(b"statement", f"device {n}") for n in range(300)}
    assert len(codes) > 290
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert any(code.startswith("0") for code in codes)


def test_a_qr_frame_belongs_to_its_second_claim_and_secret():
    macs = {wire.qr_mac(secret, claim, t) for secret in (b"a", b"b") for claim in "ab" for t in (1, 2)}
    assert len(macs) == 8
    assert {len(mac) for mac in macs} == {16}


@pytest.mark.parametrize(
    "typed",
    [
        *("0123-ABCD-WXYZ", "0123abcdwxyz", "oI23 abcd-wxyz", " 0l23-ab-cd-wxyz ", "OL23ABCDWXYZ"),
        *("0123-ABCD-WXYZ\n", "\t0123\tABCD\tWXYZ\r\n", "0123\u00a0ABCD\u202fWXYZ", "0123–ABCD—WXYZ", "0123‑ABCD‐WXYZ"),
        *("0123−ABCD\uff0dWXYZ", "\u202a0123-ABCD-WXYZ\u202c", "\ufeff0123\u200bABCD\u00adWXYZ", "0123\n-\nABCD\nWXYZ"),
    ],
)
def test_an_activation_code_is_forgiven_its_typing(typed):
    assert wire.normalise_activation_code(typed) == "0123ABCDWXYZ"
    assert wire.format_activation_code(typed) == "0123-ABCD-WXYZ"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0123-ABCD-WXY",
        "0123-ABCD-WXYZ0",
        "U123-ABCD-WXYZ",
        "0123_ABCD_WXYZ",
        "0123.ABCD.WXYZ",
        "٠123-ABCD-WXYZ",
        "ſ123-ABCD-WXYZ",
        None,
        5,
    ],
)
def test_anything_else_is_no_activation_code(typed):
    with pytest.raises(ValueError, match="activation code"):
        wire.normalise_activation_code(typed)


@given(st.text(max_size=20))
def test_a_normalised_code_stays_as_it_is(text):
    try:
        code = wire.normalise_activation_code(text)
    except wire.WireError:
        return
    assert wire.normalise_activation_code(code) == code
    assert len(code) == 12
