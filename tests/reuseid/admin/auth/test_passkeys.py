"""Passkeys: the second step, step-up and enrolment by WebAuthn; each wrong answer is refused in the same words."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from reuseid.actors import Actor
from reuseid.models import Passkey, RecoveryCode, SecondFactor, Staff, StaffSignIn, TrailEntry
from reuseid.services.staff import passkeys, second_factors
from tests.reuseid.admin.authenticator import FLAG, Authenticator, make_passkey
from tests.reuseid.admin.signing_in import CODE, ENROL, ME, SENT, codes_shown, outcomes, patience, sign_in
from tests.staff_factories import browser_of, code_of, half_browser_of, make_colleague, make_factor, page, rows_of, said

pytestmark = pytest.mark.django_db
NAMED = {"SERVER_NAME": "localhost"}
ASK, OPTIONS, CHECK = (f"/admin/sign-in/passkey/{step}" for step in ("", "options/", "check/"))
NEW_OPTIONS, ENROL_PASSKEY = "/admin/sign-in/passkey/new/", "/admin/sign-in/enrol/passkey/"
ADD = "/admin/me/passkeys/add/"


@pytest.fixture
def passkey(pia):
    return make_passkey(pia)


def half(staff):
    return half_browser_of(staff, **NAMED)


def full(staff):
    return browser_of(staff, **NAMED)


def answer(browser, passkey, **wrong):
    """Ask for options and answer them."""
    return passkey.authenticator.get(browser.post(OPTIONS).json(), **wrong)


def enrol(browser, authenticator=None, address=ENROL_PASSKEY, name="Laptop", **wrong):
    authenticator = authenticator or Authenticator()
    made = authenticator.create(browser.post(NEW_OPTIONS).json(), **wrong)
    return browser.post(address, {"name": name, "credential": made})


# The first factor


def test_a_first_passkey_ends_the_second_step_and_ten_codes_are_shown_once(pia):
    browser = sign_in("pia", **NAMED)
    shown = browser.get("/admin/reuseid/user/", follow=True)
    assert shown.redirect_chain[-1][0].startswith(ENROL)
    assert "recommended" in shown.content.decode()
    key_before = browser.session.session_key
    done = enrol(browser, address=f"{ENROL_PASSKEY}?next=/admin/reuseid/user/")
    assert len(set(codes_shown(done))) == 10
    assert "no-store" in done["Cache-Control"]
    assert browser.session.session_key != key_before
    assert browser.get("/admin/reuseid/user/").status_code == 200
    row = Passkey.objects.get()
    assert (row.name, row.host, row.counter, row.backed_up, row.transports) == (
        "Laptop",
        "localhost",
        0,
        False,
        ["internal"],
    )
    assert outcomes(pia) == [("PASSWORD_GIVEN", ""), ("SIGNED_IN", "PASSKEY")]
    line = TrailEntry.objects.get(action="staff.passkey_added")
    assert (line.account_id, line.changes) == (None, {"passkey": row.pk})


def test_what_the_browser_is_asked_to_make(pia):
    asked = half(pia).post(NEW_OPTIONS).json()["publicKey"]
    assert asked["rp"] == {"id": "localhost", "name": "ReuseID / MobileID"}
    assert asked["attestation"] == "none"
    chosen = asked["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("discouraged", "preferred")
    assert [kind["alg"] for kind in asked["pubKeyCredParams"]] == [-8, -7, -257]
    assert asked["timeout"] == 300_000
    make_passkey(pia, host="elsewhere.example")
    present = make_passkey(pia)
    browser = full(pia)
    excluded = browser.post(NEW_OPTIONS).json()["publicKey"]["excludeCredentials"]
    assert [passkeys._descriptors([present])[0]["id"]] == [one["id"] for one in excluded]


def test_a_password_alone_adds_no_second_passkey_and_no_app_beside_one(pia):
    first, second = half(pia), half(pia)
    waiting = Authenticator()
    made = waiting.create(second.post(NEW_OPTIONS).json())
    enrol(first)
    second.post(ENROL_PASSKEY, {"name": "Mine", "credential": made})
    assert [row.name for row in Passkey.objects.all()] == ["Laptop"]
    assert second.post(NEW_OPTIONS).status_code == 403
    assert second.get(ENROL).url == ASK
    secret = b"a secret of 20 bytes"
    with pytest.raises(second_factors.NoFactor):
        second_factors.enrol(pia, secret, _code(secret), actor=Actor.staff(pia))
    assert not SecondFactor.objects.exists()


def _code(secret):
    from django_otp.oath import TOTP

    return f"{TOTP(secret).token():06}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://127.0.0.1"},
        {"origin": "https://localhost"},
        {"origin": "http://evil.localhost"},
        {"rp": "evil.example"},
        {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"kind": "webauthn.get"},
        {"framed": True},
        {"flags": FLAG.UV},
        {"flags": FLAG.UP | FLAG.BS},
    ],
)
def test_a_passkey_that_is_made_wrongly_is_not_kept(pia, wrong):
    browser = half(pia)
    response = enrol(browser, **wrong)
    assert response.url == ENROL
    assert said(browser.get(ENROL)) == [str(second_factors.Refused.title)]
    assert not Passkey.objects.exists()


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"response": {}}', "a" * 70_000, '{"rawId": "AA", "id": "AB"}']
)
def test_what_is_no_answer_is_refused_in_the_same_words(pia, text):
    browser = half(pia)
    browser.post(NEW_OPTIONS)
    browser.post(ENROL_PASSKEY, {"name": "x", "credential": text})
    assert said(browser.get(ENROL)) == [str(second_factors.Refused.title)]
    make_passkey(pia)
    other = half(pia)
    other.post(OPTIONS)
    assert other.post(ASK, {"credential": text}).context["refused"] == str(second_factors.Refused.title)


def test_an_algorithm_that_was_not_offered_is_refused(pia, monkeypatch):
    monkeypatch.setattr(passkeys, "ALGORITHMS", (passkeys.RS256,))
    enrol(half(pia))
    assert not Passkey.objects.exists()


def test_one_authenticator_is_kept_once(pia, account):
    passkey, other = make_passkey(pia), make_colleague("other", "Support", account)
    enrol(half(other), passkey.authenticator)
    assert Passkey.objects.count() == 1
    with pytest.raises(IntegrityError):
        Passkey.objects.create(user=other, name="x", credential_id=passkey.credential_id, credential=b"x", host="x")


# The second step


def test_a_passkey_is_asked_for_at_once_and_opens_what_was_wanted(pia, passkey):
    browser = sign_in("pia", **NAMED)
    shown = browser.get("/admin/reuseid/user/", follow=True)
    address = shown.redirect_chain[-1][0]
    assert address.startswith(ASK)
    assert "data-now" in shown.content.decode()
    assert f"{CODE}?recovery=1&amp;next=" in shown.content.decode()
    asked = browser.post(OPTIONS).json()
    (allowed,) = asked["publicKey"]["allowCredentials"]
    assert allowed["transports"] == ["internal"]
    assert asked["publicKey"]["userVerification"] == "preferred"
    done = browser.post(address, {"credential": passkey.authenticator.get(asked, flags=FLAG.UP | FLAG.BE | FLAG.BS)})
    assert done.url == "/admin/reuseid/user/"
    assert browser.get(done.url).status_code == 200
    passkey.refresh_from_db()
    assert (passkey.counter, passkey.backed_up) == (1, True)
    assert passkey.last_used_at is not None
    assert outcomes(pia)[-1] == ("SIGNED_IN", "PASSKEY")


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://127.0.0.1"},
        {"origin": "http://localhost.evil.example"},
        {"rp": "evil.example"},
        {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"kind": "webauthn.create"},
        {"framed": True},
        {"flags": FLAG.UV},
        {"flags": FLAG.UP | FLAG.BS},
        {"signature": b"none"},
        {"raw_id": b"another"},
        {"handle": b"staff-0"},
    ],
)
def test_every_wrong_answer_reads_the_same_and_opens_nothing(pia, passkey, wrong):
    browser = half(pia)
    refused = browser.post(ASK, {"credential": answer(browser, passkey, **wrong)})
    assert refused.context["refused"] == str(second_factors.Refused.title)
    assert "data-now" not in refused.content.decode()
    assert browser.get("/admin/").status_code == 302
    assert outcomes(pia)[1:] == [("CODE_REFUSED", "PASSKEY")]
    assert browser.post(ASK, {"credential": answer(browser, passkey)}).status_code == 200, "too soon"
    patience(pia)
    assert browser.post(ASK, {"credential": answer(browser, passkey)}).status_code == 302


def test_a_challenge_is_looked_at_once_and_for_five_minutes(pia, passkey, clock):
    browser = half(pia)
    asked = browser.post(OPTIONS).json()
    browser.post(ASK, {"credential": passkey.authenticator.get(asked, framed=True)})
    patience(pia)
    assert browser.post(ASK, {"credential": passkey.authenticator.get(asked)}).status_code == 200
    patience(pia)
    late = answer(browser, passkey)
    clock(passkeys.CEREMONY + 1)
    assert browser.post(ASK, {"credential": late}).status_code == 200
    patience(pia)
    in_time = answer(browser, passkey)
    clock(passkeys.CEREMONY - 1)
    assert browser.post(ASK, {"credential": in_time}).status_code == 302


def test_a_counter_that_went_back_is_refused(pia, passkey):
    Passkey.objects.update(counter=5)
    for counter in (2, 4):
        passkey.authenticator.counter = counter
        browser = half(pia)
        refused = browser.post(ASK, {"credential": answer(browser, passkey)})
        assert refused.context["refused"] == str(second_factors.Refused.title)
        patience(pia)
    assert outcomes(pia).count(("CODE_REFUSED", "PASSKEY")) == 2
    browser = half(pia)
    assert browser.post(ASK, {"credential": answer(browser, passkey)}).status_code == 302


def test_an_authenticator_that_counts_nothing_is_let_in_each_time_and_one_that_stopped_is_not(pia):
    passkey = make_passkey(pia, counts=False)
    for _ in range(2):
        browser = half(pia)
        assert browser.post(ASK, {"credential": answer(browser, passkey)}).status_code == 302
    Passkey.objects.update(counter=1)
    browser = half(pia)
    assert browser.post(ASK, {"credential": answer(browser, passkey)}).status_code == 200


def test_one_answer_is_taken_once_also_where_nothing_is_counted(pia):
    passkey = make_passkey(pia, counts=False)
    place = passkeys.Place("localhost", "http://localhost")
    options, state = passkeys.begin_check(pia, place)
    said = passkey.authenticator.get(json.loads(json.dumps(options)))
    passkeys.check(pia, place, state, said)
    with pytest.raises(second_factors.Refused):
        passkeys.check(pia, place, state, said)


def test_anothers_passkey_lets_nobody_in(pia, passkey, account):
    other = make_colleague("other", "Support", account)
    theirs = make_passkey(other)
    browser = half(pia)
    assert browser.post(ASK, {"credential": answer(browser, theirs)}).status_code == 200
    session = browser.session
    session["otp_device_id"] = theirs.persistent_id
    session.save()
    assert browser.get("/admin/").status_code == 302


def test_where_no_passkey_works_the_page_says_why_and_a_code_does(pia):
    make_passkey(pia)
    codes = second_factors.new_codes(pia, actor=Actor.staff(pia))
    browser = half_browser_of(pia, HTTP_HOST="127.0.0.1:8000")
    shown = browser.get("/admin/", follow=True)
    assert shown.redirect_chain[-1][0].startswith(CODE)
    assert "Passkeys need a name in the address" in shown.content.decode()
    assert 'href="http://localhost:8000/admin/"' in shown.content.decode()
    assert browser.post(OPTIONS).status_code == 403
    assert "inputmode" not in str(shown.context["form"]), "a recovery code has letters"
    assert browser.post(CODE, {"code": codes[0]}).status_code == 302
    assert browser.get(ADD).context["why_not"]
    assert outcomes(pia)[-1] == ("SIGNED_IN", "RECOVERY_CODE")


@pytest.mark.parametrize(
    ("host", "secure", "works"),
    [
        ("id.example.com", False, False),
        ("id.example.com", True, True),
        ("127.0.0.1", True, False),
        ("[::1]:8000", True, False),
        ("localhost:8123", False, True),
    ],
)
def test_passkeys_are_offered_under_a_name_and_https_or_localhost(pia, settings, host, secure, works):
    settings.ALLOWED_HOSTS = ["id.example.com", "127.0.0.1", "[::1]", "localhost"]
    shown = half_browser_of(pia, HTTP_HOST=host).get(ENROL, secure=secure)
    assert bool(shown.context["why_not"]) is not works
    assert ("data-passkey" in shown.content.decode()) is works


def test_development_answers_to_localhost(settings):
    assert "localhost" in settings.ALLOWED_HOSTS


def test_a_passkey_of_another_name_of_the_host_is_not_asked_for(pia):
    make_passkey(pia, host="other.example")
    browser = half(pia)
    assert browser.get("/admin/login/").url == CODE
    assert browser.get(ASK).url == CODE
    assert browser.post(OPTIONS).status_code == 403


def test_beginning_again_and_again_ends(pia, passkey):
    browser = half(pia)
    answers = [browser.post(OPTIONS) for _ in range(passkeys.CEREMONIES + 1)]
    assert [one.status_code for one in answers[-2:]] == [200, 403]
    assert answers[-1].json() == {"sentence": str(second_factors.Refused.title)}


def test_guesses_of_a_recovery_code_are_slowed_where_there_is_no_app(pia, passkey):
    codes = second_factors.new_codes(pia, actor=Actor.staff(pia))
    browser = half(pia)
    assert browser.post(CODE, {"code": "wrong-wrong-wrong"}).status_code == 200
    assert browser.post(CODE, {"code": codes[0]}).status_code == 200
    assert browser.post(CODE, {"code": "123456"}).status_code == 200
    patience(pia)
    assert browser.post(CODE, {"code": codes[0]}).status_code == 302
    assert RecoveryCode.objects.filter(used_at=None).count() == 9


# Strong acts


def test_a_passkey_frees_the_strong_acts_for_some_minutes(pia, late, user):
    passkey = make_passkey(pia)
    Staff.objects.filter(pk=pia.pk).update(is_superuser=True)
    browser = late(full(pia))
    address = page(user, "erase")
    shown = browser.get(address).content.decode()
    assert 'data-passkey="check"' in shown
    assert "Recovery code" in shown
    sent = {**SENT, "reason": "CUSTOMER_REQUEST", "note": "n"}
    browser.post(address, sent)
    assert not user.approval_requests.exists()
    wrong = browser.post(CHECK, {"credential": answer(browser, passkey, signature=b"none")})
    assert (wrong.status_code, wrong.json()) == (403, {"sentence": str(second_factors.Refused.title)})
    patience(pia)
    assert browser.post(CHECK, {"credential": answer(browser, passkey)}).status_code == 200
    assert "sign_in_check" not in browser.get(address).content.decode()
    browser.post(address, sent)
    assert user.approval_requests.exists()


def test_the_check_before_a_strong_act_is_no_second_step(pia, passkey):
    browser = half(pia)
    assert browser.post(CHECK, {"credential": answer(browser, passkey)}).status_code == 403
    assert browser.get("/admin/").status_code == 302


def test_who_is_not_signed_in_is_asked_nothing(client, pia):
    for address in (OPTIONS, CHECK, NEW_OPTIONS):
        assert client.post(address, headers={"host": "localhost"}).status_code == 403
        assert client.get(address).status_code == 405


# One's own page


def test_a_second_passkey_is_added_after_a_check_and_removed_again(pia, late):
    make_factor(pia)
    browser = late(full(pia))
    assert browser.post(NEW_OPTIONS).status_code == 403
    assert "First make sure that it is you." in browser.get(ADD).content.decode()
    assert browser.post(ADD, {**SENT, "sign_in_check": code_of(pia)}).url == ADD
    assert enrol(browser, address=ADD, name="Blue key").url == ME
    assert "Blue key" in browser.get(ME).content.decode()
    assert not RecoveryCode.objects.exists(), "made with the first factor"
    (passkey,) = Passkey.objects.all()
    late(browser)
    remove = f"/admin/me/passkeys/{passkey.pk}/remove/"
    browser.post(remove, SENT)
    assert Passkey.objects.exists()
    patience(pia)
    browser.post(remove, {**SENT, "sign_in_check": code_of(pia, steps=1)})
    assert not Passkey.objects.exists()
    line = TrailEntry.objects.get(action="staff.passkey_removed")
    assert (line.changes, line.actor_id) == ({"passkey": passkey.pk}, str(pia.pk))
    assert browser.get(ME).status_code == 200


def test_the_last_factor_stays_while_one_is_demanded(pia, passkey, settings):
    second_factors.new_codes(pia, actor=Actor.staff(pia))
    browser = full(pia)
    remove = f"/admin/me/passkeys/{passkey.pk}/remove/"
    browser.post(remove, SENT)
    assert "only second factor" in said(browser.get(ME))[0]
    assert Passkey.objects.exists()
    settings.SECOND_FACTOR = "offered"
    browser.post(remove, SENT)
    assert not Passkey.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert browser.get("/admin/").status_code == 200


def test_a_session_that_began_with_a_removed_passkey_needs_another_factor(pia, passkey):
    there, here = full(pia), full(pia)
    make_factor(pia)
    here.post(f"/admin/me/passkeys/{passkey.pk}/remove/", SENT)
    assert here.get(ME).status_code == 200
    assert there.get(ME, follow=True).redirect_chain[-1][0].startswith(CODE)


def test_a_passkey_gets_another_name_and_signs_in_all_the_same(pia, passkey):
    browser = full(pia)
    address = f"/admin/me/passkeys/{passkey.pk}/rename/"
    assert f'value="{passkey.name}"' in browser.get(address).content.decode()
    for wrong in ("", " ", "x" * 65):
        assert browser.post(address, {"name": wrong}).status_code == 200
    assert browser.post(address, {"name": "<i>Blue key"}).url == ME
    shown = browser.get(ME).content.decode()
    assert "&lt;i&gt;Blue key" in shown
    assert "<i>" not in shown
    line = TrailEntry.objects.get(action="staff.passkey_renamed")
    assert (line.changes, line.actor_id) == ({"passkey": passkey.pk}, str(pia.pk))
    assert browser.get("/admin/").status_code == 200


def test_nobody_renames_or_removes_anothers_passkey(pia, passkey, account):
    other = full(make_colleague("other", "Support", account))
    assert other.post(f"/admin/me/passkeys/{passkey.pk}/rename/", {"name": "mine"}).status_code == 404
    assert Passkey.objects.get().name == passkey.name
    assert other.post(f"/admin/me/passkeys/{passkey.pk}/remove/", SENT).status_code == 404
    assert Passkey.objects.exists()


def test_ten_are_enough(pia):
    for number in range(passkeys.MOST - 1):
        make_passkey(pia, name=f"Key {number}")
    browser = full(pia)
    waiting = Authenticator()
    made = waiting.create(browser.post(NEW_OPTIONS).json())
    assert enrol(browser, address=ADD).url == ME
    assert browser.post(NEW_OPTIONS).status_code == 403
    browser.post(ADD, {"name": "x", "credential": made})
    assert Passkey.objects.count() == passkeys.MOST


def test_an_app_beside_a_passkey_leaves_the_recovery_codes_as_they_are(pia, passkey):
    from tests.reuseid.admin.signing_in import app_code, secret_shown

    codes = second_factors.new_codes(pia, actor=Actor.staff(pia))
    browser = full(pia)
    secret = secret_shown(browser.get("/admin/me/app/"))
    assert browser.post("/admin/me/app/", {"code": app_code(secret), **SENT}).url == ME
    assert second_factors.codes_left(pia) == len(codes)
    assert {row.name for row in Passkey.objects.all()} == {"Laptop"}
    signed = half(pia)
    assert signed.get("/admin/login/").url == ASK
    assert "Use the authenticator app" in signed.get(ASK).content.decode()


def test_a_reset_takes_passkeys_too_and_every_session_ends(administrator, pia, passkey):
    second_factors.new_codes(pia, actor=Actor.staff(pia))
    browser = full(pia)
    administrator.post(page(pia, "reset-factor"), {**SENT, "reason": "OTHER", "note": "Lost the laptop."})
    assert not Passkey.objects.exists()
    assert not RecoveryCode.objects.filter(staff=pia).exists()
    assert browser.get(ME).status_code == 302


def test_a_password_or_reset_in_between_adds_no_factor(pia, passkey):
    stale = Staff.objects.get(pk=pia.pk)
    place = passkeys.Place("localhost", "http://localhost")
    options, state = passkeys.begin_adding(stale, place)
    made = Authenticator().create(json.loads(json.dumps(options)))
    second_factors.reset_by_operator(pia, actor=_operator())
    with pytest.raises(second_factors.NoFactor):
        passkeys.add(stale, place, state, made, name="x", actor=Actor.staff(stale), first=False)
    assert not Passkey.objects.exists()


def _operator():
    from reuseid.actors import SYSTEM

    return SYSTEM


# For other eyes


def test_administrators_and_auditors_see_which_passkeys_there_are(administrator, auditor, support, stranger, passkey):
    for browser in (administrator, auditor):
        shown = browser.get(rows_of(Passkey)).content.decode()
        assert "Laptop" in shown
        assert browser.get(page(passkey)).status_code == 200
    assert support.get(rows_of(Passkey)).status_code == 403
    assert stranger.get(rows_of(Passkey)).status_code == 403
    assert "passkey" in administrator.get(page(passkey.user)).content.decode()


def test_a_page_costs_as_many_queries_with_a_passkey_as_with_an_app(pia, account, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    other = make_colleague("other", "Support", account)
    with_app = browser_of(other)
    make_passkey(pia)
    with_passkey = full(pia)
    with CaptureQueriesContext(connection) as seen:
        with_app.get("/admin/")
    with django_assert_num_queries(len(seen)):
        with_passkey.get("/admin/")


def test_old_refusals_say_with_what(pia, passkey):
    StaffSignIn.objects.create(
        staff=pia, outcome="CODE_REFUSED", method="PASSKEY", at=timezone.now() - timedelta(days=1)
    )
    shown = full(pia).get(ME).content.decode()
    assert "Wrong code or passkey" in shown
