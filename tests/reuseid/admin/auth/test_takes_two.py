"""Nobody signs in as a colleague: a password and a reset by one person are never enough, in whatever order."""

import html
import re

import pytest
from django.contrib.auth import SESSION_KEY
from django.core.management import call_command
from django.db import IntegrityError, transaction

from reuseid.actors import SYSTEM
from reuseid.models import Staff, TrailEntry
from reuseid.services.staff import second_factors
from tests.reuseid.admin.authenticator import make_passkey
from tests.reuseid.admin.signing_in import (
    CODE,
    ENROL,
    ME,
    PASSWORD,
    SENT,
    app_code,
    patience,
    secret_shown,
    sign_in,
)
from tests.staff_factories import browser_of, code_of, half_browser_of, make_colleague, make_factor, page, said

pytestmark = pytest.mark.django_db
OWN = "/admin/sign-in/password/"
CHOSEN = "a-longer-phrase-than-before"
NEW = "/admin/reuseid/staff/new/"


@pytest.fixture
def pia_with_app(pia):
    """Has a password and an app of her own."""
    make_factor(pia)
    return pia


@pytest.fixture
def eve(account):
    """The second administrator."""
    return browser_of(make_colleague("eve", "Administrator", account))


@pytest.fixture(params=["administrator", "root"])
def adam(request):
    """The one who tries alone; the rule is the same for a superuser."""
    return request.getfixturevalue(request.param)


def shown_secret(response):
    found = re.search(r'bo-secret-value"><code>([^<]+)<', response.content.decode())
    return html.unescape(found.group(1)) if found else None


def give_password(browser, staff):
    """The password that is shown, or why there is none."""
    response = browser.post(page(staff, "password"), SENT)
    return shown_secret(response) or html.unescape(said(browser.get(response.url))[0])


def reset(browser, staff):
    response = browser.post(page(staff, "reset-factor"), {**SENT, "reason": "OTHER", "note": "x"}, follow=True)
    return html.unescape(said(response)[0])


def gets_in(password, name="pia"):
    """Whether the password alone opens anything: sets up a factor where that can be done."""
    browser = sign_in(name, password)
    shown = browser.get(ENROL)
    if shown.status_code == 200:
        browser.post(ENROL, {"code": app_code(secret_shown(shown)), **SENT})
    return browser.get("/admin/", follow=True).redirect_chain[-1:] != [(f"{CODE}?next=%2Fadmin%2F", 302)] and (
        "_auth_user_id" in browser.session
    )


def chooses(browser, password=CHOSEN):
    return browser.post(OWN, {"new_password1": password, "new_password2": password})


# One person, in every order


def test_who_gave_the_password_does_not_reset_the_factor(adam, pia_with_app):
    password = give_password(adam, pia_with_app)
    assert reset(adam, pia_with_app).startswith("Nothing was changed. You gave this colleague the present password")
    assert second_factors.of(pia_with_app)
    assert not gets_in(password)


def test_who_reset_the_factor_gives_no_password(adam, pia_with_app):
    assert "is reset" in reset(adam, pia_with_app)
    assert "You reset this colleague's second factor" in give_password(adam, pia_with_app)
    pia_with_app.refresh_from_db()
    assert pia_with_app.check_password(PASSWORD)
    assert pia_with_app.password_set_by is None


def test_that_the_colleague_began_to_sign_in_changes_nothing(adam, pia_with_app):
    password = give_password(adam, pia_with_app)
    sign_in("pia", password)
    assert "You gave this colleague" in reset(adam, pia_with_app)
    signed = sign_in("pia", password)
    signed.post(CODE, {"code": code_of(pia_with_app)})
    assert signed.get(ME, follow=True).redirect_chain[-1][0].startswith(OWN)
    assert "You gave this colleague" in reset(adam, pia_with_app)


def test_after_a_reset_the_colleague_is_half_way_in_and_there_is_still_no_password(adam, pia_with_app):
    reset(adam, pia_with_app)
    assert sign_in("pia").get(ENROL).status_code == 200
    assert "You reset this colleague's second factor" in give_password(adam, pia_with_app)


def test_once_an_own_password_is_chosen_a_reset_opens_nothing_to_who_knew_the_former(adam, pia_with_app):
    password = give_password(adam, pia_with_app)
    kept = sign_in("pia", password)
    signed = sign_in("pia", password)
    signed.post(CODE, {"code": code_of(pia_with_app)})
    assert chooses(signed).url == "/admin/"
    assert signed.get("/admin/").status_code == 200
    assert "is reset" in reset(adam, pia_with_app)
    assert not gets_in(password)
    assert kept.get(ENROL).url == "/admin/login/"
    assert signed.get("/admin/").status_code == 302


