"""Signing in: two steps, codes that work once, guesses that are slowed, sessions that open nothing in between."""

import base64
import html
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from reuseid.actors import Actor
from reuseid.models import RecoveryCode, SecondFactor, Staff, StaffSignIn, TrailEntry
from reuseid.services.staff import second_factors, sign_ins
from tests.reuseid.admin.signing_in import (
    CODE,
    ENROL,
    ME,
    PASSWORD,
    SENT,
    app_code,
    codes_shown,
    outcomes,
    patience,
    secret_shown,
    sign_in,
)
from tests.staff_factories import browser_of, code_of, half_browser_of, make_colleague, make_factor, page, said

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_hashes")]


# Enrolling


def test_after_the_first_password_an_app_is_set_up_and_ten_codes_are_shown_once(pia):
    browser = sign_in("pia")
    response = browser.get("/admin/reuseid/user/", follow=True)
    assert response.redirect_chain[-1][0].startswith(ENROL)
    secret = secret_shown(response)
    assert "data:image/svg+xml" in response.content.decode()
    assert secret_shown(browser.get(ENROL)) == secret
    key_before = browser.session.session_key
    done = browser.post(f"{ENROL}?next=/admin/reuseid/user/", {"code": app_code(secret), **SENT})
    codes = codes_shown(done)
    assert len(set(codes)) == 10
    assert "no-store" in done["Cache-Control"]
    assert browser.session.session_key != key_before
    assert browser.get("/admin/reuseid/user/").status_code == 200
    assert browser.get(ENROL).status_code == 302
    assert not codes_shown(browser.get(ME))
    assert TrailEntry.objects.get(action="staff.factor_enrolled").account_id is None
    assert outcomes(pia) == [("PASSWORD_GIVEN", ""), ("SIGNED_IN", "APP")]


def test_neither_secret_nor_codes_lie_readable_in_the_database(pia):
    browser = sign_in("pia")
    secret = secret_shown(browser.get(ENROL))
    from django.contrib.sessions.models import Session

    raw = base64.b32decode(secret)
    readable = (secret, raw.hex(), base64.b64encode(raw).decode())
    assert not any(text in str(Session.objects.get().get_decoded()) for text in readable)
    codes = codes_shown(browser.post(ENROL, {"code": app_code(secret), **SENT}))
    factor = SecondFactor.objects.get(user=pia)
    assert raw not in bytes(factor.key)
    for row in RecoveryCode.objects.all():
        assert row.hash.startswith("pbkdf2_sha256_client$")
        assert not any(code.replace("-", "") in row.hash for code in codes)
    lines = str([line.__dict__ for line in TrailEntry.objects.all()])
    assert not any(text in lines for text in (*readable, *codes))


def test_a_wrong_first_code_sets_nothing_up(pia):
    browser = sign_in("pia")
    secret = secret_shown(browser.get(ENROL))
    wrong = f"{(int(app_code(secret)) + 1) % 1000000:06}"
    response = browser.post(ENROL, {"code": wrong, **SENT})
    assert secret_shown(response) == secret
    assert not SecondFactor.objects.exists()
    assert browser.get("/admin/").status_code == 302


def test_a_second_browser_gets_another_secret_and_can_not_replace_an_app(pia):
    first, second = sign_in("pia"), sign_in("pia")
    mine, theirs = secret_shown(first.get(ENROL)), secret_shown(second.get(ENROL))
    assert mine != theirs
    first.post(ENROL, {"code": app_code(mine), **SENT})
    assert second.post(ENROL, {"code": app_code(theirs), **SENT}).url == CODE
    with pytest.raises(second_factors.NoFactor):
        second_factors.enrol(pia, base64.b32decode(theirs), app_code(theirs), actor=Actor.staff(pia))
    assert second.get("/admin/").status_code == 302


# The second step


def test_a_code_opens_what_was_asked_for(pia):
    make_factor(pia)
    browser = sign_in("pia")
    response = browser.get("/admin/reuseid/user/", follow=True)
    shown = response.content.decode()
    assert 'autocomplete="one-time-code"' in shown
    assert 'inputmode="numeric"' in shown
    assert '<label for="id_code"' in shown
    response = browser.post(response.redirect_chain[-1][0], {"code": f" {code_of(pia)} "})
    assert response.url == "/admin/reuseid/user/"
    assert browser.get(response.url).status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(pia, elsewhere):
    make_factor(pia)
    response = half_browser_of(pia).post(f"{CODE}?next={elsewhere}", {"code": code_of(pia)})
    assert response.url == "/admin/"


