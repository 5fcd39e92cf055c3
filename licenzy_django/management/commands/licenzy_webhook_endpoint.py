from __future__ import annotations

from argparse import ArgumentParser
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from licenzy_django.checks.redirects import is_absolute
from licenzy_django.conf import STRIPE_API_VERSION
from licenzy_django.exceptions import LicenzyError
from licenzy_django.models import Mode
from licenzy_django.stripe import client
from licenzy_django.sync import inbox


class Command(BaseCommand):
    help = "Register our webhook endpoint at Stripe, with exactly our events and our API version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="Register URL and print its secret, once, alone on the last line.")
        create.add_argument("url", metavar="URL", help="https://…/v1/webhooks/stripe")
        create.add_argument("--mode", choices=Mode.values, required=True)
        verbs.add_parser("events", help="Print the events that an endpoint needs, one a line.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, verb)(**options)

    def events(self, **options: Any) -> None:
        self.stdout.write("\n".join(inbox.REASONS))

    def create(self, url: str, mode: str, **options: Any) -> None:
        if not is_absolute(url) or (mode == "live" and urlsplit(url).scheme != "https"):
            raise CommandError("The URL must be absolute, and https in live mode.")
        params = {
            "url": url,
            "enabled_events": list(inbox.REASONS),
            "api_version": STRIPE_API_VERSION,
            "description": "licenzy-django",
        }
        try:
            endpoint = client.ask(mode, partial(create_endpoint, params), needs=["secret"])
        except LicenzyError as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"{endpoint['id']} is registered with {len(inbox.REASONS)} events and {STRIPE_API_VERSION}.")
        self.stderr.write(f"Put this secret into LICENZY[{mode.upper() + '_WEBHOOK_SECRETS'!r}]; it is shown once:")
        self.stdout.write(endpoint["secret"])


def create_endpoint(params: Any, client: Any) -> Any:
    return client.v1.webhook_endpoints.create(params)
