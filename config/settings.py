"""One settings module, driven by the environment; docs/operating.md lists every variable.

``ENVIRONMENT=development`` (the default) needs nothing installed: SQLite and an embedded broker under ``var/``.
``ENVIRONMENT=production`` refuses to start on a missing or default secret.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_noop as _
from kombu import Exchange, Queue

from config import broker, env
from config.backoffice import UNFOLD  # noqa: F401
from config.demo import beside
from config.schedule import beat_schedule
from config.spectacular import *  # noqa: F403
from config.throughput import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(env.text("STATE_DIR", str(BASE_DIR / "var")))
STATE_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

ENVIRONMENT = env.choice("ENVIRONMENT", ["development", "production"], "development")
PRODUCTION = ENVIRONMENT == "production"
# What the back office calls this installation, such as Staging; none is production itself.
ENVIRONMENT_NAME = env.text("ENVIRONMENT_NAME")
DEBUG = env.flag("DEBUG", False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG=1 in production: unset DEBUG.")

# --- secrets ---------------------------------------------------------------------------------------------------------
SECRET_KEY = env.secret("SECRET_KEY", development="development-only-" + "0" * 48, production=PRODUCTION)
# Earlier ones, which sessions and links made before a change are still checked with.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
if PRODUCTION:
    for _key in SECRET_KEY_FALLBACKS:
        env.refuse_public("SECRET_KEY_FALLBACKS", _key)
# `id:base64 of 32 bytes`, comma-separated, newest first: the first encrypts, all decrypt.
ENCRYPTION_KEYS = env.secret(
    "ENCRYPTION_KEYS", development="dev:ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE=", production=PRODUCTION
)
# The same form. Keyed hashes of what is looked up: attribute values, activation codes, claims.
BLIND_INDEX_KEYS = env.secret(
    "BLIND_INDEX_KEYS", development="dev:ZGV2ZWxvcG1lbnQtb25seS1ibGluZC1pbmRleC1rZXk=", production=PRODUCTION
)
# Where key-encryption keys come from, a dotted path: a KMS instead of ENCRYPTION_KEYS.
KEY_PROVIDER = env.text("KEY_PROVIDER", "reuseid.crypto.SettingsKeys")

# --- where the service is seen ---------------------------------------------------------------------------------------
# Of 127.0.0.1, for `make demo`; a command beside a demo that runs speaks of that one's.
PORT = env.integer("PORT", (None if PRODUCTION else beside.port_of(STATE_DIR)) or 8000, minimum=1)
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
if PRODUCTION and not PUBLIC_URL.startswith("https://"):
    raise ImproperlyConfigured("PUBLIC_URL must be the service's https:// address in production.")
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", [_public.hostname or "", *([] if PRODUCTION else ["127.0.0.1", "localhost"])]
)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [f"{_public.scheme}://{_public.netloc}"])
# Proxies in front whose X-Forwarded-For and X-Forwarded-Proto are believed.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)

# --- applications ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config.apps.BackOfficeConfig",
    "reuseid.apps.ReuseIDConfig",
    "mobileid.apps.MobileIDConfig",
    "bench",
    # Its default would put a site of its own in place of config.apps.AdminConfig's.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django_otp",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "reuseid.tracing.TraceMiddleware",
    "reuseid.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Not on static files: a worker's script would bring its own policy along.
    "reuseid.middleware.browsers.ContentPolicy",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "reuseid.middleware.back_office.BackOffice",
]
# Of addresses that are not the API's, the phones' or the probes'.
BACK_OFFICE_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "reuseid.middleware.language.BackOfficeLanguage",
    "reuseid.middleware.zone.BackOfficeZone",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "reuseid.middleware.browsers.SessionEnd",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
# They look for these in MIDDLEWARE; reuseid.E009 looks for them where they are.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410", "security.W003"]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
# `/admin` and `/api/docs` lead to their pages; paths of the API have no slash at the end.
APPEND_SLASH = True
AUTH_USER_MODEL = "reuseid.Staff"
LOGIN_REDIRECT_URL = "admin:index"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- stores ----------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.database("DATABASE_URL", STATE_DIR / "reuseid.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # Each thread keeps its connection for so many seconds, and looks at it before use (config.postgresql).
    DATABASES["default"]["CONN_MAX_AGE"] = env.integer("DATABASE_CONNECTION_AGE", 600)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = not env.flag("DATABASE_SERVER_CURSORS", True)
    # Seconds for a new one, which else could take minutes.
    DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 10)
    # The server binds the values, so a statement's text stays the same and its plan can be kept: one that a connection
    # has run so often is prepared. 0 never prepares, for a pooler that does not know prepared statements.
    DATABASES["default"]["OPTIONS"]["server_side_binding"] = True
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = env.integer("DATABASE_PREPARE_AFTER", 3) or None
REDIS_URL = env.redis("REDIS_URL")
if PRODUCTION and not REDIS_URL:
    raise ImproperlyConfigured("REDIS_URL is not set: production counts limits in a Redis that all processes share.")
# Where limits are counted, and nothing else: there is no cache whose entries could push the counters out.
LIMITS_REDIS_URL = env.redis("LIMITS_REDIS_URL", REDIS_URL)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

# --- Celery ----------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.text("BROKER_URL", REDIS_URL or broker.URL)
_embedded = CELERY_BROKER_URL == broker.URL
if PRODUCTION and _embedded:
    raise ImproperlyConfigured("REDIS_URL (or BROKER_URL) is not set: production needs a broker.")
if _embedded:
    for _name in ("queue", "control"):
        (STATE_DIR / "broker" / _name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(STATE_DIR / "broker" / "queue"),
        "data_folder_out": str(STATE_DIR / "broker" / "queue"),
        "control_folder": str(STATE_DIR / "broker" / "control"),
        "polling_interval": 0.1,
    }
elif CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 3600,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# The row is the memory and a task only wakes its reader: a broker that is down costs a caller little.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A worker keeps its connection, as a web server's thread does: Celery would close it after each task.
CELERY_DB_REUSE_MAX = sys.maxsize
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "sweeps"
# Named with exchange and key: a bare queue would be bound to the default one's and get everybody's messages.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("callbacks", "sweeps", "bulk")]
CELERY_TASK_ROUTES = {
    "reuseid.tasks.send_owed_callbacks": {"queue": "callbacks"},
    "reuseid.tasks.carry_out_bulk_runs": {"queue": "bulk"},
    "reuseid.tasks.make_exports": {"queue": "bulk"},
}
CELERY_TIMEZONE = "UTC"
# What /readyz and /metrics watch: a worker on each of these queues, and how old (seconds) a sign of life and a callback
# that waits for its sender may be.
WATCHED_QUEUES = env.words("WATCHED_QUEUES", [queue.name for queue in CELERY_TASK_QUEUES])
HEARTBEAT_LATE = env.integer("HEARTBEAT_LATE", 60, minimum=1)
CALLBACK_LATE = env.integer("CALLBACK_LATE", 120, minimum=1)
# Seconds of silence after which a second beat takes over.
BEAT_SILENCE = env.integer("BEAT_SILENCE", 30, minimum=2)
# Bearer token of /metrics; without one only loopback reads them.
METRICS_TOKEN = env.text("METRICS_TOKEN")
CELERY_BEAT_SCHEDULE = beat_schedule(
    callback_sweep=env.integer("CALLBACK_SWEEP", 5, minimum=1),
    bulk_sweep=env.integer("BULK_SWEEP", 15, minimum=1),
    watched_queues=WATCHED_QUEUES,
)
CELERY_BEAT_SCHEDULER = "reuseid.beat:SingleScheduler"

# --- callbacks -------------------------------------------------------------------------------------------------------
# Networks (CIDR) beside the public internet that may be called: an operator whose integrators live in its own network.
OUTBOUND_ALLOWED_NETWORKS = env.networks("OUTBOUND_ALLOWED_NETWORKS")
OUTBOUND_ALLOW_LOOPBACK = env.flag("OUTBOUND_ALLOW_LOOPBACK", not PRODUCTION)
# A further certificate authority (PEM) beside the system's.
OUTBOUND_CA_FILE = env.text("OUTBOUND_CA_FILE")
# Seconds: one attempt in all; how long a claimed delivery is its sender's; one run of the sender; the retry table.
CALLBACK_TIMEOUT = env.integer("CALLBACK_TIMEOUT", 15, minimum=1)
CALLBACK_LEASE = env.integer("CALLBACK_LEASE", 60, minimum=2)
if CALLBACK_LEASE < 2 * CALLBACK_TIMEOUT:
    raise ImproperlyConfigured("CALLBACK_LEASE must be at least twice CALLBACK_TIMEOUT.")
CALLBACK_RUN = env.integer("CALLBACK_RUN", 25, minimum=1)
CALLBACK_RETRIES = env.integers("CALLBACK_RETRIES", [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400])
# Requests under way in one worker process: in all, and to one endpoint.
CALLBACK_SLOTS = env.integer("CALLBACK_SLOTS", 64, minimum=2)
CALLBACK_ENDPOINT_SLOTS = env.integer("CALLBACK_ENDPOINT_SLOTS", 16, minimum=1)
# Failures in a row after which an endpoint rests for the first of so many seconds, doubling up to the second.
CALLBACK_BREAKER_AFTER = env.integer("CALLBACK_BREAKER_AFTER", 5, minimum=1)
CALLBACK_BREAKER_REST = env.integers("CALLBACK_BREAKER_REST", [5, 300])
# Hours of nothing but failures after which an endpoint is disabled.
CALLBACK_DISABLE_AFTER = env.integer("CALLBACK_DISABLE_AFTER", 72, minimum=1)
WEBHOOK_ENDPOINTS = env.integer("WEBHOOK_ENDPOINTS", 20, minimum=1)
# Events, their deliveries and attempts; longer than the retry table.
EVENT_RETENTION_DAYS = env.integer("EVENT_RETENTION_DAYS", 30, minimum=4)

# Numbers of ended hours, for the first page's charts.
COUNT_RETENTION_DAYS = env.integer("COUNT_RETENTION_DAYS", 400, minimum=31)

# --- the REST API ----------------------------------------------------------------------------------------------------
# One for all accounts: verifiers of consents and receipts read it (RFC 7517).
JWKS_URI = f"{PUBLIC_URL}/.well-known/jwks.json"
OAUTH2_PROVIDER_APPLICATION_MODEL = "reuseid.Client"
SCOPES = {
    "users:read": _("Read users"),
    "users:write": _("Create, change, lock, unlock and deactivate users"),
    "attributes:read": _("Read attribute values"),
    "attributes:write": _("Write attribute values"),
    "devices:read": _("Read devices"),
    "devices:write": _("Rename, lock, unlock and deactivate devices"),
    "operations:read": _("Read operations"),
    "operations:write": _("Start, confirm, release and cancel operations"),
    "webhooks:manage": _("Manage webhook endpoints and read events"),
}
OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # Only the SHA-256 of a token is kept (RFC 9700).
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "SCOPES_BACKEND_CLASS": "reuseid.api.oauth.ClientScopes",
    "OAUTH2_SERVER_CLASS": "reuseid.api.oauth.Server",
    "OAUTH2_VALIDATOR_CLASS": "reuseid.api.oauth.ClientCredentialsValidator",
    "OAUTH2_BACKEND_CLASS": "reuseid.api.oauth.Core",
    "CLIENT_SECRET_HASHER": "pbkdf2_sha256_client",
    # What the metadata (RFC 8414) says.
    "OIDC_ISS_ENDPOINT": PUBLIC_URL,
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["client_credentials"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": [],
}
# Calls a minute: of one client over the whole API; of one address at /oauth/.
API_RATE_LIMIT = env.integer("API_RATE_LIMIT", 6000, minimum=1)
# Messages a minute from one address: many phones share one behind a mobile network.
DEVICE_RATE_LIMIT = env.integer("DEVICE_RATE_LIMIT", 1200, minimum=1)
OAUTH_RATE_LIMIT = env.integer("OAUTH_RATE_LIMIT", 120, minimum=1)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["reuseid.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "reuseid.api.openapi.schema.Schema",
    "EXCEPTION_HANDLER": "reuseid.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# --- people ----------------------------------------------------------------------------------------------------------
# Why users and devices are locked, unlocked, deactivated or erased; each with its explanation for staff.
REASONS = {
    "CUSTOMER_REQUEST": _("The customer asked for it."),
    "SUSPECTED_FRAUD": _("Somebody else may be acting for the customer."),
    "DEVICE_LOST": _("The customer lost the phone."),
    "DEVICE_STOLEN": _("The phone was stolen."),
    "TOO_MANY_FAILURES": _("Too many wrong PINs or failed sign-ins."),
    "DECEASED": _("The customer has died."),
    "CONTRACT_ENDED": _("The customer is no longer a customer."),
    "COMPLIANCE": _("A law, a court or an internal rule asks for it."),
    "RESOLVED": _("What led to the lock is settled."),
    "OTHER": _("None of the above; the note says why."),
}
# Hours in which a second colleague agrees to what can't be undone, and days for which settled requests are kept.
REQUEST_HOURS = env.integer("REQUEST_HOURS", 24, minimum=1)
REQUEST_RETENTION_DAYS = env.integer("REQUEST_RETENTION_DAYS", 365, minimum=1)
# What a colleague asks to make sure who is calling; each with its wording.
CALLER_QUESTIONS = {
    "DATE_OF_BIRTH": "Date of birth",
    "ADDRESS": "Postal address",
    "LAST_PAYMENT": "Amount or payee of the last payment",
    "KNOWN_NUMBER": "Calls from the phone number on file",
    "CALLED_BACK": "Called back on the number on file",
}
# Whether colleagues must have verified the caller before they unlock or start a registration.
CALLER_CHECK = env.choice("CALLER_CHECK", ["advised", "required"], "advised")
# Rows of one bulk act, and how long what came of them is kept.
BULK_LIMIT = env.integer("BULK_LIMIT", 100, minimum=1)
BULK_RETENTION_DAYS = env.integer("BULK_RETENTION_DAYS", 90, minimum=1)
# Rows of one export, and the hours after which it is deleted.
EXPORT_LIMIT = env.integer("EXPORT_LIMIT", 100_000, minimum=1)
EXPORT_HOURS = env.integer("EXPORT_HOURS", 24, minimum=1)
# Lines of the trail older than this go, in whole seals; 0 keeps them for ever.
TRAIL_RETENTION_DAYS = env.integer("TRAIL_RETENTION_DAYS", 0)
if 0 < TRAIL_RETENTION_DAYS < 30:
    raise ImproperlyConfigured(f"TRAIL_RETENTION_DAYS={TRAIL_RETENTION_DAYS}: 0, or 30 at least.")
# The country of phone numbers that are written without one: two letters, or none.
PHONE_REGION = env.text("PHONE_REGION")

# --- browsers --------------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE, LANGUAGE_COOKIE_AGE = True, "Lax", 365 * 86400
# Seconds: a colleague's session in all, and without a call.
SESSION_COOKIE_AGE = 8 * 3600
SESSION_IDLE = 60 * env.integer("SESSION_IDLE_MINUTES", 30, minimum=1)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# Must colleagues have a second factor? Minutes after which strong acts ask for it again; days that sign-ins are kept.
SECOND_FACTOR = env.choice("SECOND_FACTOR", ["required", "offered"], "required")
STEP_UP_MINUTES = env.integer("STEP_UP_MINUTES", 5, minimum=1)
# Searches for people by value, a colleague and hour: of a bare value, and of `name:value`.
SEARCH_QUOTA = env.integer("SEARCH_QUOTA", 200, minimum=1)
SEARCH_QUOTA_BY_NAME = env.integer("SEARCH_QUOTA_BY_NAME", 20, minimum=1)
SIGN_IN_RETENTION_DAYS = env.integer("SIGN_IN_RETENTION_DAYS", 400, minimum=1)
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = not PRODUCTION
if PRODUCTION:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
AUTHENTICATION_BACKENDS = ["reuseid.admin.auth.password.CountedPasswords"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", "reuseid.api.oauth.ClientSecretHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Of the back office; whatever else the service says (API, logs, trail) is English.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True

LOG_LEVEL = env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"trace": {"()": "reuseid.tracing.TraceFilter"}},
    "formatters": {
        "line": {
            "()": "reuseid.tracing.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s [%(trace_id)s] %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["trace"]}},
    # They log each address that is called, and each passkey.
    "loggers": {"httpx": {"level": "WARNING"}, "fido2": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
