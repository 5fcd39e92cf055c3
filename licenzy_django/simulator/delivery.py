"""Webhooks: rendered, really signed, posted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .conf import simulator_settings
from .json_tree import Json, whole
from .rendering import render
from .signing import signature_header
from .stores import Store

Post = Callable[[bytes, dict[str, str]], int]
"""Takes the raw body and the headers, answers with the HTTP status."""


def encode(event: Json, api_version: str | None) -> bytes:
    """The raw body, indented as Stripe's are."""
    return json.dumps(render(whole(event), api_version), indent=2, ensure_ascii=False).encode()


def request_for(event: Json, secrets: Sequence[str], api_version: str | None) -> tuple[bytes, dict[str, str]]:
    body = encode(event, api_version)
    return body, {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks; simulated)",
        "Stripe-Signature": signature_header(body, secrets),
    }


def deliver(
    store: Store, events: Iterable[Json], *, post: Post | None = None, secrets: Sequence[str] | None = None,
    api_version: str | None = "",
) -> list[int]:  # fmt: skip
    """Posts each event once and notes how it went.

    ``post`` defaults to licenzy's webhook in this process, ``secrets`` and ``api_version`` ("" means unset, None means
    an event whose version is null) to LICENZY_SIMULATOR. What ``post`` raises is not caught.
    """
    options = simulator_settings() if secrets is None or api_version == "" else None
    chosen = [options.WEBHOOK_SECRET] if secrets is None and options else list(secrets or ())
    version = options.WEBHOOK_API_VERSION if api_version == "" and options else api_version
    post, statuses = post or in_process_post(), []
    for event in events:
        body, headers = request_for(event, chosen, version)
        status = post(body, headers)
        store.note_delivery(event["id"], status)
        statuses.append(status)
    return statuses


def in_process_post() -> Post:
    """To licenzy's own webhook, through Django's test client: middleware and URLs as for a real request."""
    from django.test import Client

    from licenzy_django.webhooks.routes import webhook_path

    client, path = Client(raise_request_exception=False), webhook_path()

    def post(body: bytes, headers: dict[str, str]) -> int:
        sent: dict[str, Any] = {name: value for name, value in headers.items() if name != "Content-Type"}
        return client.post(path, data=body, content_type=headers["Content-Type"], headers=sent).status_code

    return post
