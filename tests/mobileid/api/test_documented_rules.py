"""What the OpenAPI document says of a body is what the service does: the same bodies are right and wrong for both."""

import re

import pytest

from mobileid.api.request_serializers import ACCOUNT, AMOUNT, BASE64_PDF, RETURN_URL
from mobileid.protocol.content import ContentInvalid, check_text
from mobileid.services import bindings
from reuseid.addresses import Refused, check_url
from reuseid.api import patterns
from reuseid.api.request_serializers import TARGET
from reuseid.errors import Invalid
from reuseid.services.people import users
from tests import factories

pytestmark = pytest.mark.django_db

BMP = [chr(number) for number in range(0x10000) if not 0xD800 <= number <= 0xDFFF]
CONTEXT = {"mimeType": "text/plain", "content": "Sign in?"}
PDF = {"mimeType": "application/pdf", "contentBase64": "JVBERi0xLjcK"}
PAYMENT = {"amount": "10.00", "currency": "EUR", "creditorName": "Jane", "creditorAccount": "NL91ABNA0417164300"}
QR, LINK = {"binding": "QR"}, {"binding": "SAME_DEVICE", "returnUrl": "https://bank.example/back"}


def is_refused(judge, *arguments, **options):
    try:
        judge(*arguments, **options)
    except (ContentInvalid, Invalid, Refused):
        return True
    return False


def matches(pattern, text):
    # ECMA-262's $ is the end of the text, as Python's \\Z.
    return bool(re.search(pattern.removesuffix("$") + r"\Z", text))


@pytest.mark.parametrize(
    ("pattern", "judge", "options"),
    [
        (patterns.SHOWN, check_text, {"field": "title"}),
        (patterns.SHOWN_LINES, check_text, {"field": "content", "multiline": True}),
    ],
)
def test_a_text_that_is_refused_is_documented_to_be(pattern, judge, options):
    # Python's Unicode may be older than the pattern: then the pattern knows more.
    assert [c for c in BMP if is_refused(judge, f"a{c}b", **options) and matches(pattern, f"a{c}b")] == []
    wider = [c for c in BMP if not is_refused(judge, f"a{c}b", **options) and not matches(pattern, f"a{c}b")]
    assert set(wider) <= set("\u0890\u0891")


def test_a_reference_that_is_refused_is_documented_to_be():
    for text in ("a{}b", "{}b", "a{}"):
        for c in BMP:
            said = text.format(c)
            assert is_refused(users.check_external_ref, said) != matches(patterns.PLAIN, said), (text, ord(c))


@pytest.mark.parametrize(
    "url",
    [
        "https://bank.example/back?a=b&c",
        "https://bank.example:8443",
        "http://localhost:3000/x",
        "bank.app:",
        "bank+app:/x//y",
        "bankapp://open/it?x=[1]",
        "https://bank.example/#x",
        "https://a@bank.example/",
        "https://",
        "http://bank.example/",
        "javascript:alert(1)",
        "bankapp://a@b",
        "bankapp:a\\b",
        "bankapp:a b",
        "bankapp:ä",
        "/back",
        "",
    ],
)
def test_a_return_url_is_refused_as_documented(url):
    assert is_refused(bindings.check_return_url, url) != matches(RETURN_URL, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://bank.example",
        "https://bank.example:8443/hooks?a=[1]&b=c:d",
        "https://203.0.114.7/hooks",
        "http://127.0.0.1:9000/hooks",
        "https://bank.example/#x",
        "https://a:b@bank.example/",
        "https://bank.example/a b",
        "https://bank.example/{id}",
        "https://bänk.example/",
        "ftp://bank.example/",
        "http://bank.example/",
        "https:///hooks",
        "hooks",
    ],
)
def test_a_webhooks_url_is_refused_as_documented(settings, url):
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    assert is_refused(check_url, url) != matches(TARGET, url)


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (AMOUNT, ["1", "0.01", "1234.5000"], ["0", "0.00", "01", "1,5", "-1", "1.", "1.00000", ""]),
        (ACCOUNT, ["NL91 ABNA 0417 1643 00", "1/2.3-4", "A"], [" A", "A ", "", "Ä", "A_B"]),
        (BASE64_PDF, ["JVBERi0xLjcK", "JVBERi0xLg==", "JVBERi0xLjc="], ["", "JVBERi0", "UERG", "JVBERi0xLjcK="]),
    ],
)
def test_the_patterns_mean_what_they_say(pattern, right, wrong):
    assert [text for text in right if not matches(pattern, text)] == []
    assert [text for text in wrong if matches(pattern, text)] == []


