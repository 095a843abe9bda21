"""All settings. The only module that reads the environment; every key is explained in `.env.example`."""

from pathlib import Path

from django.templatetags.static import static

from labeling_site import contract, secret_key
from labeling_site.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
environment = Environment.load(BASE_DIR / ".env")
WRONG_VALUES = environment.wrong_values  # reported by labeling.checks

# --- Security and addresses -------------------------------------------------------------------------------------------

DEBUG = environment.flag("DEBUG", default=False)
SECRET_KEY = environment.text("SECRET_KEY") or secret_key.read_or_create(BASE_DIR / ".secret_key")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS", default=[])
HOST = environment.text("HOST", default="127.0.0.1")
PORT = environment.whole_number("PORT", default=8000, low=1, high=65535)

SESSION_COOKIE_HTTPONLY = True
# A proxy that ends TLS for all origins: browsers then never send the cookies in the clear.
BEHIND_TLS = bool(CSRF_TRUSTED_ORIGINS) and all(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Applications -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",  # before django.contrib.admin: it replaces the admin's templates
    "unfold.contrib.filters",  # filters in the theme
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",  # 1,000,000 in pages
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "labeling",
    "reviews",
    "analytics",
]

MIDDLEWARE = [
    "labeling_site.policy.browser_policy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "labeling_site.urls"
WSGI_APPLICATION = "labeling_site.wsgi.application"

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

# --- Database ---------------------------------------------------------------------------------------------------------

DATABASES = {"default": environment.database("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that starts as a reader and then writes fails at once with "database is locked", whatever the
        # timeout. IMMEDIATE takes the write lock first, so that it waits its turn.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # WAL lets people read while a run writes. `synchronous` stays FULL: a decision that was answered is on disk.
        # 8 MB of page cache: the default 2 MB makes imports a quarter slower, more is memory that every process holds.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192; "
        # Without it, INSERT OR REPLACE would pass by the triggers that keep facts from being deleted.
        "PRAGMA recursive_triggers=ON;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Connecting takes 2 ms of processor time, on SQLite as well: a seventh of what a decision at the desk costs.
DATABASES["default"]["CONN_MAX_AGE"] = 60

# Of `dumpdata`, by which data moves from one database to another.
SERIALIZATION_MODULES = {"json": "labeling_site.exact_json", "jsonl": "labeling_site.exact_jsonl"}

# --- Labeling ---------------------------------------------------------------------------------------------------------

MIN_CONFIDENCE_THRESHOLD = environment.number("MIN_CONFIDENCE_THRESHOLD", default=0.8, low=0.0, high=1.0)
MAX_BATCH_SIZE = environment.whole_number("MAX_BATCH_SIZE", default=100, low=1, high=10_000)
MAX_TEXT_LENGTH = environment.whole_number("MAX_TEXT_LENGTH", default=100_000, low=1, high=10_000_000)

LLM_PROVIDER = environment.one_of("LLM_PROVIDER", "local", ("local", "huggingface", "ollama", "free_api"))
LOCAL_MODEL_NAME = environment.text("LOCAL_MODEL_NAME", default="all-MiniLM-L6-v2")
HUGGINGFACE_MODEL = environment.text("HUGGINGFACE_MODEL")
HUGGINGFACE_REVISION = environment.text("HUGGINGFACE_REVISION")
MODEL_KINDS = ("auto", "encoder", "nli", "sequence_classifier", "masked_lm", "causal_lm")
MODEL_KIND = environment.one_of("MODEL_KIND", "auto", MODEL_KINDS)
OLLAMA_BASE_URL = environment.web_address("OLLAMA_BASE_URL", default="http://localhost:11434")
OLLAMA_MODEL = environment.text("OLLAMA_MODEL")
OLLAMA_API_KEY = environment.text("OLLAMA_API_KEY")
FREE_API_URL = environment.web_address("FREE_API_URL", default="")
FREE_API_MODEL = environment.text("FREE_API_MODEL")
FREE_API_KEY = environment.text("FREE_API_KEY")
USE_GPU = environment.flag("USE_GPU", default=False)
ENCODER_MODE = environment.one_of("ENCODER_MODE", "exact", ("exact", "fast"))
LLM_CONCURRENCY = environment.whole_number("LLM_CONCURRENCY", default=4, low=1, high=256)
LLM_TIMEOUT_SECONDS = environment.whole_number("LLM_TIMEOUT_SECONDS", default=120, low=1, high=130)

# Alias -> how to build the provider, like Django's CACHES. Built once per process, on first use.
_ENCODER_OPTIONS = {"use_gpu": USE_GPU, "mode": ENCODER_MODE, "cache_folder": BASE_DIR / ".cache" / "graphs"}
_MODEL_OPTIONS = {"kind": MODEL_KIND, **_ENCODER_OPTIONS}
# A call ends within 1.25 times the timeout, and so before the three minutes after which a chunk is taken by others.
_SERVER_OPTIONS = {"concurrency": LLM_CONCURRENCY, "timeout_seconds": float(LLM_TIMEOUT_SECONDS)}
LABELING_PROVIDERS = {
    "local": {
        "BACKEND": "labeling.providers.local.open_model",
        "OPTIONS": {"model": LOCAL_MODEL_NAME, "local_files_only": True, **_MODEL_OPTIONS},
    },
    "huggingface": {
        "BACKEND": "labeling.providers.local.open_model",
        "OPTIONS": {
            "model": HUGGINGFACE_MODEL,
            "revision": HUGGINGFACE_REVISION or None,
            "local_files_only": False,
            **_MODEL_OPTIONS,
        },
    },
    "ollama": {
        "BACKEND": "labeling.providers.ollama.Ollama",
        "OPTIONS": {"url": OLLAMA_BASE_URL, "model": OLLAMA_MODEL, "key": OLLAMA_API_KEY, **_SERVER_OPTIONS},
    },
    "encoder": {
        "BACKEND": "labeling.providers.encoder.Encoder",
        "OPTIONS": {"model": "all-MiniLM-L6-v2", "local_files_only": True, **_ENCODER_OPTIONS},
    },
    "free_api": {
        "BACKEND": "labeling.providers.free_api.open_free_api",
        "OPTIONS": {"url": FREE_API_URL, "model": FREE_API_MODEL, "key": FREE_API_KEY, **_SERVER_OPTIONS},
    },
}

# Its vectors stand beside the answers of providers that give none, so that reviews can teach those too.
LABELING_ENCODER = "encoder"

# --- Background work --------------------------------------------------------------------------------------------------

# django-q2 carries the work. Several machines need PostgreSQL, and are faster with Redis as broker.
Q_BROKER_URL = environment.broker_address("Q_BROKER_URL")
Q_CLUSTER = {
    "name": "labeling",
    # The database as broker needs nothing else installed, and keeps the task of a worker that was killed.
    **({"redis": Q_BROKER_URL} if Q_BROKER_URL else {"orm": "default"}),
    "workers": 1,  # a model uses every core by itself
    "queue_limit": 1,  # a task is locked when it is fetched, not when it starts: fetch as few as possible
    "bulk": 1,
    "timeout": 900,
    "retry": 3600,  # must exceed (queue_limit + 2) x the longest task / workers, or a task runs twice
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": 200,
    "catch_up": False,
    "poll": 0.5,
    "label": "Background tasks",
    # Short work that people wait for has workers of its own, so that it never waits behind a million texts.
    "ALT_CLUSTERS": {"interactive": {"timeout": 300, "retry": 1200, "poll": 0.2}},
}
WORKER_ID = environment.whole_number("LABELING_WORKER_ID", default=0, low=1, high=2**31)  # set by the supervisor
Q_CLUSTERS = ("labeling", "interactive")  # the queues that `manage.py run_worker` looks after

# --- E-mail ---------------------------------------------------------------------------------------------------------

# Tells people that a run of theirs has ended. Nothing is sent where it is unset.
EMAIL_CONFIG = environment.email("EMAIL_URL")
EMAIL_BACKEND = EMAIL_CONFIG.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST = EMAIL_CONFIG.get("EMAIL_HOST", "localhost")
EMAIL_PORT = EMAIL_CONFIG.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = EMAIL_CONFIG.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", "labeling@localhost")

# --- Uploads ----------------------------------------------------------------------------------------------------------

# Files wait here until they are imported. No address leads here: what it holds is nobody's to fetch.
MEDIA_ROOT = environment.text("MEDIA_ROOT") or str(BASE_DIR / "uploads")
MAX_UPLOAD_MB = environment.whole_number("MAX_UPLOAD_MB", default=1024, low=1, high=1_000_000)
FILE_UPLOAD_HANDLERS = [
    "labeling.uploading.RefuseTooLarge",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# --- Pages ------------------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # served straight from the packages: no collectstatic, nothing to keep in step
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "home"

LANGUAGE_CODE = "en"
TIME_ZONE = environment.time_zone("TIME_ZONE", default="UTC")
USE_TZ = True

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Requests a minute; 0 sets no limit.
API_RATE_PER_KEY = environment.whole_number("API_RATE_PER_KEY", default=6000, low=0, high=10**6)
API_RATE_PER_ADDRESS = environment.whole_number("API_RATE_PER_ADDRESS", default=12_000, low=0, high=10**6)

REST_FRAMEWORK = {
    "NUM_PROXIES": environment.whole_number("PROXY_COUNT", default=0, low=0, high=10),
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "labeling.authentication.ApiKeyAuthentication",  # first: it answers 401, sessions alone would answer 403
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "labeling.negotiating.NamedFormat",
    "EXCEPTION_HANDLER": "labeling.problems.problem_details",
    "DEFAULT_METADATA_CLASS": None,  # the OpenAPI document says it
    "DEFAULT_SCHEMA_CLASS": "labeling.openapi.Contract",
}
SPECTACULAR_SETTINGS = contract.SETTINGS

UNFOLD = {
    "SITE_TITLE": "Text labeling",
    "SITE_HEADER": "Text labeling",
    "SITE_SYMBOL": "sell",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("labeling/icon.svg")},
    ],
    "STYLES": [lambda request: static("labeling/admin.css")],
    "SITE_URL": None,  # the menu leads everywhere
    "LOGIN": {"form": "labeling.signing_in.SignInForm"},
    "SHOW_HISTORY": True,
    "ENVIRONMENT": "labeling_site.navigation.worker_notice",  # a mark beside the menu of the person
    "SIDEBAR": {"navigation": "labeling_site.navigation.sidebar"},
}

LOG_LEVEL = environment.one_of("LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
