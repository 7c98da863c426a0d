import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobileid.protocol import content
from mobileid.protocol.currencies import MINOR_UNITS, PUBLISHED

PAYMENT = {
    "amount": "1234.5",
    "currency": "EUR",
    "creditorName": "Jane Doe",
    "creditorAccount": "nl91abna 0417164300",
    "reference": "Invoice 7",
}

BAD = {
    "bidi override": "\u202e",
    "bidi isolate": "\u2066",
    "arabic letter mark": "\u061c",
    "left-to-right mark": "\u200e",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "tag letter": "\U000e0041",
    "null": "\0",
    "escape": "\x1b",
    "delete": "\x7f",
    "carriage return": "\r",
    "c1 control": "\x9b",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "lone surrogate": "\ud800",
    "hangul filler": "\u3164",
    "braille blank": "\u2800",
    "combining grapheme joiner": "\u034f",
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("multiline", [False, True])
def test_a_text_that_looks_other_than_it_reads_is_refused(name, multiline):
    with pytest.raises(content.ContentInvalid) as caught:
        content.check_text(f"Pay 5{BAD[name]}0 EUR", "title", multiline=multiline)
    assert caught.value.field == "title"
    assert BAD[name] not in str(caught.value), "the text itself is not quoted"


def test_text_of_any_language_is_shown():
    for text in ("Zahlung über 5 €", "دفع ٥ يورو", "支払い", "Ελλάδα", "नमस्ते", "👍🏽", ""):
        content.check_text(text, "title")


def test_lines_and_tabs_are_for_the_body_only():
    content.check_text("a\n\tb", "content", multiline=True)
    for text in ("a\nb", "a\tb"):
        with pytest.raises(content.ContentInvalid):
            content.check_text(text, "title")


@given(st.text(max_size=30), st.booleans())
def test_any_text_is_shown_or_refused_by_name(text, multiline):
    try:
        content.check_text(text, "title", multiline=multiline)
    except content.ContentInvalid:
        return
    assert not set(text) & set(BAD.values())


@pytest.mark.parametrize(
    ("mime_type", "data"),
    [
        ("text/plain", b"hello\nthere"),
        ("text/markdown", "# Überschrift\n\n- &amp; &euro;".encode()),
        ("application/json", b'{"a": ["b", 1, "c\\n"]}'),
        ("application/pdf", b"%PDF-1.7\n\x00\xff"),
    ],
)
def test_each_type_of_content_is_accepted(mime_type, data):
    content.check_content("Title", mime_type, data)


@pytest.mark.parametrize(
    ("mime_type", "data", "field"),
    [
        ("text/html", b"<p>", "mimeType"),
        ("text/plain; charset=utf-8", b"x", "mimeType"),
        ("text/plain", b"\xff", "content"),
        ("text/plain", "5\u202e0".encode(), "content"),
        ("text/markdown", b"5&#x202e;0", "content"),
        ("text/markdown", b"5&zwnj;0", "content"),
        ("text/markdown", b"5&#8238;0", "content"),
        ("application/json", b'{"a":"5\\u202e0"}', "content"),
        ("application/json", b'[{"\\u200b":1}]', "content"),
        ("application/json", b'{"a":1,"a":2}', "content"),
        ("application/json", b"nope", "content"),
        ("application/pdf", b"PDF", "content"),
    ],
)
def test_content_that_may_not_be_shown_names_its_field(mime_type, data, field):
    with pytest.raises(content.ContentInvalid) as caught:
        content.check_content("", mime_type, data)
    assert caught.value.field == field


def test_a_title_has_a_limit():
    content.check_content("x" * content.TITLE_LIMIT, "text/plain", b"")
    with pytest.raises(content.ContentInvalid):
        content.check_content("x" * (content.TITLE_LIMIT + 1), "text/plain", b"")


def test_a_payment_is_rendered_to_these_very_bytes():
    assert content.render_transaction(PAYMENT) == (
        "Payment",
        "text/plain",
        b"Amount: 1234.50 EUR\nTo: Jane Doe\nAccount: NL91 ABNA 0417 1643 00\nReference: Invoice 7\n",
    )
    without = {name: value for name, value in PAYMENT.items() if name != "reference"}
    assert content.render_transaction(without)[2].endswith(b"1643 00\n")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("5", "EUR", "5.00 EUR"),
        ("0.05", "EUR", "0.05 EUR"),
        ("5", "JPY", "5 JPY"),
        ("5.1", "KWD", "5.100 KWD"),
        ("5.1234", "CLF", "5.1234 CLF"),
        ("5", "UYW", "5.0000 UYW"),
        ("5", "XCG", "5.00 XCG"),
        ("999999999999999.99", "USD", "999999999999999.99 USD"),
    ],
)
def test_an_amount_has_its_currencys_decimals(amount, currency, shown):
    data = content.render_transaction(PAYMENT | {"amount": amount, "currency": currency})[2].decode()
    assert data.splitlines()[0] == f"Amount: {shown}"


def test_the_list_of_currencies_is_the_one_that_the_protocol_names():
    text = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert f"list one, as published {PUBLISHED.isoformat()}," in text
    assert len(MINOR_UNITS) > 150
    assert set(MINOR_UNITS.values()) == {0, 2, 3, 4}