def test_a_code_works_once(pia):
    make_factor(pia)
    code = code_of(pia)
    assert half_browser_of(pia).post(CODE, {"code": code}).status_code == 302
    again = half_browser_of(pia)
    assert again.post(CODE, {"code": code}).status_code == 200
    assert again.get("/admin/").status_code == 302
    patience(pia)
    assert again.post(CODE, {"code": code_of(pia, steps=1)}).status_code == 302


def test_every_refusal_reads_the_same_and_guesses_are_slowed(pia):
    make_factor(pia)
    browser = half_browser_of(pia)
    right = code_of(pia)
    wrong = f"{(int(right) + 500001) % 1000000:06}"
    said_why = [
        browser.post(CODE, {"code": text}).context["form"].errors["code"] for text in (wrong, right, "abcde", "١٢٣٤٥٦")
    ]
    assert all(errors == said_why[0] for errors in said_why)
    assert SecondFactor.objects.get().throttling_failure_count == 1
    patience(pia)
    assert browser.post(CODE, {"code": right}).status_code == 302
    assert SecondFactor.objects.get().throttling_failure_count == 0
    assert ("CODE_REFUSED", "") in outcomes(pia)


def test_a_recovery_code_works_once_and_says_how_many_are_left(pia):
    make_factor(pia)
    codes = second_factors.new_codes(pia, actor=Actor.staff(pia))
    browser = half_browser_of(pia)
    assert "inputmode" not in str(browser.get(f"{CODE}?recovery=1").context["form"])
    assert browser.post(CODE, {"code": codes[3].upper()}).status_code == 302
    assert "9" in said(browser.get("/admin/"))[0]
    assert TrailEntry.objects.get(action="staff.recovery_code_used").changes == {"left": 9}
    assert half_browser_of(pia).post(CODE, {"code": codes[3]}).status_code == 200
    patience(pia)
    assert half_browser_of(pia).post(CODE, {"code": codes[4].replace("-", " ")}).status_code == 302
    assert second_factors.codes_left(pia) == 8


def test_half_signed_in_one_may_leave(pia):
    browser = half_browser_of(pia)
    assert browser.post("/admin/logout/").status_code in {200, 302}
    assert "_auth_user_id" not in browser.session
    assert outcomes(pia)[-1] == ("SIGNED_OUT", "")


def test_anothers_app_lets_nobody_in(pia, account):
    other = make_colleague("other", "Support", account)
    browser = half_browser_of(pia)
    session = browser.session
    session["otp_device_id"] = make_factor(other).persistent_id
    session.save()
    assert browser.get("/admin/").status_code == 302


def test_what_is_offered_is_not_demanded_but_an_app_that_is_there_is(pia, settings):
    settings.SECOND_FACTOR = "offered"
    browser = sign_in("pia")
    shown = browser.get("/admin/")
    assert shown.status_code == 200
    assert "Your password is all that guards this entry" in shown.content.decode()
    assert outcomes(pia) == [("SIGNED_IN", "PASSWORD")]
    secret = secret_shown(browser.get("/admin/me/app/"))
    assert len(codes_shown(browser.post("/admin/me/app/", {"code": app_code(secret), **SENT}))) == 10
    assert "all that guards" not in browser.get("/admin/").content.decode()
    assert sign_in("pia").get("/admin/").status_code == 302


def test_refusals_are_kept_with_the_colleague_and_never_what_was_typed(pia):
    sign_in("pia", "wrong-password-1")
    sign_in("my-password-by-mistake", "x")
    kept = list(StaffSignIn.objects.order_by("id").values("staff", "outcome", "method", "address"))
    assert [row["outcome"] for row in kept] == ["PASSWORD_REFUSED"] * 2
    assert [row["staff"] for row in kept] == [pia.pk, None]
    assert "by-mistake" not in str(kept)
    assert "wrong-password" not in str(kept)


def test_sign_ins_go_when_their_time_is_over(pia, settings):
    sign_ins.record(pia, "SIGNED_IN")
    StaffSignIn.objects.update(at=timezone.now() - timedelta(days=settings.SIGN_IN_RETENTION_DAYS + 1))
    sign_ins.record(pia, "SIGNED_OUT")
    assert sign_ins.purge(10) == 1
    assert outcomes(pia) == [("SIGNED_OUT", "")]


