from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from licenzy_django import catalog
from licenzy_django.catalog import CatalogError
from licenzy_django.conf import licenzy_settings
from licenzy_django.entitlements.catalog_changes import apply_to_everybody
from licenzy_django.exceptions import LicenzyError
from licenzy_django.models import Mode, Product


class Command(BaseCommand):
    help = "Products from and to JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        load = verbs.add_parser("load", help="Create or update the products of a file; can be repeated.")
        load.add_argument("file", help="A JSON file, or - for standard input.")
        dump = verbs.add_parser("dump", help="Print the products as `load` reads them.")
        dump.add_argument("--mode", choices=Mode.values)
        apply = verbs.add_parser("apply", help="Give everybody who has a product what the catalog says now.")
        apply.add_argument("code", help="The product.")
        apply.add_argument("--mode", choices=Mode.values, required=True)
        apply.add_argument("--reason", required=True, help="Why, for the history.")
        verify = verbs.add_parser(
            "verify", help="Ask Stripe whether each price exists and fits the kind of its product."
        )
        verify.add_argument("--mode", choices=Mode.values, help="By default every mode that has products.")
        pull = verbs.add_parser("pull", help="Print a catalog of the active prices at Stripe; writes nothing else.")
        pull.add_argument("--mode", choices=Mode.values, help="By default every mode that has a secret key.")
        push = verbs.add_parser("push", help="Make at Stripe the prices of the products that have an amount.")
        push.add_argument("--mode", choices=Mode.values, help="By default every mode that has such products.")
        push.add_argument("--dry-run", action="store_true", help="Say what would be made, and make nothing.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, verb)(**options)

    def load(self, file: str, **options: Any) -> None:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
            # Some editors begin a file with a byte order mark.
            counts = catalog.load(json.loads(text.removeprefix("\ufeff")))
        except (OSError, ValueError, RecursionError) as error:
            raise CommandError(f"{file}: {error}") from error
        self.stdout.write(", ".join(f"{count} {what}" for what, count in counts.items()))

    def apply(self, code: str, mode: str, reason: str, **options: Any) -> None:
        product = Product.objects.filter(mode=mode, code=code).first()
        if product is None:
            raise CommandError(f"There is no product {code} in {mode} mode.")
        if not reason.strip():
            raise CommandError("Say why: --reason.")
        changed = apply_to_everybody(product, actor=None, reason=reason)
        self.stdout.write(f"{changed} entitlements changed.")

    def dump(self, mode: str | None = None, **options: Any) -> None:
        products = Product.objects.filter(mode=mode) if mode else Product.objects.all()
        entries = catalog.dump(products.order_by("mode", "code"))
        self.stdout.write(json.dumps(entries, indent=2, ensure_ascii=False))

    def verify(self, mode: str | None = None, **options: Any) -> None:
        active = Product.objects.filter(is_active=True, **({"mode": mode} if mode else {}))
        problems = 0
        for each in sorted(set(active.values_list("mode", flat=True))):
            with failures_in(each):
                for verdict in catalog.verdicts(each):
                    problems += len(verdict.problems)
                    for sentence in [*verdict.problems, *verdict.notes]:
                        self.stdout.write(f"{verdict.product.code} ({each}): {sentence}")
        if problems:
            raise CommandError(f"{problems} to fix.")
        self.stdout.write(f"{active.count()} products fit their prices at Stripe.")

    def pull(self, mode: str | None = None, **options: Any) -> None:
        configured = [each for each in Mode.values if licenzy_settings().secret_key(each)]
        found = catalog.Pulled()
        for each in [mode] if mode else configured or [Mode.TEST]:
            with failures_in(each):
                pulled = catalog.pull(each)
            found.entries += pulled.entries
            found.comments += [f"{comment} ({each})" for comment in pulled.comments]
        for comment in found.comments:
            self.stderr.write(comment)
        self.stdout.write(json.dumps(found.entries, indent=2, ensure_ascii=False))

    def push(self, mode: str | None = None, *, dry_run: bool = False, **options: Any) -> None:
        modes = [mode] if mode else sorted(Mode.values, reverse=True)
        steps = [step for each in modes for step in self.plan(each)]
        for step in steps:
            self.push_one(step, dry_run=dry_run)
        undone = [step for step in steps if not step.is_done]
        made = sum(not step.is_made for step in undone)
        self.stdout.write(
            f"{made} {'to make' if dry_run else 'made'}, {len(undone) - made} found by lookup key, "
            f"{len(steps) - len(undone)} unchanged"
        )

    def plan(self, mode: str) -> list[catalog.Step]:
        with failures_in(mode):
            return catalog.push_plan(mode)

    def push_one(self, step: catalog.Step, *, dry_run: bool) -> None:
        product = step.product
        if step.is_done:
            return
        for warning in step.warnings:
            self.stderr.write(f"{product.code} ({product.mode}): {warning}")
        with failures_in(product.mode):
            price = "would be" if dry_run else catalog.carry_out(step)
        self.stdout.write(f"{product.code} ({product.mode}): {price}: {step.plan}")


@contextmanager
def failures_in(mode: str) -> Iterator[None]:
    try:
        yield
    except CatalogError as error:
        raise CommandError(str(error)) from error
    except LicenzyError as error:
        raise CommandError(f"{mode} mode: {error}") from error
