"""The README, followed to the letter in an empty project: from this checkout, and from the wheel."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import pytest

from licenzy_django.conf import SETTING_NAMES
from licenzy_django.urls import urlpatterns
from tests.servers import Visitor, clean_environment, eventually, free_port, running_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text()
needs_curl = pytest.mark.skipif(
    shutil.which("curl") is None, reason="NOT TESTED: the README types curl, which is missing"
)
IN_STRIPES_FORM = sha256(b"of nobody").hexdigest()[:32]
BLOCKS = [dedent(block) for block in re.findall(r"^ *```\w+\n(.*?)^ *```$", README, re.DOTALL | re.MULTILINE)]


def block_with(words: str) -> str:
    """The first block of code that has these words."""
    return next(block for block in BLOCKS if words in block)


@dataclass
class Host:
    """An empty Django project, and somebody who types what the README says."""

    folder: Path
    python: Path
    changes_the_port: bool = True

    def __post_init__(self) -> None:
        self.port = free_port()
        self.environment = clean_environment(
            PATH=f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            LOG_FOLDER=str(self.folder),
            DJANGO_SUPERUSER_USERNAME="ada",
            DJANGO_SUPERUSER_PASSWORD="pw-of-ada",
            DJANGO_SUPERUSER_EMAIL="ada@example.com",
        )
        self.type("python -m django startproject mysite .")

    @cached_property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def moved(self, text: str) -> str:
        """The README's text with this project's port, unless this person leaves it as it is."""
        return text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}") if self.changes_the_port else text

    def type(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-ec", self.moved(script)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def type_block(self, words: str) -> str:
        """Types a console block without its prompts, and without what a person would answer."""
        lines = re.sub(r"^\$ ", "", block_with(words), flags=re.MULTILINE)
        return self.type(
            lines.replace("createsuperuser", "createsuperuser --noinput").replace("python manage.py runserver", "")
        )

    def write(self, path: str, text: str, *, mode: str = "w") -> None:
        with (self.folder / path).open(mode) as file:
            file.write(self.moved(text))


def follow(host: Host) -> None:
    """ "Add it to your project"."""
    host.write("mysite/settings.py", block_with("# mysite/settings.py: at the end"), mode="a")
    host.write(
        "mysite/settings.py",
        f'LICENZY_SIMULATOR |= {{"BASE_URL": "{host.url}", "WEBHOOK_DELAY_SECONDS": 1}}\n',
        mode="a",
    )
    host.write("mysite/urls.py", block_with("# mysite/urls.py"))
    host.write("mysite/views.py", block_with("# mysite/views.py"))
    host.write("catalog.json", block_with('"stripe_price_id"'))
    host.type_block("manage.py migrate")


def buy_in_the_browser(host: Host, name: str = "127.0.0.1") -> None:
    visitor = Visitor(f"http://{name}:{host.port}")
    visitor.open("/buy/")
    visitor.log_in_to_the_admin("ada", "pw-of-ada")
    assert visitor.open("/members/").status_code == 403
    visitor.open("/buy/")
    visitor.press("by card")
    assert visitor.page.url == f"{visitor.site}/members/"
    eventually(lambda: visitor.open("/members/").status_code == 200)
    assert "nothing to pay" in visitor.open("/buy/").text
    assert visitor.page.status_code == 409


def buy_from_another_backend(host: Host) -> None:
    export = block_with("licenzy_api_key create").removeprefix("$ ").strip()
    host.environment["LICENZY_KEY"] = host.type(f'{export}; echo "$LICENZY_KEY"').strip()
    assert json.loads(host.type_block("/v1/access/check"))["allowed"] is False
    started = json.loads(host.type_block("/v1/checkout/session"))
    assert sorted(started) == sorted(json.loads(block_with('"attempt_id"')))
    customer = Visitor(host.url)
    customer.open(started["checkout_url"])
    customer.press("by card")
    promised = json.loads(block_with('"allowed": true'))
    eventually(lambda: json.loads(host.type_block("/v1/access/check")) == promised)


def go_live(host: Host) -> None:
    """The settings of "Going live", as far as Django's checks can judge them."""
    for path in ("mysite/settings.py", "mysite/urls.py"):
        kept = (host.folder / path).read_text().replace(', "licenzy_django.simulator"]', "]")
        host.write(path, "".join(line for line in kept.splitlines(keepends=True) if "simulator/" not in line))
    host.write("mysite/settings.py", "del LICENZY_SIMULATOR\n" + block_with("with a real Stripe"), mode="a")
    # The endpoint is made with these settings, before its secret is known.
    host.environment |= {"STRIPE_TEST_SECRET_KEY": f"sk_test_{IN_STRIPES_FORM}"}
    host.type("python manage.py licenzy_webhook_endpoint events")
    host.environment |= {"STRIPE_TEST_WEBHOOK_SECRETS": f"whsec_{IN_STRIPES_FORM},whsec_{IN_STRIPES_FORM[::-1]}"}
    assert "no issues" in host.type("python manage.py check")


def buy_in_both_ways(host: Host) -> None:
    with running_server(host.folder, host.port, host.environment, str(host.python)):
        buy_in_the_browser(host)
        buy_from_another_backend(host)


def ask_in_code(host: Host) -> None:
    host.type(f"python manage.py shell -c '{block_with('access.check(')}\nassert decision'")


def test_the_readme_names_every_setting_command_and_path() -> None:
    commands = [path.stem for path in (REPOSITORY / "licenzy_django/management/commands").glob("licenzy_*.py")]
    paths = [re.sub(r"\(.*|/\?.*", "", str(route.pattern).lstrip("^")) for route in urlpatterns]
    missing = [name for name in [*SETTING_NAMES, *commands, *paths] if name not in README]
    assert missing == []


@needs_curl
def test_the_readme_works_in_an_empty_project(tmp_path: Path) -> None:
    host = Host(tmp_path, Path(sys.executable))
    follow(host)
    buy_in_both_ways(host)


def test_the_sample_view_works_at_any_port_by_any_name_and_with_atomic_requests(tmp_path: Path) -> None:
    host = Host(tmp_path, Path(sys.executable), changes_the_port=False)
    follow(host)
    host.write("mysite/settings.py", 'DATABASES["default"]["ATOMIC_REQUESTS"] = True\n', mode="a")
    with running_server(host.folder, host.port, host.environment, str(host.python)):
        buy_in_the_browser(host, "localhost")


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment into which only the wheel was installed."""
    folder = tmp_path_factory.mktemp("installed")
    python = folder / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=60)
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(REPOSITORY)], check=True, timeout=300)
    subprocess.run([*pip, "install", *map(str, folder.glob("*.whl"))], check=True, timeout=300)
    return python


@pytest.mark.installed
def test_the_wheel_has_the_package_and_nothing_else(fresh_python: Path) -> None:
    [wheel] = fresh_python.parents[2].glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    outside = [name for name in names if not name.startswith(("licenzy_django/", "licenzy_django-"))]
    assert outside == []
    assert "licenzy_django/py.typed" in names


@needs_curl
@pytest.mark.installed
def test_the_readme_works_from_the_wheel(fresh_python: Path, tmp_path: Path) -> None:
    host = Host(tmp_path, fresh_python)
    follow(host)
    buy_in_both_ways(host)
    ask_in_code(host)
    go_live(host)
