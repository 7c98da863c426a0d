"""Who acts: what keeps a reference to a colleague or a client gets it from the actor, and from no other kind."""

import pytest

from reuseid.actors import SYSTEM, Actor, ActorKind, WrongKind
from reuseid.models import Export, StaffNotice, UserAccess
from reuseid.services import notices
from reuseid.services.audit import access
from reuseid.services.jobs import exports
from reuseid.services.staff import members
from tests import factories
from tests.staff_factories import make_colleague

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim(account):
    return make_colleague("kim", "Senior support", account)


@pytest.fixture
def client(account):
    return factories.make_client(account)


def test_an_actor_knows_the_key_of_its_row(kim, client):
    assert Actor.staff(kim).staff_id == kim.pk
    assert Actor.client(client).client_id == client.pk
    assert Actor.client(client).id == client.client_id


def test_it_knows_none_of_another_kind(kim, client):
    for actor in (SYSTEM, Actor.client(client), Actor(ActorKind.DEVICE, "1"), Actor(ActorKind.STAFF, "1")):
        with pytest.raises(WrongKind, match=f"{actor.kind} {actor.id} acts"):
            _ = actor.staff_id
    for actor in (SYSTEM, Actor.staff(kim), Actor(ActorKind.CLIENT, "bank")):
        with pytest.raises(WrongKind):
            _ = actor.client_id


def test_two_are_the_same_whether_or_not_the_key_is_known(kim):
    assert Actor.staff(kim) == Actor(ActorKind.STAFF, str(kim.pk), "kim")


def test_what_colleagues_do_is_done_by_nobody_else(account, user, client):
    notice = notices.tell(user, "test", "A test.")
    for actor in (SYSTEM, Actor.client(client)):
        for act in (
            lambda actor=actor: exports.ask(account, actor=actor, kind="users", reason="COMPLIANCE"),
            lambda actor=actor: access.viewed(user, actor=actor),
            lambda actor=actor: notices.mark_seen(notice, actor=actor),
            lambda actor=actor: members.create("sam", actor=actor),
        ):
            with pytest.raises(WrongKind):
                act()
    assert not Export.objects.exists()
    assert not UserAccess.objects.exists()
    assert StaffNotice.objects.get().seen_at is None


def test_a_reference_to_who_acts_costs_no_query(kim, user, django_assert_num_queries):
    actor = Actor.staff(kim)
    notice = notices.tell(user, "test", "A test.")
    with django_assert_num_queries(1):
        assert notices.mark_seen(notice, actor=actor)
    assert StaffNotice.objects.get().seen_by == kim
