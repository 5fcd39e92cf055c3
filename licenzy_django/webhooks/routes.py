"""Where the host has routed the webhook."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from licenzy_django.webhooks.views import stripe_webhook


def webhook_path() -> str:
    """Found by walking the host's URLs, since ours may be included in any namespace. Raises NoReverseMatch."""
    for route in routes(get_resolver().url_patterns):
        with suppress(NoReverseMatch):
            return reverse(route)
    raise NoReverseMatch("The webhook has no URL.")


def routes(patterns: Iterable[URLPattern | URLResolver], namespaces: tuple[str, ...] = ()) -> Iterator[Any]:
    """What ``reverse`` takes for each pattern that leads to the webhook, also to a decorated one."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from routes(pattern.url_patterns, inner)
        elif inspect.unwrap(pattern.callback) is inspect.unwrap(stripe_webhook):
            yield ":".join((*namespaces, pattern.name)) if pattern.name else pattern.callback
