"""Rivals over a colleague's factors: one first factor, one answer to a challenge, never none left and never eleven."""

import json
from functools import partial

import pytest
from django_otp.oath import TOTP
from fido2.webauthn import AuthenticatorData

from reuseid.actors import Actor
from reuseid.models import Passkey, SecondFactor
from reuseid.services.staff import passkeys, second_factors
from tests.races.test_approvals import race
from tests.reuseid.admin.authenticator import FLAG, Authenticator, make_passkey
from tests.staff_factories import make_colleague

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PLACE = passkeys.Place("localhost", "http://localhost")
ROUNDS = 6


def adding(staff, *, first):
    """A call that adds a new passkey, its ceremony done."""
    options, state = passkeys.begin_adding(staff, PLACE)
    made = Authenticator().create(json.loads(json.dumps(options)))
    return lambda: passkeys.add(staff, PLACE, state, made, name="x", actor=Actor.staff(staff), first=first)


def enrolling(staff):
    secret = b"a secret of 20 bytes"
    code = f"{TOTP(secret).token():06}"
    return lambda: second_factors.enrol(staff, secret, code, actor=Actor.staff(staff))


def refused(results):
    return [type(result) for result in results if isinstance(result, Exception)]


def test_of_a_first_passkey_and_a_first_app_one_is_taken():
    for number in range(ROUNDS):
        staff = make_colleague(f"kim{number}", None)
        results = race(adding(staff, first=True), enrolling(staff))
        assert refused(results) == [second_factors.NoFactor]
        assert Passkey.objects.filter(user=staff).count() + SecondFactor.objects.filter(user=staff).count() == 1


def test_an_answer_lets_one_in():
    staff = make_colleague("kim", None)
    passkey = make_passkey(staff, counts=False)
    options, state = passkeys.begin_check(staff, PLACE)
    said = passkey.authenticator.get(json.loads(json.dumps(options)))
    results = race(*[lambda: passkeys.check(staff, PLACE, state, said)] * 8)
    assert refused(results) == [second_factors.Refused] * 7


def test_the_counter_lets_one_of_two_clones_in():
    """Past the limit of tries: one UPDATE decides."""
    for number in range(ROUNDS):
        passkey = make_passkey(make_colleague(f"kim{number}", None))
        data = AuthenticatorData.create(bytes(32), FLAG.UP, 1)
        results = race(*(partial(passkeys._take, passkey, data, challenge) for challenge in ("a", "b")))
        assert refused(results) == [second_factors.Refused]


def test_there_is_no_eleventh():
    staff = make_colleague("kim", None)
    for number in range(passkeys.MOST - 1):
        make_passkey(staff, name=f"Key {number}")
    assert refused(race(*(adding(staff, first=False) for _ in range(4)))) == [passkeys.Enough] * 3
    assert Passkey.objects.filter(user=staff).count() == passkeys.MOST


def test_of_two_passkeys_that_are_removed_at_once_one_stays():
    for number in range(ROUNDS):
        staff = make_colleague(f"kim{number}", None)
        both = [make_passkey(staff, name=name) for name in "ab"]
        results = race(*(partial(passkeys.remove, staff, key.pk, actor=Actor.staff(staff)) for key in both))
        assert refused(results) == [passkeys.OnlyFactor]
        assert Passkey.objects.filter(user=staff).count() == 1
