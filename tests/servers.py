"""A Django project's server, really started, and a visitor who only knows what the pages say."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeVar
from urllib.parse import urljoin

import requests

PATIENCE = 30
Answer = TypeVar("Answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without what would steer a Django project."""
    steering = re.compile(
        r"DJANGO_|DATABASE_URL|CACHE_URL|STRIPE_|SECRET_KEY|DEBUG|ALLOWED_HOSTS|PORT$|SITE_URL|DEMO_|SIMULATOR_"
    )
    return {name: value for name, value in os.environ.items() if not steering.match(name)} | extra


def eventually(ask: Callable[[], Answer], seconds: float = PATIENCE) -> Answer:
    """Asks until the answer is truthy."""
    give_up_at = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < give_up_at, f"It did not happen within {seconds} seconds."
        time.sleep(0.1)
    return answer


@contextmanager
def running_server(
    project: Path, port: int, environment: Mapping[str, str], python: str = sys.executable
) -> Iterator[str]:
    """``manage.py runserver`` of the project, as long as the block lasts. Yields its address."""
    command = [python, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with (
        (Path(environment["LOG_FOLDER"]) / f"server-{port}.log").open("w+") as log,
        subprocess.Popen(command, cwd=project, env=environment, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        try:
            eventually(lambda: process.poll() is not None or answers(url))
            assert process.poll() is None, Path(log.name).read_text()
            yield url
        finally:
            process.terminate()
            process.wait(10)


def answers(url: str) -> bool:
    try:
        requests.get(url, timeout=5, allow_redirects=False)
    except requests.ConnectionError:
        return False
    return True


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, dict[str, str]]] = field(default_factory=list)


class FormReader(HTMLParser):
    """The forms of a page, with the words on their buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] | None = None
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "input" and self.forms and "name" in given:
            if given.get("type") not in ("radio", "checkbox") or "checked" in given:
                self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "select" and self.forms:
            self.select = given.get("name", "")
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.forms[-1].fields):
            self.forms[-1].fields[self.select] = given.get("value", "")
        elif tag == "button" and self.forms:
            self.words = []
            self.forms[-1].buttons.append(("", {given["name"]: given.get("value", "")} if "name" in given else {}))

    def handle_data(self, data: str) -> None:
        if self.words is not None:
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "button" and self.words is not None:
            self.forms[-1].buttons[-1] = (" ".join("".join(self.words).split()), self.forms[-1].buttons[-1][1])
            self.words = None


class Visitor:
    """Somebody with a browser without JavaScript."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.session = requests.Session()
        self.page = requests.Response()

    def twin(self) -> Visitor:
        """The same browser on the same page, to do two things at once."""
        twin = Visitor(self.site)
        twin.session.cookies.update(self.session.cookies)
        twin.page = self.page
        return twin

    def open(self, address: str) -> requests.Response:
        self.page = self.session.get(urljoin(self.site, address), timeout=PATIENCE)
        return self.page

    def follow(self, words: str) -> requests.Response:
        """Follows the first link that says so."""
        for address, label in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', self.page.text, re.DOTALL):
            if words in label:
                return self.open(urljoin(self.page.url, unescape(address)))
        raise AssertionError(f"No link says {words!r} on {self.page.url}:\n{self.page.text}")

    def press(self, words: str, **typed: str) -> requests.Response:
        """Presses the first button that says so, after typing into the fields of its form."""
        for form in FormReader(self.page.text).forms:
            for label, value in form.buttons:
                if words in label:
                    return self.send(form, form.fields | typed | value)
        raise AssertionError(f"No button says {words!r} on {self.page.url}:\n{self.page.text}")

    def send(self, form: Form, filled: dict[str, str]) -> requests.Response:
        address = urljoin(self.page.url, form.action)
        carried = {"params": filled} if form.method == "get" else {"data": filled}
        self.page = self.session.request(
            form.method, address, **carried, headers={"Referer": self.page.url}, timeout=PATIENCE
        )
        return self.page

    def log_in_to_the_admin(self, username: str, password: str) -> None:
        """The admin's button is an input, so its form is told apart by its fields."""
        [form] = [form for form in FormReader(self.page.text).forms if "username" in form.fields]
        self.send(form, form.fields | {"username": username, "password": password})
        assert "errornote" not in self.page.text
