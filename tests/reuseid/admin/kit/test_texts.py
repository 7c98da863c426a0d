"""Each state, act and reason has one sentence of explanation."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from reuseid.admin.kit import texts
from reuseid.admin.kit.texts.acts import ACTS
from reuseid.admin.kit.texts.statuses import meaning
from reuseid.services.people import users
from tests.staff_factories import page

ROOT = Path(__file__).resolve().parents[4]
STATEFUL = [
    model
    for label in ("reuseid", "mobileid")
    for model in apps.get_app_config(label).get_models()
    if hasattr(model, "Status") and hasattr(model, "status")
]


@pytest.mark.parametrize("model", STATEFUL, ids=lambda model: model._meta.model_name)
def test_each_state_has_a_sentence(model):
    for state in model.Status:
        assert meaning(model(status=state)), state


def test_each_act_that_a_service_records_has_a_sentence():
    recorded = set()
    for path in [*ROOT.glob("reuseid/services/**/*.py"), *ROOT.glob("mobileid/services/**/*.py")]:
        recorded |= set(re.findall(r'trail\.record\(\s*\w+,\s*"([a-z_]+\.[a-z_]+)"', path.read_text()))
    assert len(recorded) > 30
    assert recorded - set(ACTS) == set()


def test_each_reason_of_the_service_and_of_the_setting_has_a_sentence():
    codes = {"NUMBER_MISMATCH", "USER", "NOT_ME", "SUPERSEDED", *settings.REASONS}
    for path in [*ROOT.glob("*/services/**/*.py"), ROOT / "mobileid" / "receivers.py"]:
        codes |= set(re.findall(r'(?:reason|why|REASON|SUPERSEDED)(?:: str)? ?= ?"([A-Z_]+)"', path.read_text()))
    assert {"CANCELED", "TOO_MANY_FAILURES", "LOCK_OVER", "GONE", "FAILING", "USER_LOCKED"} <= codes
    assert {code for code in codes if not texts.reason_sentence(code)} == set()


@pytest.mark.django_db
def test_the_page_says_what_the_state_means(support, user):
    from reuseid.actors import SYSTEM

    assert "May sign in with an active device." in support.get(page(user)).content.decode()
    users.lock(user, actor=SYSTEM, reason="COMPLIANCE")
    shown = support.get(page(user)).content.decode()
    assert "Nothing of this person&#x27;s works until somebody unlocks them or the lock ends.</p>" in shown
