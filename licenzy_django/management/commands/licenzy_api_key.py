from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from licenzy_django.models import ApiKey, Mode
from licenzy_django.models.keys import PREFIX_LENGTH


class Command(BaseCommand):
    help = "Create, list and revoke the API keys of /v1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="Print a new key, once, alone on the last line.")
        create.add_argument("--mode", choices=Mode.values, required=True)
        create.add_argument("--name", required=True, help="Which system uses it.")
        verbs.add_parser("list", help="List the keys; none can be read again.")
        revoke = verbs.add_parser("revoke", help="Refuse a key from now on.")
        revoke.add_argument("prefix", help="As `list` shows it, for example lz_test_a1b2c3d4.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, verb)(**options)

    def create(self, mode: str, name: str, **options: Any) -> None:
        if not name.strip():
            raise CommandError("The name must not be empty.")
        _, key = ApiKey.objects.issue(mode, name.strip()[:100])
        self.stderr.write("This key is shown once. Keep it on a server, never in a browser.")
        self.stdout.write(key)

    def list(self, **options: Any) -> None:
        keys = ApiKey.objects.order_by("mode", "-id")
        for key in keys:
            used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "active"
            self.stdout.write(f"{key.prefix}…{key.last_four}  {key.mode}  {state}  {used}  {key.name}")
        if not keys:
            self.stdout.write("There are no API keys yet: licenzy_api_key create --mode test --name NAME")

    def revoke(self, prefix: str, **options: Any) -> None:
        if len(prefix) < PREFIX_LENGTH:
            raise CommandError(
                f"The first {PREFIX_LENGTH} characters are needed, as `licenzy_api_key list` shows them."
            )
        prefix = prefix[:PREFIX_LENGTH]
        found = list(ApiKey.objects.filter(prefix=prefix))
        if not found:
            raise CommandError(f"No key begins with {prefix}; `licenzy_api_key list` shows them.")
        if len(found) > 1:
            raise CommandError(f"{len(found)} keys begin with {prefix}; revoke the one that is meant in the admin.")
        found[0].revoke()
        self.stdout.write(f"{found[0].prefix}… is revoked.")