def test_once_a_new_factor_is_set_up_a_password_opens_nothing_to_who_reset_the_former(adam, pia_with_app):
    reset(adam, pia_with_app)
    signed = sign_in("pia")
    signed.post(ENROL, {"code": app_code(secret_shown(signed.get(ENROL))), **SENT})
    pia_with_app.refresh_from_db()
    assert pia_with_app.factor_reset_by is None
    password = give_password(adam, pia_with_app)
    assert not gets_in(password)
    assert "You gave this colleague" in reset(adam, pia_with_app)


def test_again_and_again_makes_no_difference(adam, eve, pia_with_app):
    give_password(adam, pia_with_app)
    give_password(adam, pia_with_app)
    assert "You gave this colleague" in reset(adam, pia_with_app)
    give_password(eve, pia_with_app)
    assert "is reset" in reset(adam, pia_with_app)
    assert "You reset" in give_password(adam, pia_with_app)
    assert "There is no second factor to reset." in reset(adam, pia_with_app)
    pia_with_app.refresh_from_db()
    assert (pia_with_app.password_set_by, pia_with_app.factor_reset_by) == (eve.staff, adam.staff)


def test_a_password_alone_does_not_take_the_note_about_its_giver_away(adam, pia_with_app):
    """Half signed in, who gave the password can't choose "an own one" and then reset the factor."""
    password = give_password(adam, pia_with_app)
    half = sign_in("pia", password)
    for address, sent in [
        (OWN, {"new_password1": CHOSEN, "new_password2": CHOSEN}),
        ("/admin/password_change/", {"old_password": password, "new_password1": CHOSEN, "new_password2": CHOSEN}),
    ]:
        assert half.post(address, sent).status_code == 302
    pia_with_app.refresh_from_db()
    assert pia_with_app.password_set_by == adam.staff
    assert pia_with_app.check_password(password)
    assert "You gave this colleague" in reset(adam, pia_with_app)


@pytest.mark.parametrize("make", [make_factor, make_passkey])
def test_the_rule_is_the_same_for_an_app_and_a_passkey(administrator, pia, make):
    make(pia)
    give_password(administrator, pia)
    assert "You gave this colleague" in reset(administrator, pia)


# Where there is no second factor


def test_where_there_is_no_factor_a_password_is_the_whole_key_and_nobody_gives_one(adam, pia_with_app):
    second_factors.reset_by_operator(pia_with_app, actor=SYSTEM)
    assert "This colleague has no second factor" in give_password(adam, pia_with_app)
    pia_with_app.refresh_from_db()
    assert pia_with_app.check_password(PASSWORD)


def test_a_new_colleagues_first_password_is_given_again_by_who_gave_it_alone(administrator, eve, account):
    first = shown_secret(administrator.post(NEW, {**SENT, "username": "nina", "accounts": [account.pk]}))
    nina = Staff.objects.get(username="nina")
    assert nina.password_set_by == administrator.staff
    assert "adam gave the present one" in give_password(eve, nina)
    second = give_password(administrator, nina)
    assert SESSION_KEY not in sign_in("nina", first).session
    browser = sign_in("nina", second)
    browser.post(ENROL, {"code": app_code(secret_shown(browser.get(ENROL))), **SENT})
    assert browser.get(ME, follow=True).redirect_chain[-1][0].startswith(OWN)
    assert chooses(browser).status_code == 302
    nina.refresh_from_db()
    assert nina.password_set_by is None
    assert browser.get(ME).status_code == 200


def test_where_factors_are_only_offered_passwords_are_given_and_own_ones_chosen(administrator, pia, settings):
    settings.SECOND_FACTOR = "offered"
    password = give_password(administrator, pia)
    browser = sign_in("pia", password)
    assert browser.get(ME, follow=True).redirect_chain[-1][0].startswith(OWN)
    chooses(browser)
    assert browser.get(ME).status_code == 200


# Two people


def test_it_takes_two_and_the_second_is_told_what_the_first_knows(administrator, eve, pia_with_app):
    give_password(administrator, pia_with_app)
    asked = html.unescape(eve.get(page(pia_with_app, "reset-factor")).content.decode())
    assert "adam gave the present password and knows it" in asked
    assert "Password given by" in eve.get(page(pia_with_app)).content.decode()
    assert "is reset" in reset(eve, pia_with_app)
    lines = TrailEntry.objects.filter(object_type="staff", object_id=str(pia_with_app.pk)).order_by("id")
    assert [(line.action, line.actor_label) for line in lines] == [
        ("staff.password_set", "adam"),
        ("staff.factor_reset", "eve"),
    ]


