"""What only Stripe can say. A Stripe that does not answer is a finding too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host
from django.urls import NoReverseMatch

from licenzy_django import catalog
from licenzy_django.conf import STRIPE_API_VERSION
from licenzy_django.doctor.finding import Finding
from licenzy_django.doctor.preparations import configured_modes
from licenzy_django.exceptions import LicenzyError, StripeUnavailable
from licenzy_django.models import StripeEvent
from licenzy_django.stripe import client
from licenzy_django.sync import inbox
from licenzy_django.webhooks import routes

MOST_ENDPOINTS: Any = {"limit": 100}


def prices_fit() -> Iterator[Finding]:
    for mode in configured_modes():
        try:
            for product, problem in catalog.misfits(mode):
                yield Finding(
                    f"{product.code} ({mode}): {problem}", "Fix it at Stripe, or in the file of licenzy_catalog."
                )
        except LicenzyError as error:
            yield no_answer(mode, "the prices", error)


def webhook_is_registered() -> Iterator[Finding]:
    for mode in configured_modes():
        try:
            listed = client.ask(mode, lambda stripe: stripe.v1.webhook_endpoints.list(MOST_ENDPOINTS))
        except LicenzyError as error:
            yield no_answer(mode, "the webhook endpoints", error)
        else:
            yield from problems_of_endpoints(mode, listed["data"])


def problems_of_endpoints(mode: str, endpoints: list[dict[str, Any]]) -> Iterator[Finding]:
    path = webhook_path()
    ours = those_of_this_site([each for each in endpoints if leads_to(each["url"], path)])
    if not ours:
        yield Finding(
            f"No webhook endpoint in {mode} mode leads to {path or 'this site'}: Stripe tells us nothing.",
            f"manage.py licenzy_webhook_endpoint create https://…{path} --mode {mode}",
        )
    for endpoint in ours:
        for problem in problems_of_endpoint(mode, endpoint):
            yield Finding(
                f"The webhook endpoint {endpoint['url']} ({mode}) {problem}.",
                "Change it in Stripe's dashboard, or make a new one with licenzy_webhook_endpoint and delete this one.",
            )
    if ours and not StripeEvent.objects.filter(mode=mode).exists():
        yield Finding(
            f"No event of Stripe's has arrived in {mode} mode yet.",
            "Buy something, and look at the endpoint's deliveries in Stripe's dashboard.",
            is_wrong=False,
        )


def problems_of_endpoint(mode: str, endpoint: dict[str, Any]) -> Iterator[str]:
    if endpoint["status"] != "enabled":
        yield f"is {endpoint['status']}"
    enabled = set(endpoint["enabled_events"])
    missing = [] if "*" in enabled else sorted(inbox.REASONS.keys() - enabled)
    if missing:
        yield f"does not send {', '.join(missing)}"
    if endpoint["api_version"] != STRIPE_API_VERSION:
        given = endpoint["api_version"] or "the account's default"
        yield f"has the API version {given}, and we were built for {STRIPE_API_VERSION}"
    if urlsplit(endpoint["url"]).scheme == "http" and (mode == "live" or settings.SECURE_SSL_REDIRECT):
        yield "is plain HTTP: a redirect to https is a failure for Stripe"


def webhook_path() -> str:
    try:
        return routes.webhook_path()
    except NoReverseMatch:
        return ""


def leads_to(url: str, path: str) -> bool:
    return bool(path) and urlsplit(url).path.rstrip("/") in (path, f"{path}/tenant")


def those_of_this_site(endpoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One account often serves several sites with the same path; ALLOWED_HOSTS says which is this one, if any is."""
    here = [each for each in endpoints if validate_host(urlsplit(each["url"]).hostname or "", settings.ALLOWED_HOSTS)]
    return here or endpoints


def no_answer(mode: str, what: str, error: LicenzyError) -> Finding:
    if isinstance(error, StripeUnavailable):
        return Finding(
            f"Stripe could not be asked about {what} of {mode} mode. {error}", "Try again; --offline skips it."
        )
    return Finding(
        f"Stripe refused to show {what} of {mode} mode. {error}",
        "The key is wrong, or a restricted key that may not read them, or STRIPE_API_BASE leads elsewhere.",
    )
