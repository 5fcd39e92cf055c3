from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from licenzy_django import pruning


def days(text: str) -> int:
    if not text.isdecimal() or int(text) > 36_500:
        raise ArgumentTypeError("a whole number of days")
    return int(text)


class Command(BaseCommand):
    help = "Drop what is no longer needed. History, the ledger and idempotency keys always stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, default in {"--deliveries": 30, "--payloads": 90, "--answers": 30}.items():
            text = "Kept for so many days, by default %(default)s."
            parser.add_argument(name, type=days, default=default, metavar="DAYS", help=text)

    def handle(self, *args: Any, deliveries: int, payloads: int, answers: int, **options: Any) -> None:
        self.say(pruning.sent_deliveries(deliveries), "deliveries that were sent or given up")
        self.say(pruning.outbound_events(deliveries), "outbound events without a delivery")
        self.say(pruning.raw_payloads(payloads), "payloads of Stripe events")
        self.say(pruning.checkout_answers(answers), "answers of old checkouts")

    def say(self, dropped: int, what: str) -> None:
        self.stdout.write(f"{dropped:,} {what}")
