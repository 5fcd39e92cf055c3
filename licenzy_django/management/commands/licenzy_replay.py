from __future__ import annotations

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from licenzy_django.models import StripeEvent
from licenzy_django.sync import inbox

logger = logging.getLogger("licenzy_django")


class Command(BaseCommand):
    help = "Process kept Stripe events again. Processing one twice changes nothing more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event_ids", nargs="*", metavar="EVENT_ID", help="evt_…, in the order of the replay.")
        parser.add_argument("--failed", action="store_true", help="All that failed or were left behind, oldest first.")

    def handle(self, *args: Any, event_ids: list[str], failed: bool, **options: Any) -> None:
        if failed == bool(event_ids):
            raise CommandError("Name the events, or say --failed.")
        pks = list(inbox.unfinished().values_list("pk", flat=True)) if failed else [pk_of(name) for name in event_ids]
        outcomes = [self.replay(pk) for pk in pks]
        if not outcomes:
            self.stdout.write("There is nothing to replay.")
        if not all(outcomes):
            raise CommandError(f"{outcomes.count(False)} of {len(outcomes)} failed again.")

    def replay(self, pk: int) -> bool:
        row = StripeEvent.objects.get(pk=pk)
        try:
            row = inbox.replay(row)
        except Exception:
            logger.exception("Stripe event %s failed again", row.event_id)
            row.refresh_from_db()
            self.stderr.write(f"{row.event_id}  {row.type}  failed: {row.error}")
            return False
        self.stdout.write(f"{row.event_id}  {row.type}  {row.status}  {row.outcome}".rstrip())
        return True


def pk_of(event_id: str) -> int:
    found = list(StripeEvent.objects.filter(event_id=event_id).values_list("pk", flat=True)[:2])
    if len(found) != 1:
        raise CommandError(f"There is no event {event_id}." if not found else f"Both modes have an event {event_id}.")
    return found[0]