# Strong acts


def test_a_strong_act_asks_again_after_some_minutes_and_loses_nothing_that_was_typed(administrator, late, account):
    new = "/admin/reuseid/staff/new/"
    values = {**SENT, "username": "nina", "accounts": [account.pk]}
    assert "sign_in_check" not in administrator.get(new).content.decode()
    late(administrator)
    assert "sign_in_check" in administrator.get(new).content.decode()
    for check in ({}, {"sign_in_check": "000000"}):
        shown = administrator.post(new, {**values, **check}).content.decode()
        assert 'value="nina"' in shown
        assert not Staff.objects.filter(username="nina").exists()
    patience(administrator.staff)
    code = code_of(administrator.staff)
    administrator.post(new, {**values, "username": "", "sign_in_check": code})
    administrator.post(new, {**values, "sign_in_check": code})
    assert Staff.objects.filter(username="nina").exists()
    assert "sign_in_check" not in administrator.get(new).content.decode()


def test_the_strong_acts(root, senior, late, account, user, api_client):
    late(root)
    colleague = make_colleague("c", "Support", account)
    make_factor(colleague)
    strong = {
        *(page(colleague, act) for act in ("access", "password", "reset-factor")),
        "/admin/reuseid/staff/new/",
        "/admin/reuseid/client/new/",
        page(api_client, "rotate"),
        page(account, "block"),
        page(user, "deactivate"),
    }
    asked = {address for address in strong if "sign_in_check" in root.get(address).content.decode()}
    assert asked == strong
    assert "sign_in_check" not in root.get(page(user, "lock")).content.decode()
    from tests.staff_factories import REASON

    root.post(page(user, "deactivate"), {**REASON, "reason": "DECEASED"})
    user.refresh_from_db()
    assert user.status == "ACTIVE"


def test_where_there_is_no_app_the_password_is_asked_for_and_guesses_end(pia, settings, late, user):
    settings.SECOND_FACTOR = "offered"
    pia.groups.set([])
    pia.is_superuser = True
    pia.save()
    browser = late(sign_in("pia"))
    address = page(user, "deactivate")
    assert 'autocomplete="current-password"' in browser.get(address).content.decode()
    sent = {**SENT, "reason": "DECEASED", "note": "n"}
    for _ in range(second_factors.PASSWORD_TRIES):
        browser.post(address, {**sent, "sign_in_check": "wrong"})
    browser.post(address, {**sent, "sign_in_check": PASSWORD})
    user.refresh_from_db()
    assert user.status == "ACTIVE"


# One's own page, and losing the app


def test_ones_own_password_ends_ones_other_sessions(pia):
    make_factor(pia)
    here, there = browser_of(pia), browser_of(pia)
    new = "a-longer-phrase-than-before"
    sent = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", sent).status_code == 200
    assert here.post("/admin/password_change/", {**sent, "old_password": PASSWORD}).url == ME
    assert here.get(ME).status_code == 200
    assert there.get(ME).status_code == 302
    assert TrailEntry.objects.get(action="staff.own_password_changed").actor_id == str(pia.pk)
    pia.refresh_from_db()
    assert pia.check_password(new)


def test_ones_own_page_does_not_tell_the_present_password(pia):
    """Whoever sits at somebody's open session has the counted tries and no others, each kept."""
    make_factor(pia)
    browser = browser_of(pia)
    sent = {"old_password": "wrong", "new_password1": PASSWORD, "new_password2": PASSWORD}
    right = browser.post("/admin/password_change/", sent).context["form"].errors
    sent |= {"new_password1": "a-longer-phrase-than-before", "new_password2": "a-longer-phrase-than-before"}
    wrong = browser.post("/admin/password_change/", sent).context["form"].errors
    assert right == wrong
    assert list(right) == ["old_password"]
    assert outcomes(pia)[-2:] == [("PASSWORD_REFUSED", "")] * 2
    same = {"old_password": PASSWORD, "new_password1": PASSWORD, "new_password2": PASSWORD}
    refused = browser.post("/admin/password_change/", same).context["form"].errors
    assert refused == {"new_password1": ["It is the present one: choose another."]}