def test_the_dialogs_say_before_that_it_takes_another_one(administrator, pia_with_app, eve):
    give_password(administrator, pia_with_app)
    shown = html.unescape(administrator.get(page(pia_with_app, "reset-factor")).content.decode())
    assert "You gave this colleague the present password: another administrator" in shown
    shown = html.unescape(eve.get(page(pia_with_app, "reset-factor")).content.decode())
    assert "You gave this colleague" not in shown
    reset(eve, pia_with_app)
    shown = html.unescape(eve.get(page(pia_with_app, "password")).content.decode())
    assert "You reset this colleague's second factor: another administrator" in shown


def test_the_table_holds_it_too(pia_with_app, administrator):
    with pytest.raises(IntegrityError, match="staff_takes_two"), transaction.atomic():
        Staff.objects.filter(pk=pia_with_app.pk).update(
            password_set_by=administrator.staff, factor_reset_by=administrator.staff
        )


def test_a_colleague_who_gave_a_password_is_not_forgotten(pia_with_app, administrator):
    from django.db.models import ProtectedError

    give_password(administrator, pia_with_app)
    with pytest.raises(ProtectedError):
        administrator.staff.delete()


# The own password


def test_nothing_opens_before_an_own_password_is_chosen(administrator, pia_with_app, user):
    password = give_password(administrator, pia_with_app)
    browser = sign_in("pia", password)
    browser.post(f"{CODE}?next=/admin/reuseid/user/", {"code": code_of(pia_with_app)})
    shown = browser.get("/admin/reuseid/user/", follow=True)
    address = shown.redirect_chain[-1][0]
    assert address.startswith(OWN)
    lock = {**SENT, "reason": "SUSPECTED_FRAUD", "note": "n"}
    assert browser.post(page(user, "lock"), lock).status_code == 302
    user.refresh_from_db()
    assert user.status == "ACTIVE"
    assert browser.post("/admin/sign-in/passkey/new/").status_code == 403
    done = browser.post(address, {"new_password1": CHOSEN, "new_password2": CHOSEN})
    assert done.url == "/admin/reuseid/user/"
    assert browser.get(done.url).status_code == 200
    assert browser.get(OWN).url == "/admin/"
    assert TrailEntry.objects.get(action="staff.own_password_changed").actor_label == "pia"


def test_the_password_that_was_given_is_no_own_one(administrator, pia_with_app):
    password = give_password(administrator, pia_with_app)
    browser = browser_of(Staff.objects.get(pk=pia_with_app.pk))
    response = chooses(browser, password)
    assert response.context["form"].errors["new_password1"] == ["It is the present one: choose another."]
    assert chooses(browser, "short").status_code == 200
    pia_with_app.refresh_from_db()
    assert pia_with_app.password_set_by == administrator.staff


def test_a_stranger_and_who_has_a_password_of_their_own_choose_nothing_there(client, pia_with_app):
    assert client.post(OWN, {}).url == "/admin/login/"
    assert half_browser_of(pia_with_app).post(OWN, {}).url == "/admin/login/"
    assert browser_of(pia_with_app).post(OWN, {"new_password1": CHOSEN, "new_password2": CHOSEN}).url == "/admin/"
    pia_with_app.refresh_from_db()
    assert pia_with_app.check_password(PASSWORD)


# Who works at the command line


def test_an_operator_resets_a_factor_and_is_told_who_knows_the_password(administrator, pia_with_app, capsys):
    give_password(administrator, pia_with_app)
    call_command("reset_second_factor", "pia")
    assert "adam gave the present password and knows it" in capsys.readouterr().out


def test_a_superuser_of_the_command_line_chose_the_password(db, quick_hashes):
    boss = Staff.objects.create_superuser("boss", password=CHOSEN)
    assert boss.password_set_by is None
    browser = sign_in("boss", CHOSEN)
    browser.post(ENROL, {"code": app_code(secret_shown(browser.get(ENROL))), **SENT})
    assert browser.get("/admin/").status_code == 200


def test_the_passwords_that_the_demo_prints_go_on_working(db, settings, tmp_path, quick_hashes):
    from config.demo import seed

    settings.STATE_DIR, settings.SECOND_FACTOR = tmp_path, "offered"
    first = seed.seed()["staff"]
    assert len(first) == 7
    for name, password in first.items():
        assert sign_in(name, password).get("/admin/").status_code == 200
    Staff.objects.filter(username="support").update(password="x")
    again = seed.seed()["staff"]
    assert {name for name in first if first[name] != again[name]} == {"support"}
    assert sign_in("support", again["support"]).get("/admin/").status_code == 200


def test_a_refused_code_waits_here_too(administrator, pia_with_app):
    password = give_password(administrator, pia_with_app)
    browser = sign_in("pia", password)
    browser.post(CODE, {"code": "000000"})
    patience(pia_with_app)
    browser.post(CODE, {"code": code_of(pia_with_app)})
    assert browser.get("/admin/", follow=True).redirect_chain[-1][0].startswith(OWN)
