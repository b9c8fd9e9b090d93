"""Django settings, read from the environment alone; `.env.example` documents each variable."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from config.console import UNFOLD  # noqa: F401 - read by django-unfold
from config.environment import (
    LOOPBACK,
    PRODUCTION,
    field_keys,
    profile_of,
    refuse_bad_secrets,
    refuse_proof,
    second_factor,
)
from config.logging import configure_structlog, logging_settings

VERSION = "0.2.0"
BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

PROFILE = profile_of(env.ENVIRON)
IS_PRODUCTION = PROFILE == PRODUCTION
refuse_bad_secrets(env.ENVIRON)
refuse_proof(env.ENVIRON)

# --- What this installation is -----------------------------------------------------------------------------

SECRET_KEY = env.str("TIEOUT_SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("TIEOUT_SECRET_KEY_FALLBACKS", default=[])
DEBUG = False

BASE_URL = env.str("TIEOUT_BASE_URL").rstrip("/")
_HOST = urlsplit(BASE_URL).hostname or ""
ALLOWED_HOSTS = [_HOST, *LOOPBACK, *env.list("TIEOUT_ALLOWED_HOSTS", default=[])]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
USES_HTTPS = BASE_URL.startswith("https://")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "tenants",
    "audit",
    "erp",
    "storefront",
    "mappings",
    "sync",
    "config.apps.TieoutConfig",
    "rest_framework",
    "drf_spectacular",
    "import_export",
    "django_celery_beat",
    "django_structlog",
    "django_otp",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "config.middleware.WebhookHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.ReceiverMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "tenants.second_factor.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.time_zone.TimeZoneMiddleware",
    "config.middleware.CorrelationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
            ],
        },
    },
]

# --- Database, cache, broker -------------------------------------------------------------------------------

# The native pool: Celery closes the connection around every task, so without it each task pays a new
# connection (measured 119/s without, 644/s with, 16 threads). 0 switches it off.
_POOL_SIZE = env.int("TIEOUT_DB_POOL", default=10)

DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
# A socket's folder, written %2Fvar%2Frun in the URL, as libpq reads it.
DATABASES["default"]["HOST"] = unquote(DATABASES["default"]["HOST"] or "")
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A process that stands still (suspended, its machine asleep) inside a transaction holds locks that all others wait for:
# PostgreSQL ends the transaction. None of ours waits for anything but the database. A company whose next posting was being
# taken stands still for that long, so it is short.
_OPTIONS = DATABASES["default"].setdefault("OPTIONS", {})
_OPTIONS.setdefault("options", "-c idle_in_transaction_session_timeout=15s")
# Statements are planned once per connection instead of each time: planning was two thirds of PostgreSQL's work.
_OPTIONS.setdefault("server_side_binding", True)
_OPTIONS.setdefault("prepare_threshold", 2)
if _POOL_SIZE:
    _OPTIONS["pool"] = {
        "min_size": min(2, _POOL_SIZE),
        "max_size": _POOL_SIZE,
        "timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "tieout",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
    }
}

# --- Encrypted fields --------------------------------------------------------------------------------------

# Never SECRET_KEY, to which the library would fall back in silence: refuse_bad_secrets() and a system check
# stand before that.
FERNET_KEYS = field_keys(env.ENVIRON)

# --- Celery: the broker is only a bell ---------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:SingleScheduler"
CELERY_BEAT_SCHEDULE = {
    # Written to the database scheduler's table at start, where an operator can change it.
    "sweep": {"task": "sync.tasks.sweep", "schedule": timedelta(seconds=10), "options": {"expires": 10}},
    "watch": {"task": "sync.tasks.watch", "schedule": timedelta(minutes=1), "options": {"expires": 60}},
    "answers to webhooks": {
        "task": "sync.tasks.watch_answers",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "history imports": {
        "task": "sync.tasks.advance_imports",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "certificates": {
        "task": "sync.tasks.settle_certificates",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 300},
    },
    "flows of stores": {"task": "sync.tasks.ensure_store_flows", "schedule": timedelta(days=1)},
    "probes": {
        "task": "sync.tasks.probe_connections",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "doubles": {
        "task": "sync.tasks.look_for_doubles",
        "schedule": timedelta(minutes=10),
        "options": {"expires": 600},
    },
    "rhythms": {"task": "sync.tasks.learn_rhythms", "schedule": timedelta(hours=1)},
    "audit partitions": {"task": "audit.make_partitions", "schedule": timedelta(days=1)},
    "retention": {"task": "sync.tasks.prune_all", "schedule": crontab(hour=3, minute=10)},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
if CELERY_BROKER_URL.startswith(("redis", "rediss", "unix")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Longer than the longest task. Long delays are kept in rows, so nothing needs an hour here.
        "visibility_timeout": 900,
        # kombu sweeps every interval x throttle seconds: its 10 x 10 restored nothing in 60 s (measured).
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "socket_timeout": 30,
        "socket_connect_timeout": 2,
        "health_check_interval": 25,
    }
else:
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
    CELERY_TASK_DEFAULT_EXCHANGE_TYPE = "topic"  # RabbitMQ delays messages on topic exchanges only
    CELERY_WORKER_DETECT_QUORUM_QUEUES = True
    CELERY_BROKER_NATIVE_DELAYED_DELIVERY_QUEUE_TYPE = "quorum"

# --- Outward -----------------------------------------------------------------------------------------------

# Whether stores, ERP companies and their proxies may be on this machine, where databases and other services listen too.
TIEOUT_ALLOW_LOOPBACK = env.bool("TIEOUT_ALLOW_LOOPBACK", default=not IS_PRODUCTION)

# --- Deadlines of the journey ------------------------------------------------------------------------------

# One write to an ERP, from the first byte to the last: past it the outcome is unknown and is looked up.
TIEOUT_WRITE_DEADLINE_SECONDS = env.float("TIEOUT_WRITE_DEADLINE_SECONDS", default=60)
# How long after that deadline an ERP may still be committing what it received.
TIEOUT_SETTLING_SECONDS = env.float("TIEOUT_SETTLING_SECONDS", default=30)
# For so long, at least, nobody else takes an order that a worker reads.
TIEOUT_SHORTEST_LEASE_SECONDS = env.float("TIEOUT_SHORTEST_LEASE_SECONDS", default=90)

# --- The proof ---------------------------------------------------------------------------------------------

# Where the fault suite lays its traps (sync/steps.py) and how far it is ahead with our own waits (audit/waiting.py).
TIEOUT_TRAPS = env.str("TIEOUT_TRAPS", default="")
TIEOUT_WAITS_AHEAD = env.str("TIEOUT_WAITS_AHEAD", default="")

# --- People ------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# unfold's login page carries no `next`: without this, Django answers 404 at /accounts/profile/.
LOGIN_REDIRECT_URL = "admin:index"
LOGIN_URL = "admin:login"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Five failures of one person from one address close that pair for a quarter of an hour.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "config.middleware.client_address"
AXES_USERNAME_CALLABLE = "config.middleware.name_to_count_for"
AXES_VERBOSE = False
# Who must sign in with a second factor besides those whose tenant asks for it: optional, superusers, everybody.
TIEOUT_SECOND_FACTOR = second_factor(env.ENVIRON)
# How many reverse proxies append to X-Forwarded-For before a request arrives here.
TRUSTED_PROXIES = env.int("TIEOUT_TRUSTED_PROXIES", default=0)

# --- E-mail: alerts alone ----------------------------------------------------------------------------------

# The local profile prints them. A mail server that does not take them delays them: messages are rows.
_MAIL = env.email_url("EMAIL_URL", default="smtp://127.0.0.1:25" if IS_PRODUCTION else "consolemail://")
vars().update(_MAIL)  # EMAIL_BACKEND, EMAIL_HOST and the rest
EMAIL_TIMEOUT = 10  # seconds for each step of the conversation with the mail server
DEFAULT_FROM_EMAIL = env.str("TIEOUT_EMAIL_FROM", default=f"tieout@{_HOST}")

# --- Browsers ----------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = USES_HTTPS
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if USES_HTTPS:
    # gunicorn speaks plain HTTP to the reverse proxy, which must set or remove this header itself.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked over plain HTTP, past the proxy
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# Preloading is a promise of the whole registered domain, which is not ours to give.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        # The console's Alpine.js compiles its attributes, which needs eval; no inline script runs.
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]

# Served from the packages by the web process itself: no step that collects them, nothing on a local disk.
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS = {"TITLE": "Tieout", "VERSION": VERSION, "SERVE_INCLUDE_SCHEMA": False}


# --- What machines ask -------------------------------------------------------------------------------------

# Who may read /metrics. Without it nobody may in production.
TIEOUT_METRICS_TOKEN = env.str("TIEOUT_METRICS_TOKEN", default="")
# Where a worker answers /metrics; "": nowhere.
TIEOUT_WORKER_METRICS = env.str("TIEOUT_WORKER_METRICS", default="")
# Where traces and error reports go; "": nowhere, and what would send them is not imported.
TIEOUT_OTLP_URL = env.str("TIEOUT_OTLP_URL", default="")
TIEOUT_SENTRY_DSN = env.str("TIEOUT_SENTRY_DSN", default="")

# --- Logs --------------------------------------------------------------------------------------------------

_LOG_FORMAT = env.str("TIEOUT_LOG_FORMAT", default="json" if IS_PRODUCTION else "console")
LOGGING = logging_settings(level=env.str("TIEOUT_LOG_LEVEL", default="INFO"), log_format=_LOG_FORMAT)
configure_structlog()
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # an address is personal data
DJANGO_STRUCTLOG_CELERY_ENABLED = False