REASONS = [
    ({"reason": "RESOLVED"}, True),
    ({"reason": "OTHER", "note": "He called."}, True),
    ({"reason": "OTHER"}, False),
    ({"reason": "OTHER", "note": "  "}, False),
    ({"reason": "SUSPECTED_FRAUD", "note": ""}, True),
    ({"reason": "BORED"}, False),
    ({}, False),
]
STARTS = [
    ({"operationProperties": QR | {"preOperationContext": CONTEXT}}, True),
    ({"operationProperties": LINK | {"preOperationContext": CONTEXT}}, True),
    ({"operationProperties": QR | {"transaction": PAYMENT}}, True),
    ({"operationProperties": QR | {"transaction": PAYMENT, "preOperationContext": CONTEXT}}, False),
    ({"operationProperties": {"preOperationContext": CONTEXT}}, False),
    ({"operationProperties": QR}, False),
    ({"operationProperties": {"binding": "SAME_DEVICE", "preOperationContext": CONTEXT}}, False),
    ({"operationProperties": QR | {"returnUrl": "https://a.example", "preOperationContext": CONTEXT}}, False),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT | {"content": "a\u200bb"}}}, False),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT | PDF}}, False),
    ({"operationProperties": QR | {"preOperationContext": PDF}}, True),
    ({"operationProperties": QR | {"preOperationContext": PDF | {"mimeType": "text/plain"}}}, False),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT, "authMethods": ["DEVICE_PIN"]}}, True),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT, "authMethods": ["DEVICE"]}}, False),
    (
        {
            "operationProperties": QR
            | {"preOperationContext": CONTEXT, "authMethods": ["DEVICE"], "authLevel": "ONE_FACTOR"}
        },
        True,
    ),
    (
        {"operationProperties": QR | {"preOperationContext": CONTEXT, "authMethods": ["DEVICE_PIN", "DEVICE_PIN"]}},
        False,
    ),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT}, "broadcast": True}, False),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT}, "broadcast": False}, True),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT}, "expiresIn": 9}, False),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT}, "clientReference": ""}, False),
    ({"operationProperties": QR | {"preOperationContext": CONTEXT}, "pushNotification": {"title": "\u200b"}}, False),
]


@pytest.mark.parametrize(("body", "right"), STARTS)
def test_an_authentication_is_refused_as_documented(api, validator, body, right):
    answer = api.post("/mobileid/core/authentications", body)
    assert (validator("StartBody").is_valid(body), answer.status_code) == (right, 201 if right else 422), answer.json()


@pytest.mark.parametrize(
    ("properties", "right"),
    [
        (QR | {"preOperationContext": CONTEXT}, True),
        (QR, False),
        (QR | {"transaction": PAYMENT}, False),
        ({"preOperationContext": CONTEXT}, False),
    ],
)
def test_a_signature_is_refused_as_documented(api, validator, properties, right):
    body = {"operationProperties": properties}
    answer = api.post("/mobileid/core/signatures", body)
    assert (validator("SignatureBody").is_valid(body), answer.status_code) == (right, 201 if right else 422)


def test_a_person_is_named_once_as_documented(api, account, validator):
    user = factories.make_user(account, external_ref="r-1")
    both = {"userId": str(user.pk), "externalRef": "r-1"}
    for path, name in (("registrations", "RegistrationBody"), ("authentications", "StartBody")):
        for body in ({}, both):
            assert not validator(name).is_valid(body)
            assert api.post(f"/mobileid/core/{path}", body).status_code == 422
    for body in ({"userId": str(user.pk)}, {"externalRef": "r-1"}):
        assert validator("RegistrationBody").is_valid(body)


@pytest.mark.parametrize(("body", "right"), REASONS)
def test_a_reason_is_refused_as_documented(api, account, validator, body, right):
    user = factories.make_user(account)
    answer = api.post(f"/reuseid/core/users/{user.pk}/lock", body)
    assert (validator("LockBody").is_valid(body), answer.status_code) == (right, 200 if right else 422)


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ({"attributes": {"email": None}}, False),
        ({"attributes": {"e mail": "a"}}, False),
        ({"attributes": {"email": {"value": None}}}, False),
        ({"attributes": {"email": {"value": "a@b.example", "source": ""}}}, True),
        ({"attributes": {"address": {"city": "Lund"}}}, True),
        ({"attributes": {f"a{n}": n for n in range(201)}}, False),
        ({"externalRef": ""}, False),
        ({"externalRef": " a"}, False),
        ({}, False),
        ({"externalRef": None, "segment": None, "proofing": None}, False),
        ({"attributes": {}}, False),
        ({"externalRef": "a", "segment": None, "proofing": None}, True),
        ({"segment": ""}, False),
    ],
)
def test_a_user_is_refused_as_documented(api, validator, body, right):
    answer = api.post("/reuseid/core/users", body)
    assert (validator("CreateUserBody").is_valid(body), answer.status_code) == (right, 201 if right else 422)
