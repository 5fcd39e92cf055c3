"""``manage.py licenzy_simulator --port 4242``: the simulated Stripe at the root of a port of its own."""

from __future__ import annotations

import ipaddress
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from licenzy_django.simulator import standalone
from licenzy_django.simulator.api.versions import checked
from licenzy_django.simulator.checks import objection
from licenzy_django.simulator.conf import API_VERSION
from licenzy_django.simulator.refusals import RefusalError


class Command(BaseCommand):
    help = (
        "Serves the simulated Stripe alone: API, pages, clock and webhook deliveries in one process. For Stripe's CLI "
        "(--api-base) and SDKs whose base address has no path."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=4242, help="0 takes a free one (default: 4242)")
        parser.add_argument("--host", default="127.0.0.1", help="an address of this machine (default: 127.0.0.1)")
        parser.add_argument(
            "--api-version", default=API_VERSION,
            help=f"the account's own version, for requests without a Stripe-Version header (default: {API_VERSION})",
        )  # fmt: skip

    def handle(self, *, port: int, host: str, api_version: str, **_: Any) -> None:
        if problem := objection():
            raise CommandError(problem)
        try:
            serving = standalone.server(host, port, version=checked(api_version))
        except RefusalError as refusal:
            raise CommandError(refusal.message) from None
        except DatabaseError as error:
            raise CommandError(f"The simulator's tables cannot be read ({error}). Run `manage.py migrate`.") from None
        except OSError as error:
            raise CommandError(f"Nothing can be served at {host}:{port}: {error}") from None
        self._greet(standalone.address(serving), host)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("")
        finally:
            serving.server_close()

    def _greet(self, address: str, host: str) -> None:
        if not _is_loopback(host):
            self.stderr.write(f"Whoever reaches {host} can give access to anybody in this database.")
        self.stdout.write(f"The simulated Stripe is at {address}/ (API: {address}/v1). Stop it with Ctrl-C.")
        self.stdout.flush()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
