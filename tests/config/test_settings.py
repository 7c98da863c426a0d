"""The settings: loud about what is missing or wrong, by the variable's name, and silent about values."""

import base64
import re
import runpy
import secrets
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
KEY, OTHER_KEY = "k1:" + "A" * 43 + "=", "k1:" + "B" * 42 + "A="
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "ENCRYPTION_KEYS": KEY,
    "BLIND_INDEX_KEYS": OTHER_KEY,
    "PUBLIC_URL": "https://id.example.com",
    "REDIS_URL": "redis://redis.internal/0",
    "DATABASE_URL": "postgresql://app:pass%40word@db.internal:5433/reuseid?sslmode=require",
}
OURS = [
    *PRODUCTION,
    "SECRET_KEY_FALLBACKS",
    "LIMITS_REDIS_URL",
    "DEBUG",
    "BROKER_URL",
    "PORT",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "TRUSTED_PROXIES",
]


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Load the settings module anew under exactly these variables."""

    def load(**variables):
        for name in OURS:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(f"{name}_FILE", raising=False)
        monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delitem(sys.modules, "config.throughput", raising=False)
        return runpy.run_path(str(ROOT / "config" / "settings.py"))

    return load


def test_development_needs_no_variable(load, tmp_path):
    settings = load()
    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / "state" / "reuseid.sqlite3")
    assert settings["CELERY_BROKER_URL"] == "files://"
    assert settings["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert settings["DEBUG"] is False
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_another_port_is_seen_in_the_public_address(load):
    assert load(PORT="8123")["PUBLIC_URL"] == "http://127.0.0.1:8123"


def test_production_with_its_own_secrets_is_hardened(load):
    settings = load(**PRODUCTION)
    assert settings["ALLOWED_HOSTS"] == ["id.example.com"]
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["SECURE_HSTS_SECONDS"] >= 31_536_000
    database = settings["DATABASES"]["default"]
    assert (database["USER"], database["PASSWORD"], database["PORT"]) == ("app", "pass@word", 5433)
    assert database["OPTIONS"]["sslmode"] == "require"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (600, True)


def test_statements_are_prepared_unless_a_pooler_cannot_keep_them(load):
    def prepares_after(**more):
        return load(**PRODUCTION, **more)["DATABASES"]["default"]["OPTIONS"]["prepare_threshold"]

    assert prepares_after() == 3
    assert prepares_after(DATABASE_PREPARE_AFTER="0") is None


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEYS", "PUBLIC_URL", "REDIS_URL"])
def test_production_refuses_to_start_without_it(load, missing):
    with pytest.raises(ImproperlyConfigured, match=missing):
        load(**{name: value for name, value in PRODUCTION.items() if name != missing})


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEYS"])
def test_production_refuses_the_secret_of_development(load, name):
    development = load()[name]
    with pytest.raises(ImproperlyConfigured, match=name) as refusal:
        load(**{**PRODUCTION, name: development})
    assert development not in str(refusal.value)


SECRET, ENCRYPTION = "development-only-" + "0" * 48, "ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE="
BLIND = "ZGV2ZWxvcG1lbnQtb25seS1ibGluZC1pbmRleC1rZXk="
VARIANTS = [
    ("SECRET_KEY", f" {SECRET} "),
    ("SECRET_KEY", SECRET + "x"),
    ("SECRET_KEY", SECRET.upper()),
    ("SECRET_KEY", "my-" + SECRET),
    ("SECRET_KEY", base64.b64encode(SECRET.encode()).decode()),
    ("SECRET_KEY", "django-insecure-" + "x" * 50),
    ("SECRET_KEY_FALLBACKS", f"{'o' * 50},{SECRET}"),
    ("ENCRYPTION_KEYS", f"k1:{ENCRYPTION}"),
    ("ENCRYPTION_KEYS", f"{KEY},old:{ENCRYPTION}"),
    ("ENCRYPTION_KEYS", f"{KEY}, old:{BLIND}"),
    # The last bits of the last letter before the padding say nothing.
    ("ENCRYPTION_KEYS", f"k1:{ENCRYPTION[:-2]}F="),
    ("BLIND_INDEX_KEYS", f"k1:{BLIND}"),
    ("BLIND_INDEX_KEYS", f"{OTHER_KEY},old:{BLIND}"),
    ("BLIND_INDEX_KEYS", f"k1:{ENCRYPTION}"),
]


@pytest.mark.parametrize(("name", "value"), VARIANTS)
def test_production_knows_a_secret_of_development_by_what_it_says(load, name, value):
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} holds a secret of development") as refusal:
        load(**{**PRODUCTION, name: value})
    assert value.strip() not in str(refusal.value)


def test_the_secrets_of_development_are_what_production_refuses(load):
    """Whatever they become: each, under whatever name it is given."""
    development = load()
    for given in ("SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEYS"):
        for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "ENCRYPTION_KEYS", "BLIND_INDEX_KEYS"):
            with pytest.raises(ImproperlyConfigured, match=name):
                load(**{**PRODUCTION, name: development[given].replace("dev:", "other:")})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("DEBUG", "maybe"),
        ("PORT", "eight"),
        ("PORT", "0"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRAIL_RETENTION_DAYS", "29"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://app:hunter2@db/reuseid"),
        ("DATABASE_URL", "app:hunter2@db/reuseid"),
        ("DATABASE_URL", "postgresql://app:hunter2@db:port/reuseid"),
        ("DATABASE_URL", "postgresql://app:hunter2@db"),
        ("DATABASE_URL", "sqlite://"),
        ("REDIS_URL", "http://app:hunter2@redis"),
        ("LIMITS_REDIS_URL", "redis.internal"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(load, name, value):
    with pytest.raises(ImproperlyConfigured, match=name) as refusal:
        load(**{name: value})
    assert "hunter2" not in str(refusal.value)


def test_a_broker_of_another_kind_does_not_replace_the_redis_of_the_limits(load):
    others = {name: value for name, value in PRODUCTION.items() if name != "REDIS_URL"}
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        load(**others, BROKER_URL="amqp://broker")


def test_limits_may_have_a_redis_of_their_own(load):
    assert load(**PRODUCTION)["LIMITS_REDIS_URL"] == PRODUCTION["REDIS_URL"]
    own = load(**PRODUCTION, LIMITS_REDIS_URL="redis://limits.internal/0")
    assert own["LIMITS_REDIS_URL"] == "redis://limits.internal/0"


def test_debug_is_refused_in_production(load):
    with pytest.raises(ImproperlyConfigured, match="DEBUG"):
        load(**PRODUCTION, DEBUG="1")


def test_plain_http_is_refused_in_production(load):
    with pytest.raises(ImproperlyConfigured, match="PUBLIC_URL"):
        load(**{**PRODUCTION, "PUBLIC_URL": "http://id.example.com"})


def test_a_secret_comes_from_a_file(load, tmp_path):
    (tmp_path / "secret").write_text("from-a-file-" + "x" * 50 + "\n")
    variables = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"}
    assert load(**variables, SECRET_KEY_FILE=str(tmp_path / "secret"))["SECRET_KEY"] == "from-a-file-" + "x" * 50


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_that_is_missing_empty_or_binary_is_refused(load, tmp_path, content):
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE"):
        load(SECRET_KEY_FILE=str(tmp_path / "secret"))


def test_a_secret_given_twice_is_refused(load, tmp_path):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY and SECRET_KEY_FILE"):
        load(SECRET_KEY="x" * 60, SECRET_KEY_FILE=str(tmp_path / "secret"))


@pytest.mark.parametrize("text", ["8001", ":8001", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536"])
def test_an_address_to_listen_on_is_host_and_port(load, text):
    with pytest.raises(ImproperlyConfigured, match="HEALTH_LISTEN"):
        load(HEALTH_LISTEN=text)
    assert load(HEALTH_LISTEN="0.0.0.0:8001")["HEALTH_LISTEN"] == "0.0.0.0:8001"


def test_a_sqlite_path_may_be_relative_or_absolute(load):
    assert load(DATABASE_URL="sqlite:///var/my%20people.sqlite3")["DATABASES"]["default"]["NAME"] == (
        "var/my people.sqlite3"
    )
    assert load(DATABASE_URL="sqlite:////srv/people.sqlite3")["DATABASES"]["default"]["NAME"] == "/srv/people.sqlite3"


def test_every_variable_is_in_the_operating_guide_with_its_default():
    guide = (ROOT / "docs" / "operating.md").read_text()
    source = "".join((ROOT / "config" / name).read_text() for name in ("settings.py", "throughput.py"))
    found = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", guide, re.MULTILINE)
    rows = dict(found)
    assert len(found) == len(rows)
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    assert names - set(rows) == set()
    assert set(rows) - names == set()
    numbers = re.findall(r'env\.integer\("([A-Z_]+)", ([\d_]+)', source)
    assert {name: rows[name] for name, default in numbers if rows[name] != f"`{int(default)}`"} == {}
