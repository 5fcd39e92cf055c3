""" "Adding it to a project", typed into a project of the shape that cookiecutter-django gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import page
from tests.servers import clean_environment

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

GUIDE = page("docs/adding-to-a-project.md")
BASE = """
from pathlib import Path

import environ

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parents[2]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DATABASES["default"]["ATOMIC_REQUESTS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
ROOT_URLCONF = "config.urls"
LOGIN_URL = "login"
STATIC_URL = "/static/"
SECRET_KEY = "a-key-of-the-test-that-is-long-enough-and-has-many-different-characters-0123456789"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "rest_framework",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "mysite" / "templates"],
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
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
"""
PROJECT = {
    "config/__init__.py": "",
    "config/settings/__init__.py": "",
    "config/settings/base.py": BASE,
    "config/settings/local.py": "from .base import *\n\nDEBUG = True\n",
    "config/settings/production.py": "from .base import *\nfrom .base import env\n\nALLOWED_HOSTS = ['example.com']\n",
    "config/settings/test.py": "from .base import *\n",
    "config/urls.py": (
        "from django.contrib import admin\nfrom django.contrib.auth.views import LoginView\n"
        "from django.urls import path\n\n"
        "urlpatterns = [path('admin/', admin.site.urls), path('log-in/', LoginView.as_view(), name='login')]\n"
    ),
    "mysite/__init__.py": "",
    "mysite/shop/__init__.py": "",
}
TEST = """
from urllib.parse import parse_qs, urlsplit


def test_an_anonymous_visitor_buys_and_gets_in(stripe_double, client, django_user_model, settings):
    assert settings.DATABASES["default"]["ATOMIC_REQUESTS"]
    stripe_double.sell("PRO_MONTHLY")
    chosen = {"product_code": "PRO_MONTHLY", "token": str(client.get("/pricing/").context["token"])}
    log_in = client.post("/buy/", chosen).url
    client.force_login(django_user_model.objects.create_user("ada"))
    [back] = parse_qs(urlsplit(log_in).query)["next"]
    again = client.get(back, headers={"accept-language": "de"})
    assert "Zur Zahlungsseite" in again.content.decode()
    stripe_double.pay(client.post("/buy/", again.context["fields"]).url)
    assert client.get("/members/").content == b"You are in."
    assert client.post("/buy/", {"product_code": "PRO_MONTHLY"}).status_code == 409
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What was there before, and after it what the guide says, for a shop whose users buy for themselves."""
    said = [(block.file, block.text) for block in GUIDE.blocks if block.file and 'LICENZY["SUBJECT"]' not in block.text]
    for name, text in [*PROJECT.items(), *said]:
        path = tmp_path / name.replace("templates/", "mysite/templates/")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{text}\n")
    return tmp_path


def run(project: Path, settings: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", *arguments],
        cwd=project,
        env=clean_environment(DJANGO_SETTINGS_MODULE=f"config.settings.{settings}", **environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    return said


def test_the_checks_have_nothing_to_say_in_any_environment(project: Path) -> None:
    keys = {"STRIPE_TEST_SECRET_KEY": "sk_test_1", "SITE_URL": "https://example.com"}
    for settings in ("local", "test"):
        assert "no issues" in run(project, settings, "django", "check", "--fail-level", "WARNING")
    said = run(project, "production", "django", "check", "--fail-level", "ERROR", **keys)
    assert "licenzy.E" not in said


def test_the_endpoint_can_be_made_before_its_secret_is_known(project: Path) -> None:
    keys = {"STRIPE_TEST_SECRET_KEY": "sk_test_1", "SITE_URL": "https://example.com"}
    assert "invoice.paid" in run(project, "production", "django", "licenzy_webhook_endpoint", "events", **keys)


def test_the_shop_of_the_guide_sells_with_the_kit_in_addopts(project: Path) -> None:
    (project / "test_shop.py").write_text(TEST)
    plugins = ("-p", "pytest_django.plugin", "-p", "licenzy_django.testing")
    said = run(project, "test", "pytest", "-q", *plugins, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert "1 passed" in said
