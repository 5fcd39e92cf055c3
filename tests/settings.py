"""SQLite in a file unless DATABASE_URL says otherwise: threads and processes share it as they would a real one."""

import os
import tempfile
from pathlib import Path

import environ

env = environ.Env()

SECRET_KEY = "only-for-the-tests"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

database = env.db("DATABASE_URL", default="sqlite:///:memory:")
own_name = f"test_licenzy_{os.getpid()}"
if database["ENGINE"] == "django.db.backends.sqlite3":
    database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    database["TEST"] = {"NAME": str(Path(tempfile.gettempdir()) / f"{own_name}.sqlite3")}
else:
    database["TEST"] = {"NAME": own_name}
DATABASES = {"default": database}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "licenzy_django",
    "licenzy_django.simulator",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
            ],
        },
    },
]
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LICENZY_SIMULATOR = {
    "WEBHOOK_SECRET": "whsec_simulator_secret_of_the_tests",
    "BASE_URL": "http://testserver",
    "WEBHOOK_DELAY_SECONDS": None,
    "ALLOW_WITHOUT_DEBUG": True,
    "PRICES": [
        {
            "id": "price_pro_monthly",
            "currency": "eur",
            "unit_amount": 1900,
            "recurring": {"interval": "month"},
            "product_name": "Pro, monthly",
        },
        {
            "id": "price_pro_yearly",
            "currency": "eur",
            "unit_amount": 19000,
            "recurring": {"interval": "year"},
            "product_name": "Pro, yearly",
        },
        {
            "id": "price_week_pass",
            "currency": "eur",
            "unit_amount": 700,
            "recurring": None,
            "product_name": "Week pass",
        },
        {
            "id": "price_credits_1000",
            "currency": "eur",
            "unit_amount": 1000,
            "recurring": None,
            "product_name": "1,000 credits",
        },
    ],
}
LICENZY = {
    "TEST_SECRET_KEY": "sk_test_simulator",
    "TEST_WEBHOOK_SECRETS": [LICENZY_SIMULATOR["WEBHOOK_SECRET"]],
    "SUCCESS_URL": "http://testserver/return/?session_id={CHECKOUT_SESSION_ID}",
    "CANCEL_URL": "http://testserver/pricing/",
    "STRIPE_HTTP_CLIENT": "licenzy_django.simulator.http_client",
}
