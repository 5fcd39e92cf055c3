"""Where events go: licenzy's webhook in this process, or addresses over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.core.handlers.wsgi import WSGIHandler
from django.urls import NoReverseMatch

from . import reach
from .account import database_simulator
from .conf import simulator_settings
from .delivery import request_for
from .json_tree import Json


@dataclass(frozen=True, slots=True)
class Target:
    """An empty address is licenzy's own webhook, called in this process."""

    url: str
    secret: str = field(repr=False)
    api_version: str | None
    name: str


@dataclass(slots=True)
class Outcome:
    reached: list[str]
    status: int | None = None
    error: str = ""
    complete: bool = True


def post_to_all(event: Json, *, livemode: bool, already: list[str]) -> Outcome:
    """Posts to every target that has not answered 2xx yet."""
    outcome = Outcome(reached=list(already))
    for target in targets(event["type"], livemode=livemode):
        if target.name in already:
            continue
        body, headers = request_for(event, [target.secret], target.api_version)
        status, error = _post(target, body, headers)
        outcome.status = status if status is not None else outcome.status
        if status is not None and 200 <= status < 300:
            outcome.reached.append(target.name)
        else:
            outcome.error, outcome.complete = error if status is None else f"{target.name} answered {status}", False
    return outcome


def targets(event_type: str, *, livemode: bool) -> list[Target]:
    """The endpoint of the settings, and those that were registered through the API."""
    options = simulator_settings()
    found = [Target(options.WEBHOOK_URL, options.WEBHOOK_SECRET, options.WEBHOOK_API_VERSION, "settings")]
    registered = database_simulator(livemode=livemode).store.all("webhook_endpoint", status="enabled")
    found += [
        Target(endpoint["url"], endpoint["_secret"], endpoint["api_version"], endpoint["id"])
        for endpoint in registered
        if {"*", event_type} & set(endpoint["enabled_events"])
    ]
    return found


def _post(target: Target, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
    if target.url:
        return reach.post(target.url, body, headers)
    try:
        return post_to_own_webhook(body, headers), ""
    except NoReverseMatch as error:
        return None, f"{type(error).__name__}: {error}"


@cache
def _handler() -> WSGIHandler:
    return WSGIHandler()


def _start_response(*_: Any) -> Any:
    """The answer is read from the response object instead."""


def post_to_own_webhook(body: bytes, headers: dict[str, str]) -> int:
    """A whole request through Django's handler, with middleware and URLs, but without a socket."""
    from licenzy_django.webhooks.routes import webhook_path

    base = urlsplit(simulator_settings().BASE_URL)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": webhook_path(),
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": base.hostname or "localhost",
        "SERVER_PORT": str(base.port or (443 if base.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": base.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers["Content-Type"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.url_scheme": base.scheme,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    response = _handler()(environ, _start_response)
    try:
        for _ in response:
            pass
    finally:
        response.close()
    return response.status_code