def test_another_phone_takes_the_place_of_the_first_and_other_sessions_need_it(pia):
    make_factor(pia)
    here, there = browser_of(pia), browser_of(pia)
    former = SecondFactor.objects.get().pk
    secret = secret_shown(here.get("/admin/me/app/"))
    here.post("/admin/me/app/", {"code": app_code(secret), **SENT})
    assert SecondFactor.objects.get().pk != former
    assert here.get(ME).status_code == 200
    assert there.get(ME, follow=True).redirect_chain[-1][0].startswith(CODE)


def test_another_phone_and_new_codes_ask_for_the_present_one(pia, late):
    make_factor(pia)
    browser = late(browser_of(pia))
    secret = secret_shown(browser.get("/admin/me/app/"))
    before = SecondFactor.objects.get().pk
    browser.post("/admin/me/app/", {"code": app_code(secret), **SENT})
    assert SecondFactor.objects.get().pk == before
    assert not codes_shown(browser.post("/admin/me/codes/", SENT))
    patience(pia)
    sent = {**SENT, "sign_in_check": code_of(pia)}
    assert len(codes_shown(browser.post("/admin/me/codes/", sent))) == 10


def test_an_administrator_resets_a_lost_app_and_every_session_ends(administrator, pia):
    make_factor(pia)
    second_factors.new_codes(pia, actor=Actor.staff(pia))
    browser = browser_of(pia)
    sent = {**SENT, "reason": "OTHER", "note": "New phone; known by voice."}
    response = administrator.post(page(pia, "reset-factor"), sent, follow=True)
    assert "reset" in said(response)[0]
    assert not SecondFactor.objects.filter(user=pia).exists()
    assert not RecoveryCode.objects.filter(staff=pia).exists()
    assert browser.get(ENROL).url == "/admin/login/"
    line = TrailEntry.objects.get(action="staff.factor_reset")
    assert (line.actor_id, line.reason) == (str(administrator.staff.pk), "OTHER")
    assert "Reset second factor" not in str(administrator.get(page(pia)).context["actions_detail"])
    assert "pia" in administrator.get(page(pia, tab="sign-ins")).content.decode()


@pytest.mark.parametrize("who", ["support", "auditor", "integrator"])
def test_no_other_role_resets_an_app(request, who, pia):
    make_factor(pia)
    sent = {**SENT, "reason": "OTHER", "note": "x"}
    assert request.getfixturevalue(who).post(page(pia, "reset-factor"), sent).status_code == 403
    assert SecondFactor.objects.filter(user=pia).exists()


def test_nobody_resets_their_own_and_administrators_no_superusers(administrator, account):
    boss = make_colleague("boss", None, account, is_superuser=True)
    make_factor(boss)
    sent = {**SENT, "reason": "OTHER", "note": "x"}
    response = administrator.post(page(administrator.staff, "reset-factor"), sent, follow=True)
    assert "Nobody changes their own entry" in html.unescape(said(response)[0])
    assert administrator.post(page(boss, "reset-factor"), sent).status_code == 403
    assert SecondFactor.objects.count() == 2


def test_the_command_resets_a_superusers_app_and_says_in_one_line_what_is_wrong(root, capsys):
    call_command("reset_second_factor", "root")
    assert "set up a new one" in capsys.readouterr().out
    assert root.get("/admin/").status_code == 302
    assert TrailEntry.objects.get(action="staff.factor_reset").actor_id == "manage.py reset_second_factor"
    for name in ("root", "nobody"):
        with pytest.raises(CommandError, match="There is no"):
            call_command("reset_second_factor", name)


def test_only_a_superuser_makes_administrators(administrator, root, account, support):
    from django.contrib.auth.models import Group

    def sent(role):
        return {**SENT, "is_active": "on", "roles": [Group.objects.get(name=role).pk], "accounts": [account.pk]}

    response = administrator.post(page(support.staff, "access"), sent("Administrator"), follow=True)
    assert "Only a superuser" in said(response)[0]
    assert [group.name for group in support.staff.groups.all()] == ["Support"]
    administrator.post("/admin/reuseid/staff/new/", {**sent("Administrator"), "username": "nina"})
    assert not Staff.objects.filter(username="nina").exists()
    second = make_colleague("second", "Administrator", account)
    administrator.post(page(second, "access"), sent("Support"))
    assert [group.name for group in second.groups.all()] == ["Administrator"]
    root.post(page(support.staff, "access"), sent("Administrator"))
    assert [group.name for group in support.staff.groups.all()] == ["Administrator"]