# As printed, from the registry's examples: one for each that is longer than 34 characters with its spaces, and more.
PRINTED = """
    KW81 CBKU 0000 0000 0000 1234 5601 01
    MT84 MALT 0110 0001 2345 MTLC AST0 01S
    LC55 HEMM 0001 0001 0012 0012 0002 3015
    SC18 SSCB 1101 0000 0000 0000 1497 USD
    BR18 0036 0305 0000 1000 9795 493C 1
    JO94 CBJO 0010 0000 0000 0131 0003 02
    MU17 BOMM 0101 1010 3030 0200 000M UR
    QA58 DOHB 0000 1234 5678 90AB CDEF G
    EG38 0019 0005 0000 0000 2631 8000 2
    UA21 3223 1300 0002 6007 2335 6600 1
    RU03 0445 2522 5408 1781 0538 0913 1041 9
    NO93 8601 1117 947
    SN08 SN01 0015 2000 0485 0000 3035
""".strip()


@pytest.mark.parametrize("printed", [line.strip() for line in PRINTED.splitlines()])
def test_an_iban_is_judged_without_the_spaces_that_it_is_printed_with(printed):
    for given_as in (printed, printed.replace(" ", ""), printed.lower()):
        data = content.render_transaction(PAYMENT | {"creditorAccount": given_as})[2].decode()
        assert data.splitlines()[2] == f"Account: {printed}"


def with_check_digits(country, account):
    digits = 98 - int("".join(str(int(c, 36)) for c in f"{account}{country}00")) % 97
    return f"{country}{digits:02}{account}"


@pytest.mark.parametrize(
    "account",
    [
        with_check_digits("DE", "37040044053201300"),
        with_check_digits("DE", "3704004405320130000"),
        with_check_digits("DE", "37040044053201300A"),
        with_check_digits("NL", "00000417164300"),
        with_check_digits("SN", "SN01001520000485000030350"),
        with_check_digits("ZZ", "37040044053201300"),
        with_check_digits("US", "370400440532013000"),
    ],
)
def test_an_iban_has_the_structure_of_its_country(account):
    with pytest.raises(content.ContentInvalid) as caught:
        content.render_transaction(PAYMENT | {"creditorAccount": account})
    assert caught.value.field == "creditorAccount"


def test_check_digits_have_one_way_to_be_written():
    for account in (f"{number:018}" for number in range(2000)):
        for digits in ("00", "01", "99"):
            with pytest.raises(content.ContentInvalid):
                content.render_transaction(PAYMENT | {"creditorAccount": f"DE{digits}{account}"})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *(
            ({"amount": bad}, "amount")
            for bad in (
                "",
                "0",
                "0.00",
                "-5",
                "+5",
                "05",
                "5.",
                ".5",
                "5,00",
                "1e3",
                "5.001",
                "٥",
                "5\n",
                "1 000",
                5,
                5.0,
                None,
            )
        ),
        ({"amount": "5.5", "currency": "JPY"}, "amount"),
        ({"amount": "5.12345", "currency": "CLF"}, "amount"),
        *(({"currency": bad}, "currency") for bad in ("eur", "EURO", "XXX", "XAU", "XDR", "XTS", "BGN", "", None)),
        *(
            ({"creditorName": bad}, "creditorName")
            for bad in ("", " Jane", "Jane\nTo: Bob", "J\u202ejane", "x" * 71, None)
        ),
        *(
            ({"creditorAccount": bad}, "creditorAccount")
            for bad in (
                "",
                "NL91ABNA0417164301",
                "NL91",
                "a_b",
                "1\n2",
                " 1",
                "1 ",
                "x" * 35,
                "1" + " " * 33 + "2",
                None,
            )
        ),
        *(({"reference": bad}, "reference") for bad in ("", "a\nAmount: 1.00 EUR", "x" * 141, None)),
        ({"extra": "x"}, "extra"),
    ],
)
def test_a_bad_field_is_named(change, field):
    with pytest.raises(content.ContentInvalid) as caught:
        content.render_transaction(PAYMENT | change)
    assert caught.value.field == field


def test_a_missing_field_is_named():
    for field in PAYMENT.keys() - {"reference"}:
        with pytest.raises(content.ContentInvalid) as caught:
            content.render_transaction({name: PAYMENT[name] for name in PAYMENT if name != field})
        assert caught.value.field == field


def test_an_account_that_is_no_iban_is_shown_as_it_was_given():
    data = content.render_transaction(PAYMENT | {"creditorAccount": "021000021 / 12-345"})[2]
    assert b"\nAccount: 021000021 / 12-345\n" in data


@given(st.fixed_dictionaries({name: st.text(max_size=20) for name in PAYMENT}))
def test_any_text_in_a_payment_makes_five_lines_or_fewer_or_is_refused_by_name(fields):
    try:
        data = content.render_transaction(
            PAYMENT | {"creditorName": fields["creditorName"], "reference": fields["reference"]}
        )[2]
    except content.ContentInvalid as error:
        field = error.field
        data = b""
    else:
        field = None
    assert field in {None, "creditorName", "reference"}
    if field:
        return
    names = [line.partition(": ")[0] for line in data.decode().splitlines()]
    assert names == ["Amount", "To", "Account", "Reference"]


@given(st.dictionaries(st.sampled_from([*PAYMENT, "x"]), st.none() | st.integers() | st.text(max_size=20)))
def test_any_transaction_is_rendered_or_refused_by_name(transaction):
    field = None
    try:
        content.render_transaction(transaction)
    except content.ContentInvalid as error:
        field = error.field
    assert field in {None, "x", *PAYMENT}


def test_currencies_are_codes_of_three_letters():
    assert len(MINOR_UNITS) > 150
    assert all(re.fullmatch("[A-Z]{3}", code) for code in MINOR_UNITS)
    assert [MINOR_UNITS[code] for code in ("EUR", "JPY", "BHD")] == [2, 0, 3]
