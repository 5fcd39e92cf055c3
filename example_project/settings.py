"""The example shop, as the environment wants it.

With nothing set it runs on this machine, on SQLite and a simulated Stripe.
"""

from pathlib import Path
from urllib.parse import urlsplit

import environ

from example_project.offers import OFFERS

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Stripe. A secret key that is set speaks to the real Stripe; with none, the simulator answers in its place.
STRIPE_TEST_SECRET_KEY = env.str("STRIPE_TEST_SECRET_KEY", default="")
STRIPE_LIVE_SECRET_KEY = env.str("STRIPE_LIVE_SECRET_KEY", default="")
ON_SIMULATOR = not (STRIPE_TEST_SECRET_KEY or STRIPE_LIVE_SECRET_KEY)

DEBUG = env.bool("DEBUG", default=not STRIPE_LIVE_SECRET_KEY)
# Where demo_setup remembers the API key and the password it made.
DEMO_SECRETS_FILE = Path(env.str("DEMO_SECRETS_FILE", default=str(BASE_DIR / ".demo.json")))
# Without DEBUG there is no default: a missing key stops the start.
SECRET_KEY = env.str("SECRET_KEY", **({"default": "for-the-demo-on-this-machine-only"} if DEBUG else {}))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
PORT = env.int("PORT", default=8000)
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}")

LICENZY = {
    "MODE": "live" if STRIPE_LIVE_SECRET_KEY else "test",
    "TEST_SECRET_KEY": STRIPE_TEST_SECRET_KEY,
    "TEST_WEBHOOK_SECRETS": env.list("STRIPE_TEST_WEBHOOK_SECRETS", default=[]),
    "LIVE_SECRET_KEY": STRIPE_LIVE_SECRET_KEY,
    "LIVE_WEBHOOK_SECRETS": env.list("STRIPE_LIVE_WEBHOOK_SECRETS", default=[]),
    "SUCCESS_URL": f"{SITE_URL}/return/?session_id={{CHECKOUT_SESSION_ID}}",
    "CANCEL_URL": f"{SITE_URL}/",
    "ALLOWED_REDIRECT_HOSTS": [
        urlsplit(SITE_URL).netloc,
        *ALLOWED_HOSTS,
        *(f"{host}:{PORT}" for host in ALLOWED_HOSTS),
    ],
    "CHECKOUT": {"allow_promotion_codes": True},
    "STRIPE_API_BASE": env.str("STRIPE_API_BASE", default=""),
    # With a cache that all processes share, an access check costs no query.
    "CACHE": "default" if env.str("CACHE_URL", default="") else "",
    # The receiver of the demo is this machine.
    "OUTBOUND_ALLOW_HTTP": DEBUG,
    "OUTBOUND_ALLOW_PRIVATE": DEBUG,
}
if ON_SIMULATOR:
    LICENZY_SIMULATOR = {
        "PRICES": [offer.simulated_price() for offer in OFFERS.values()],
        "WEBHOOK_SECRET": "whsec_simulator_of_the_example_shop",
        "BASE_URL": SITE_URL,
        "WEBHOOK_DELAY_SECONDS": env.float("SIMULATOR_WEBHOOK_DELAY_SECONDS", default=3),
    }
    LICENZY |= {
        "TEST_SECRET_KEY": "sk_test_simulator",
        "TEST_WEBHOOK_SECRETS": [LICENZY_SIMULATOR["WEBHOOK_SECRET"]],
        # A real account has to be set up for it first: https://docs.stripe.com/tax/set-up
        "CHECKOUT": {
            "allow_promotion_codes": True,
            "automatic_tax": {"enabled": True},
            "tax_id_collection": {"enabled": True},
        },
        "STRIPE_API_BASE": "",
        "STRIPE_HTTP_CLIENT": "licenzy_django.simulator.http_client",
        "CLOCK": "licenzy_django.simulator.now",
    }

INSTALLED_APPS = [
    "example_project",
    "licenzy_django",
    *(["licenzy_django.simulator"] if ON_SIMULATOR else []),
    "rest_framework",
    "drf_spectacular_sidecar",  # Swagger UI as static files, for the page that tries the API
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "example_project.context_processors.shop",
            ],
        },
    },
]
ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
APPEND_SLASH = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "account"
LOGOUT_REDIRECT_URL = "pricing"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Several writers at once on SQLite: wait for each other instead of failing with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif not DEBUG:
    DATABASES["default"] |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

# A refused page is an answer, not a fault: no traceback for it. The server's own log has the line.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"django.request": {"level": "ERROR"}},
}

if not DEBUG:
    SECURE_SSL_REDIRECT = True
    # An API request over plain HTTP has already shown its key: a redirect would not help it.
    SECURE_REDIRECT_EXEMPT = [r"^v1/"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
