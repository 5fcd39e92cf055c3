"""The test kit in an empty host project: the README's and the testing page's own tests, with pytest and without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.docs.pages import REPOSITORY, page
from tests.servers import clean_environment

pytestmark = pytest.mark.slow

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


def test_the_readme_and_the_testing_page_show_the_same_test() -> None:
    assert README.files()["test_buying.py"] == TESTING.files()["test_buying.py"]


def test_pytest_may_load_the_kit_before_django_is_set_up() -> None:
    program = "import licenzy_django.testing, sys; assert 'licenzy_django.models' not in sys.modules"

    run(REPOSITORY, "-W", "error", "-c", program)
