"""The test kit in an empty host project: the README's and the testing page's own tests, with pytest and without."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.docs.pages import REPOSITORY, page
from tests.servers import clean_environment

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WITHOUT_PYTEST = (
    "import os, sys; sys.modules['pytest'] = None; os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
    "from django.core.management import execute_from_command_line\n"
    "execute_from_command_line(['manage.py', 'test'])"
)
# The tables are made in one go, and passwords hashed at no cost.
QUICKLY = """
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MIGRATION_MODULES = dict.fromkeys(["admin", "auth", "contenttypes", "sessions", "licenzy", "licenzy_simulator"])
"""
README, TESTING = page("README.md"), page("docs/testing.md")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """``django-admin startproject mysite .`` and the README's twenty lines."""
    call_command("startproject", "mysite", str(tmp_path))
    write(tmp_path, README.files(), "mysite/urls.py", "mysite/views.py", "conftest.py", "test_buying.py")
    # The first block alone: the second one is for going live.
    settings = next(block.text for block in README.blocks if block.file == "mysite/settings.py")
    add(tmp_path, settings + QUICKLY)
    return tmp_path


def write(folder: Path, files: dict[str, str], *names: str) -> None:
    for name in names:
        (folder / name).write_text(files[name])


def add(folder: Path, text: str) -> None:
    with (folder / "mysite/settings.py").open("a") as settings:
        settings.write(text)


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=clean_environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    return said


def test_the_tests_of_the_pages_pass_with_pytest_and_without_the_simulator_or_settings(host: Path) -> None:
    add(host, 'INSTALLED_APPS.remove("licenzy_django.simulator")\ndel LICENZY, LICENZY_SIMULATOR\n')
    urls = (host / "mysite/urls.py").read_text()
    (host / "mysite/urls.py").write_text("".join(line for line in urls.splitlines(True) if "simulator" not in line))
    write(host, TESTING.files(), "test_members.py", "test_money.py", "test_webhooks.py")
    count = sum(text.count("def test_") for name, text in TESTING.files().items() if name.startswith("test_"))

    said = run(host, "-m", "pytest", "--ds", "mysite.settings", "-W", "error", "-q", "-p", "pytest_django.plugin")

    assert f"{count} passed" in said


def test_the_tests_of_the_page_pass_without_pytest_in_the_project_of_the_readme(host: Path) -> None:
    write(host, TESTING.files(), "tests.py")

    said = run(host, "-W", "error", "-c", WITHOUT_PYTEST)

    assert "Ran 1 test" in said
    assert "no issues" in said


def test_the_catalog_page_sets_up_an_account_in_an_empty_project(host: Path) -> None:
    """Up to another amount; then somebody buys."""
    blocks = page("docs/catalog-as-code.md").blocks
    catalog = next(block.text for block in blocks if block.language == "json")
    first, again = [block.text for block in blocks if "load catalog.json" in block.text and "push" in block.text]
    (host / "catalog.json").write_text(catalog)
    add(host, 'LICENZY_SIMULATOR["PRICES"] = []\n')
    run(host, "manage.py", "migrate", "--run-syncdb")

    follow(host, first)
    (host / "catalog.json").write_text(catalog.replace('"amount": 1900,', '"amount": 2900,'))
    follow(host, again)

    bought = run(host, "manage.py", "shell", "-c", BUY)
    assert "paid 2900 True" in bought
    pulled = run(host, "manage.py", "licenzy_catalog", "pull", "--mode", "test")
    assert '"stripe_lookup_key": "pro_yearly"' in pulled


def test_the_tax_of_the_page_is_asked_for_and_paid_in_an_empty_project(host: Path) -> None:
    options = page("docs/checkout-options.md").files()
    write(host, options, "test_tax.py")
    add(host, options["mysite/settings.py"])

    assert "no issues" in run(host, "manage.py", "check")
    said = run(host, "-m", "pytest", "--ds", "mysite.settings", "-W", "error", "-q", "-p", "pytest_django.plugin")

    assert "2 passed" in said


BUY = """
from django.core.management import call_command
from licenzy_django import access, checkout
from licenzy_django.simulator.account import database_simulator
page = checkout.start("user_1", "PRO_MONTHLY", idempotency_key="order-1").checkout_url
session = database_simulator().pay(page.rstrip("/").rpartition("/")[2])
call_command("licenzy_sync", "--subject", "user_1")
print("paid", session["amount_total"], bool(access.check("user_1", "PRO_MONTHLY")))
"""


def follow(folder: Path, console: str) -> None:
    """Run the commands of a block; what it shows is what they say, ids aside."""
    said = ""
    for line in console.splitlines():
        if line.startswith("$ python "):
            said = run(folder, *shlex.split(line)[2:])
        else:
            wanted = re.escape(line).replace("_…", r"_\w+")
            assert re.search(wanted, said), (line, said)


def test_the_readme_and_the_testing_page_show_the_same_test() -> None:
    assert README.files()["test_buying.py"] == TESTING.files()["test_buying.py"]


def test_pytest_may_load_the_kit_before_django_is_set_up() -> None:
    program = "import licenzy_django.testing, sys; assert 'licenzy_django.models' not in sys.modules"

    run(REPOSITORY, "-W", "error", "-c", program)
