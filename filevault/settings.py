"""Settings: everything that differs between deployments comes from the environment.

`.env.example` and docs/configuration.md list every variable. A missing or malformed one stops the
start with one clear line.
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from filevault.env import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# boto3 and PynamoDB read AWS_DEFAULT_REGION; Lambda and many shells set AWS_REGION only.
if not env.text("AWS_DEFAULT_REGION", default="") and env.text("AWS_REGION", default=""):
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
env.read_parameters(env.text("SSM_PREFIX", default=""))


def seconds(name: str, default: int) -> timedelta:
    """A duration, given in whole seconds; ten years at most."""
    return timedelta(seconds=env.number(name, default=default, most=10 * 365 * 24 * 3600))


# --- Where we are ---

LOCAL = env.flag("FILEVAULT_LOCAL", default=False)
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY", length=50)
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS")
SITE_URL = env.address("SITE_URL").rstrip("/")
_site = urlsplit(SITE_URL)
HTTPS = _site.scheme == "https"
if not HTTPS and not LOCAL:
    raise ImproperlyConfigured("SITE_URL must begin with https:// outside the local stack.")
ALLOWED_HOSTS = [_site.hostname, *env.listing("EXTRA_ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]

AWS_REGION = env.matching(
    "AWS_DEFAULT_REGION", r"[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}", example="eu-central-1"
)

# --- Apps and middleware ---

FILEVAULT_APPS = ["filevault", "accounts", "files", "cases"]
INSTALLED_APPS = [
    "accounts.admin_site.FilevaultAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "csp",
    "anymail",
    "ninja",
    *FILEVAULT_APPS,
]
MIDDLEWARE = [
    "filevault.middleware.RequestLogMiddleware",
    "accounts.middleware.ProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "filevault.middleware.PageCompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "filevault.middleware.SecurityHeadersMiddleware",
    "filevault.middleware.HealthMiddleware",
    "filevault.middleware.ErrorMiddleware",
    "accounts.middleware.RealmSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.ActorMiddleware",
    "accounts.middleware.DenialMiddleware",
    "cases.middleware.PortalActorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "filevault.local.urls" if LOCAL else "filevault.urls"
WSGI_APPLICATION = "filevault.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csrf",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "accounts.context.who",
            ]
        },
    }
]

# --- Django's own tables (no domain data): SQLite locally, PostgreSQL or DSQL in production ---

DATABASES = {"default": env.database("DATABASE_URL")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a process may have been frozen meanwhile
_sqlite = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if _sqlite and not LOCAL and not env.flag("ALLOW_SQLITE", default=False):
    raise ImproperlyConfigured(
        "DATABASE_URL names SQLite, which loses data when a container ends. "
        "Use PostgreSQL, or set ALLOW_SQLITE=1 on a single server that you back up."
    )
if _sqlite:
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {"timeout": 10, "init_command": "PRAGMA journal_mode=WAL;", "transaction_mode": "IMMEDIATE"}
    )

# --- Who: OIDC, sessions, cookies ---

AUTH_USER_MODEL = "accounts.User"
OIDC_ISSUER = env.address("OIDC_ISSUER").rstrip("/")
OIDC_DISCOVERY_URL = env.address(
    "OIDC_DISCOVERY_URL", default=f"{OIDC_ISSUER}/.well-known/openid-configuration"
)
OIDC_CLIENT_ID = env.required("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET", default="")
OIDC_ADMIN_GROUP = env.text("OIDC_ADMIN_GROUP", default="filevault-admins")
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", default="cognito:groups")
OIDC_ADMIN_AMR = env.listing("OIDC_ADMIN_AMR")
OIDC_LOGOUT_URL = env.address("OIDC_LOGOUT_URL", default="")
BREAK_GLASS = env.flag("BREAK_GLASS", default=False)
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"

_host_prefix = "__Host-" if HTTPS else ""
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = f"{_host_prefix}session"
CLIENT_SESSION_COOKIE_NAME = f"{_host_prefix}client"
DEVICE_COOKIE_NAME = f"{_host_prefix}device"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_host_prefix}csrf"
CSRF_FAILURE_VIEW = "filevault.views.csrf_failure"
SESSION_IDLE = seconds("SESSION_IDLE_SECONDS", 30 * 60)
SESSION_ABSOLUTE = seconds("SESSION_ABSOLUTE_SECONDS", 12 * 3600)
SESSION_COOKIE_AGE = int(SESSION_ABSOLUTE.total_seconds())
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 14},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]

# --- DynamoDB, storage ---

TABLE_PREFIX = env.matching(
    "TABLE_PREFIX", r"[A-Za-z0-9_.-]{1,200}", example="prod-filevault-", default="filevault-"
)
JOB_SHARDS = env.number("JOB_SHARDS", default=4, most=1000)
JOB_LEASE_SECONDS = env.number("JOB_LEASE_SECONDS", default=60, most=24 * 3600)
FILEVAULT_BUCKET = env.matching(
    "FILEVAULT_BUCKET", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", example="example-filevault"
)
FILEVAULT_KMS_KEY_ID = env.text("FILEVAULT_KMS_KEY_ID", default="")
S3_ADDRESSING_STYLE = env.choice("S3_ADDRESSING_STYLE", {"virtual", "path"}, default="virtual")
S3_PUBLIC_ENDPOINT_URL = env.address("S3_PUBLIC_ENDPOINT_URL", default="")
MAX_UPLOAD_SIZE = env.number("MAX_UPLOAD_SIZE", default=5 * 1024**3, most=5 * 1024**4)
STORAGE_QUOTA_BYTES = env.number("STORAGE_QUOTA_BYTES", default=100 * 1024**3)
#: Above this an upload goes in parts; S3 takes none below 5 MiB but the last.
MULTIPART_THRESHOLD = env.number("MULTIPART_THRESHOLD", default=64 * 1024**2, most=5 * 1024**3)
PART_SIZE = env.number("PART_SIZE", default=8 * 1024**2, least=5 * 1024**2, most=5 * 1024**3)
UPLOAD_URL_LIFETIME = timedelta(minutes=5)
PART_URL_LIFETIME = timedelta(minutes=15)
#: How long after its last signed part an upload can be gone on with.
UPLOAD_RESUME = seconds("UPLOAD_RESUME_SECONDS", 24 * 3600)
DOWNLOAD_URL_LIFETIME = timedelta(minutes=2)
#: With both, browsers read from CloudFront. `(id, PEM)` pairs: the first signs.
CLOUDFRONT_DOMAIN = env.matching(
    "CLOUDFRONT_DOMAIN",
    r"([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}",
    example="downloads.example.com",
    optional=True,
)
CLOUDFRONT_KEYS = env.rsa_keys("CLOUDFRONT_KEYS")
if CLOUDFRONT_DOMAIN and not CLOUDFRONT_KEYS:  # the other way round is a step on the way
    raise ImproperlyConfigured("CLOUDFRONT_DOMAIN needs CLOUDFRONT_KEYS to sign with.")
#: The queue of the bucket's events; without one, browser and worker tell of uploads alone.
SQS_UPLOADS_URL = env.address("SQS_UPLOADS_URL", default="")
#: The topic that is told of each available file. Not a FIFO one, which e-mail can't subscribe to.
SNS_TOPIC_ARN = env.matching(
    "SNS_TOPIC_ARN",
    r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}",
    example="arn:aws:sns:eu-central-1:123456789012:filevault-files",
    optional=True,
)
#: `clamd://host:port`. Files stay CHECKING until it has answered.
SCANNER_URL = env.service("SCANNER_URL", scheme="clamd")
#: Whether a file beyond the scanner's own limit is taken, marked as not scanned.
ALLOW_UNSCANNED = env.flag("ALLOW_UNSCANNED", default=False)
#: Larger files get no thumbnail and no preview.
PREVIEW_MAX_SIZE = env.number("PREVIEW_MAX_SIZE", default=100 * 1024**2)
ZIP_DOWNLOADS = env.flag("ZIP_DOWNLOADS", default=True)
#: At once in each web process: the one way in which bytes pass through it.
ZIP_CONCURRENCY = env.number("ZIP_CONCURRENCY", default=2, most=1000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
STORAGES = {
    "default": {"BACKEND": "files.storage.CaseStorage"},
    "staticfiles": {"BACKEND": "filevault.staticfiles.ModuleManifestStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]

# --- Retention ---

#: How long closed cases are kept that have no rule of their own; 0: until somebody deletes them.
RETENTION_DAYS = env.number("RETENTION_DAYS", default=0, least=0, most=100 * 366)

# --- Invitations ---

INVITATION_TTL = seconds("INVITATION_TTL_SECONDS", 30 * 24 * 3600)
INVITATION_CODE = env.flag("INVITATION_CODE", default=True)
#: `kid:secret` pairs, the signing one first; the ones after it are still accepted (T3).
INVITATION_SIGNING_KEYS = env.keys("INVITATION_SIGNING_KEYS", length=32)
DEVICE_REMEMBERED = timedelta(days=90)

# --- The audit trail ---

#: `(id, seed)` pairs of Ed25519 keys: the first signs. Public keys stay known for ever.
SIGNING_KEYS = env.seeds("SIGNING_KEYS")
#: How long Object Lock keeps each checkpoint; 0 where the bucket has none.
AUDIT_LOCK_DAYS = env.number("AUDIT_LOCK_DAYS", default=0, least=0, most=100 * 365)

# --- Notices and mail ---

NOTICE_QUIET = seconds("NOTICE_QUIET_SECONDS", 5 * 60)
NOTICE_LATEST = seconds("NOTICE_LATEST_SECONDS", 30 * 60)
EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
ANYMAIL = {
    "AMAZON_SES_MESSAGE_TAG_NAME": "filevault-mail-id",
    # Far below the lease of a job. The SDK must not try again by itself: a reply that was lost on
    # the way would become a second mail.
    "AMAZON_SES_CLIENT_PARAMS": {
        "config": {
            "connect_timeout": 2,
            "read_timeout": 10,
            "retries": {"total_max_attempts": 1, "mode": "standard"},
        }
    },
}
DEFAULT_FROM_EMAIL = env.mailbox("DEFAULT_FROM_EMAIL")
#: The queue of SES's events; without one, a bounce after SES took the mail is never learnt.
SQS_MAIL_URL = env.address("SQS_MAIL_URL", default="")

# --- HTTP ---

TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
#: Whoever shows it may read /metrics; nobody without one.
METRICS_TOKEN = env.secret("METRICS_TOKEN", length=32, optional=True)
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"


def storage_origin() -> str:
    """Where browsers send bytes: the public endpoint, or the bucket's own regional host."""
    endpoint = S3_PUBLIC_ENDPOINT_URL or env.address(
        "AWS_ENDPOINT_URL_S3", default=env.address("AWS_ENDPOINT_URL", default="")
    )
    if endpoint:
        parts = urlsplit(endpoint)
        host = f"{FILEVAULT_BUCKET}." if S3_ADDRESSING_STYLE == "virtual" else ""
        return f"{parts.scheme}://{host}{parts.netloc}"
    return f"https://{FILEVAULT_BUCKET}.s3.{AWS_REGION}.amazonaws.com"


STORAGE_ORIGIN = storage_origin()
#: Where browsers read files from. Storage stays: pages that are open outlive a change.
READ_ORIGINS = [STORAGE_ORIGIN, *([f"https://{CLOUDFRONT_DOMAIN}"] if CLOUDFRONT_DOMAIN else [])]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *READ_ORIGINS],
        "font-src": [SELF],
        "connect-src": [SELF, *READ_ORIGINS],
        "frame-src": [SELF, *READ_ORIGINS],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF, *READ_ORIGINS],
    }
}

# --- Language and time ---

LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", dict(LANGUAGES), default="en")
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "filevault.formats"
TIME_ZONE = env.time_zone("TIME_ZONE", default="UTC")
USE_TZ = True

# --- Logging: one line a record, values encoded (A3), nothing personal ---

LOG_LEVEL = env.choice(
    "LOG_LEVEL", {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}, default="INFO"
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "filevault.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "botocore": {"level": "WARNING"},
        "pynamodb": {"level": "WARNING"},
        "django.server": {"level": "WARNING"},
        # They name whole paths, tokens included; filevault.middleware writes their records (I2).
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
    },
}
