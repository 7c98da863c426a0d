"""What pages declare for the kit: rights that there are, headers of columns that are shown; and what an act answers."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import RequestFactory

from reuseid.admin.kit.answers import Refusals
from reuseid.admin.kit.pages import Acting
from reuseid.errors import Conflict, WrongState
from reuseid.models import User
from tests.staff_factories import page, rows_of

PAGES = list(admin.site._registry.values())


@pytest.mark.django_db
@pytest.mark.parametrize("model_admin", [one for one in PAGES if isinstance(one, Acting)], ids=str)
def test_the_rights_of_a_page_are_of_its_acts_and_exist(model_admin):
    rights = model_admin.rights
    acts = model_admin._extract_action_names([*model_admin.actions_list, *model_admin.actions_detail])
    assert set(rights) - set(acts) == set()
    known = Permission.objects.filter(content_type__app_label=model_admin.opts.app_label)
    assert set(rights.values()) - set(known.values_list("codename", flat=True)) == set()


@pytest.mark.parametrize("model_admin", PAGES, ids=str)
def test_each_header_is_of_a_column_that_is_shown(model_admin):
    shown = {*model_admin.list_display, *model_admin.shown, *model_admin.readonly_fields}
    named = {*model_admin.headers, *model_admin.missing}
    assert {f"{name}_shown" for name in named} - shown == set()


@pytest.mark.django_db
def test_a_refused_act_names_the_right_that_is_missing(integrator, user):
    answer = integrator.get(page(user, "lock"))
    assert answer.status_code == 403
    assert "Your roles don&#x27;t include the right “Can lock a user”." in answer.content.decode()


@pytest.fixture
def request_with_messages():
    request = RequestFactory().get(rows_of(User))
    request.session = {}
    request._messages = FallbackStorage(request)
    return request


def told(request):
    return [(str(message.level_tag), str(message)) for message in get_messages(request)]


def test_a_refusal_ends_the_block_and_is_told(request_with_messages):
    with Refusals(request_with_messages, "Nothing was made. %(why)s"):
        raise Conflict("It is there already.")
    assert told(request_with_messages) == [("error", "Nothing was made. It is there already.")]


@pytest.mark.django_db
def test_whoever_comes_too_late_is_told_the_state_and_who_was_faster(request_with_messages, user):
    with Refusals(request_with_messages, row=user):
        raise WrongState(user, User.Status.ACTIVE)
    ((level, sentence),) = told(request_with_messages)
    assert level == "warning"
    assert sentence.startswith("Nothing was changed: the user is active already.")


def test_any_other_error_is_none_of_its_business(request_with_messages):
    with pytest.raises(ZeroDivisionError), Refusals(request_with_messages):
        raise ZeroDivisionError
    assert told(request_with_messages) == []
