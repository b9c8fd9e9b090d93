"""Django settings, read from the environment alone; `.env.example` documents each variable."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ

from config.environment import LOOPBACK, PRODUCTION, field_keys, profile_of, refuse_bad_secrets

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

PROFILE = profile_of(env.ENVIRON)
IS_PRODUCTION = PROFILE == PRODUCTION
refuse_bad_secrets(env.ENVIRON)

# --- What this installation is -----------------------------------------------------------------------------

SECRET_KEY = env.str("TIEOUT_SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("TIEOUT_SECRET_KEY_FALLBACKS", default=[])
DEBUG = False

BASE_URL = env.str("TIEOUT_BASE_URL").rstrip("/")
_HOST = urlsplit(BASE_URL).hostname or ""
ALLOWED_HOSTS = [_HOST, *LOOPBACK, *env.list("TIEOUT_ALLOWED_HOSTS", default=[])]
CSRF_TRUSTED_ORIGINS = [BASE_URL]

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
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
if _POOL_SIZE:
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
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

# --- The journey -------------------------------------------------------------------------------------------

# A write to an ERP must have ended after the deadline; the settling time is what an ERP may still take to finish one.
TIEOUT_WRITE_DEADLINE_SECONDS = env.float("TIEOUT_WRITE_DEADLINE_SECONDS", default=60)
TIEOUT_SETTLING_SECONDS = env.float("TIEOUT_SETTLING_SECONDS", default=30)

# --- Celery: the broker is only a bell ---------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "sync.tasks.sweep", "schedule": 10.0}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 30, "socket_connect_timeout": 2}

# --- People ------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# unfold's login page carries no `next`: without this, Django answers 404 at /accounts/profile/.
LOGIN_REDIRECT_URL = "admin:index"
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}

UNFOLD = {"SITE_TITLE": "Tieout", "SITE_HEADER": "Tieout"}
