"""What is one and what is two, wherever it is compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reuseid.models import AttributeKey
from reuseid.normalisation import compose, fold, normalise

How = AttributeKey.Normalisation
IGNORED = "\u200b\u200d\u2060\u202a\u202c\u202e\u2066\u2069\ufeff\u00ad\ufe0f\u034f\U000e0041"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna@Example.com", "anna@example.COM"),
        ("anna@example.com", "anna@example.com\u200b"),
        ("anna@example.com", "\u202aanna@example.com\u202c"),
        ("anna@example.com", " anna @ example.com\n"),
        ("anna@münchen.example", "anna@xn--mnchen-3ya.example"),
        ("anna@münchen.example", "anna@XN--MNCHEN-3YA.example"),
        ("anna@münchen.example", "anna@MU\u0308NCHEN.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ("anna@straße.example", "anna@STRAẞE.example"),
        ("anna@example.com", "anna＠ｅｘａｍｐｌｅ.com"),
        ("anna@example.com", "anna@example。com"),
        ("anna@example.com", "anna@example.com."),
        ("josé@example.com", "JOSE\u0301@example.com"),
        ("weiß@example.com", "WEISS@example.com"),
    ],
)
def test_one_address_in_two_ways(one, other):
    assert normalise(one, How.EMAIL) == normalise(other, How.EMAIL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna@straße.example", "anna@strasse.example"),
        ("anna@βόλος.example", "anna@βόλοσ.example"),
        ("anna@example.com", "ann@example.com"),
        ("anna+x@example.com", "anna@example.com"),
    ],
)
def test_two_addresses(one, other):
    assert normalise(one, How.EMAIL) != normalise(other, How.EMAIL)


@pytest.mark.parametrize(
    "text",
    [
        *("", "anna", "@example.com", "anna@", "anna@example", "a@b@c.example", "anna@a..example", "anna@.example"),
        *("\u200b@example.com", "anna@❤.example", "anna@xn--a.example", "anna@xn--strasse-.example"),
        "anna@a\u0301\u0600.x",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"^Not an e-mail address"):
        normalise(text, How.EMAIL)


@pytest.mark.parametrize("text", ["a@my_host.example", "a@[192.0.2.1]", "a@-x.example"])
def test_a_domain_of_plain_letters_is_compared_as_it_is(text):
    assert normalise(text.upper(), How.EMAIL) == text


@pytest.mark.parametrize(
    ("one", "other"), [("ᴬnna", "Anna"), ("㍱", "HPA"), ("ﬀ", "FF"), ("ΐ", "Ϊ\u0301"), ("a\u3164b", "ab")]
)
def test_a_text_is_folded_until_nothing_is_left_to_fold(one, other):
    assert fold(one) == fold(other)


def test_a_phone_number_copied_with_marks_is_the_same():
    assert normalise("\u202a+358 40\u200b 123\u2060 4567\u202c", How.PHONE) == "+358401234567"


@given(st.text(), st.sampled_from(IGNORED), st.integers(min_value=0))
def test_ignorable_characters_change_no_text(text, ignored, place):
    place %= len(text) + 1
    assert fold(text[:place] + ignored + text[place:]) == fold(text)


@given(st.text())
def test_a_folded_text_stays_as_it_is_and_forgives_case_and_composition(text):
    folded = fold(text)
    assert fold(folded) == folded
    assert fold(compose(text)) == folded


@given(st.emails())
def test_the_form_of_an_address_is_its_own_form(address):
    normal = normalise(address, How.EMAIL)
    assert normalise(normal, How.EMAIL) == normal


@given(st.text(), st.sampled_from(How))
def test_every_text_has_a_form_or_none(text, how):
    try:
        normalise(text, how, region="FI")
    except ValueError as error:
        assert str(error).startswith("Not a")  # noqa: PT017 - only where there is none
