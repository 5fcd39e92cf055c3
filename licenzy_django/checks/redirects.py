"""Where Stripe may send a customer back to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register

from licenzy_django.checks.settings import are_readable
from licenzy_django.conf import as_list, licenzy_settings

PAGES = ("SUCCESS_URL", "CANCEL_URL")


@register("licenzy", Tags.urls)
def check_pages_are_absolute(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable():
        return []
    return [
        Error(
            f"LICENZY[{name!r}] is not an absolute http or https URL.",
            hint="Stripe sends the customer there from its own site: 'https://shop.example.com/thanks/'.",
            id="licenzy.E012",
        )
        for name in PAGES
        if (given := getattr(licenzy_settings(), name)) and not is_absolute(given)
    ]


def is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


@register("licenzy", Tags.security)
def check_live_pages_are_https(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or not licenzy_settings().LIVE_SECRET_KEY:
        return []
    return [
        Warning(
            f"LICENZY[{name!r}] is plain HTTP, which Stripe refuses in live mode.",
            hint="Use https.",
            id="licenzy.W018",
        )
        for name in PAGES
        if str(getattr(licenzy_settings(), name) or "").startswith("http:")
    ]


@register("licenzy", Tags.urls)
def check_a_checkout_can_return(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Only for those who sell: a project without a key for Stripe starts no checkout."""
    if not are_readable():
        return []
    known = licenzy_settings()
    missing = [name for name in PAGES if not getattr(known, name)]
    if not (known.TEST_SECRET_KEY or known.LIVE_SECRET_KEY) or as_list(known.ALLOWED_REDIRECT_HOSTS) or not missing:
        return []
    return [
        Warning(
            f"No checkout can be started: LICENZY has no {' and no '.join(missing)}, "
            "and with ALLOWED_REDIRECT_HOSTS empty no caller may name one.",
            hint="Set both pages, or the hosts that callers may send customers back to.",
            id="licenzy.W012",
        )
    ]


@register("licenzy", Tags.urls, deploy=True)
def check_callers_may_name_pages(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """With both pages set this may be what the host wants, so it is shown only with ``check --deploy``."""
    if not are_readable() or check_a_checkout_can_return():
        return []
    known = licenzy_settings()
    if not (known.TEST_SECRET_KEY or known.LIVE_SECRET_KEY) or as_list(known.ALLOWED_REDIRECT_HOSTS):
        return []
    return [
        Info(
            "ALLOWED_REDIRECT_HOSTS is empty: a success_url, cancel_url or return_url in a request is refused.",
            hint="LICENZY['ALLOWED_REDIRECT_HOSTS'] = ['shop.example.com'], if other backends are to name pages.",
            id="licenzy.I013",
        )
    ]


@register("licenzy", Tags.security)
def check_redirect_hosts(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable():
        return []
    return [
        Error(
            f"LICENZY['ALLOWED_REDIRECT_HOSTS'] has {host!r}, which matches no host.",
            hint="Hosts, with the port if it is not the default one, without scheme, path or wildcard.",
            id="licenzy.E013",
        )
        for host in as_list(licenzy_settings().ALLOWED_REDIRECT_HOSTS)
        if not is_host(host)
    ]


def is_host(text: str) -> bool:
    try:
        return bool(text) and urlsplit(f"//{text}").netloc == text and not set("*@ \t").intersection(text)
    except ValueError:
        return False
