"""The system checks: what is found, under which id, with a hint."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.core.checks import run_checks

from tests.config.test_settings import PRODUCTION, ROOT


def ids(**kwargs):
    return {message.id for message in run_checks(**kwargs) if (message.id or "").startswith("reuseid.")}


def test_the_settings_of_the_tests_are_clean(tmp_path, settings):
    settings.STATE_DIR = tmp_path
    tmp_path.chmod(0o700)
    assert ids() == set()


@pytest.mark.parametrize("name", ["ENCRYPTION_KEYS", "BLIND_INDEX_KEYS"])
@pytest.mark.parametrize("value", ["", "k1", "k1:short", "k1:" + "A" * 43 + "=,k1:" + "B" * 42 + "A="])
def test_keys_that_cannot_be_read_are_found_without_being_repeated(settings, name, value):
    setattr(settings, name, value)
    found = [message for message in run_checks() if message.id == "reuseid.E001"]
    assert len(found) == 1
    assert name in found[0].msg
    assert found[0].hint
    assert "AAAA" not in found[0].msg


def test_one_key_for_two_purposes_is_found(settings):
    settings.BLIND_INDEX_KEYS = settings.ENCRYPTION_KEYS
    assert "reuseid.E002" in ids()


@pytest.mark.parametrize("name", ["MIDDLEWARE", "BACK_OFFICE_MIDDLEWARE"])
def test_a_back_office_without_its_middleware_is_found(settings, name):
    setattr(
        settings, name, [path for path in getattr(settings, name) if "BackOffice" not in path and "csrf" not in path]
    )
    assert "reuseid.E009" in ids()


def test_state_that_others_can_read_is_found(tmp_path, settings):
    tmp_path.chmod(0o755)
    settings.STATE_DIR = tmp_path
    assert "reuseid.W003" in ids()


def manage(state, *arguments, **environment):
    """``manage.py …`` in a process with exactly these variables."""
    environment = {"STATE_DIR": str(state), "PATH": "/usr/bin:/bin", **environment}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_a_production_with_its_own_secrets_passes_every_check(tmp_path):
    tmp_path.chmod(0o700)
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", TRUSTED_PROXIES="1", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_production_on_one_machines_stores_is_found(tmp_path):
    environment = {name: value for name, value in PRODUCTION.items() if name != "DATABASE_URL"}
    done = manage(tmp_path, "check", "--deploy", ALLOWED_HOSTS="*", **environment)
    assert done.returncode != 0
    assert {name for name in ("E004", "E006", "W007") if f"(reuseid.{name})" not in done.stderr} == set()


def test_a_production_without_secrets_does_not_start_and_says_why(tmp_path):
    done = manage(tmp_path, "check", ENVIRONMENT="production")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
    assert settings.SECRET_KEY not in done.stderr
