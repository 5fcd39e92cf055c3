"""All that stands between a fresh clone and a running shop: tables, catalog, API key, operator.

May run any number of times.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from example_project.offers import PROMOTION_CODE
from licenzy_django.models import ApiKey, CheckoutAttempt, OutboundEndpoint
from licenzy_django.models.keys import digest_of
from licenzy_django.outbound import endpoints
from licenzy_django.simulator.account import database_simulator

OWN_ENDPOINT = "The events page of the shop"

WELCOME = """
  The shop      {site}/
  Time machine  {site}/simulator/
  Events        {site}/events/
  Try the API   {site}/api/
  A promotion   {promotion_code}   (20 % off, typed on the payment page)
  The admin     {site}/admin/   (admin, {admin_password})
  The API key   {api_key}

  Buy from another backend; open the checkout_url it answers, pay, and ask /v1/access/check:

curl -sS {site}/v1/checkout/session -H 'Authorization: Bearer {api_key}' \
-H 'Idempotency-Key: checkout-{subject}-pro_monthly-001' -H 'Content-Type: application/json' \
-d '{{"subject_ref": "{subject}", "product_code": "PRO_MONTHLY"}}'

curl -sS {site}/v1/access/check -H 'Authorization: Bearer {api_key}' \
-H 'Content-Type: application/json' -d '{{"subject_ref": "{subject}"}}'
"""


class Command(BaseCommand):
    help = "Prepares the demo and prints its address, its API key and a curl line."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("demo_setup prints a password and a key. It is for DEBUG only.")
        call_command("migrate", verbosity=0)
        if settings.ON_SIMULATOR:
            call_command("licenzy_catalog", "load", str(Path(settings.BASE_DIR) / "example_project" / "catalog.json"))
            make_promotion_code()
        remembered = recall()
        if settings.ON_SIMULATOR:
            remembered["outbound_secret"] = working_endpoint(remembered.get("outbound_secret", ""))
        remembered["api_key"] = working_key(remembered.get("api_key", ""))
        remembered["admin_password"] = set_operator(remembered.get("admin_password") or secrets.token_urlsafe(9))
        remember(remembered)
        self.stdout.write(
            WELCOME.format(
                site=settings.SITE_URL, subject=unused_subject(), promotion_code=PROMOTION_CODE, **remembered
            )
        )


def recall() -> dict[str, str]:
    """What the last run made, so that this one prints the same."""
    file: Path = settings.DEMO_SECRETS_FILE
    return dict(json.loads(file.read_text())) if file.exists() else {}


def remember(secret_values: dict[str, str]) -> None:
    """Only the owner of this machine's account may read it, and git ignores it."""
    descriptor = os.open(settings.DEMO_SECRETS_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(secret_values, file)


def working_key(key: str) -> str:
    """The key of the last run, or a new one if this database does not know it."""
    if key and ApiKey.objects.filter(digest=digest_of(key), revoked_at=None).exists():
        return key
    return ApiKey.objects.issue("test", "Demo")[1]


def working_endpoint(secret: str) -> str:
    """The secret of the endpoint that is the shop itself, so that its events page has something to show."""
    url = settings.SITE_URL + reverse("receive-event")
    own = OutboundEndpoint.objects.filter(description=OWN_ENDPOINT)
    if secret and own.filter(secret=secret, url=url, is_active=True).exists():
        return secret
    own.delete()
    return endpoints.create("test", url, description=OWN_ENDPOINT)[1]


def make_promotion_code() -> None:
    """What a customer can type on the simulated payment page."""
    stripe = database_simulator()
    if not stripe.all("promotion_code", code=PROMOTION_CODE):
        coupon = stripe.create_coupon({"percent_off": 20, "duration": "once", "name": "A river of your own"})
        stripe.create_promotion_code({"promotion": {"type": "coupon", "coupon": coupon["id"]}, "code": PROMOTION_CODE})


def set_operator(password: str) -> str:
    """Somebody who may use the admin."""
    users = get_user_model().objects
    operator = users.filter(username="admin").first() or users.create_superuser("admin")
    if not operator.check_password(password):
        operator.set_password(password)
        operator.save(update_fields=["password"])
    return password


def unused_subject() -> str:
    """A subject that has bought nothing, so that the printed line opens a checkout."""
    number = 123
    while CheckoutAttempt.objects.filter(subject__subject_ref=f"user_{number}").exists():
        number += 1
    return f"user_{number}"
