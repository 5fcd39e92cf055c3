from __future__ import annotations

import logging
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils.dateparse import parse_date, parse_datetime

from licenzy_django import clock, sync
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import LicenzyError
from licenzy_django.models import Mode, StripeEvent, StripeFact, Subject

logger = logging.getLogger("licenzy_django")

STRIPE_EVENT_RETENTION = timedelta(days=30)


def moment(text: str) -> datetime:
    """``2026-11-23``, ``2026-11-23T08:00Z``, or so many days or hours back: ``3d``, ``36h``."""
    count, unit = text[:-1], text[-1:]
    if unit in "dh" and count.isdecimal() and len(count) < 6:
        return clock.now() - (timedelta(days=int(count)) if unit == "d" else timedelta(hours=int(count)))
    try:
        day = parse_date(text)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise ArgumentTypeError(f"{text} is no day, no time and no number of days (3d) or hours (36h).")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Compare with Stripe and repair: the events that never arrived, then each subject's objects."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--subject", metavar="REF", help="Only this one, whatever --since; by default everybody.")
        parser.add_argument("--mode", choices=Mode.values, help="By default every mode that has a secret key.")
        parser.add_argument("--since", type=moment, help="Only what Stripe made since: a day, a time, 3d or 36h.")
        parser.add_argument("--dry-run", action="store_true", help="Print the drift and change nothing.")

    def handle(
        self, *args: Any, mode: str | None, subject: str | None, since: datetime | None, dry_run: bool, **options: Any
    ) -> None:
        modes = [mode] if mode else [each for each in Mode.values if licenzy_settings().secret_key(each)]
        if not modes:
            raise CommandError("No mode has a secret key; see LICENZY in your settings.")
        self.failures = 0
        missed = found = 0
        if subject:
            # Without the events, what became of an older purchase since would not be seen.
            since = None
        else:
            missed = sum(self.catch_up(each, since, dry_run=dry_run) for each in modes)
        for difference in self.differences(subjects_at_stripe(modes, subject), since, dry_run=dry_run):
            found += 1
            self.stdout.write(str(difference))
        what = "differences; nothing was changed" if dry_run else "differences repaired"
        if found:
            self.stdout.write(f"{found} {what}.")
        elif not self.failures:
            self.stdout.write(f"Nothing {'else ' if missed and dry_run else ''}differs from what Stripe says.")
        if self.failures:
            raise CommandError(f"{self.failures} could not be compared; the rest was.")

    def catch_up(self, mode: str, since: datetime | None, *, dry_run: bool) -> int:
        """The events that never arrived, and how many. One that fails is kept as failed, for ``licenzy_replay``."""
        found = 0
        earliest = clock.now() - STRIPE_EVENT_RETENTION
        try:
            for event in sync.missed_events(mode, since=max(since or earliest, earliest), handle=not dry_run):
                found += 1
                self.failures += event.status == StripeEvent.Status.FAILED
                outcome = "" if dry_run else f": {event.status} {event.outcome}"
                self.stdout.write(f"{event.event_id} {event.type} had not been handled{outcome}")
        except LicenzyError as error:
            self.failed(f"events in {mode} mode", str(error))
        except Exception as error:
            logger.exception("The events in %s mode could not be caught up with", mode)
            self.failed(f"events in {mode} mode", f"{type(error).__name__}, see the log")
        return found

    def differences(
        self, subjects: QuerySet[Subject], since: datetime | None, *, dry_run: bool
    ) -> Iterator[sync.Drift]:
        compare = sync.drift if dry_run else sync.repair
        for subject in subjects.iterator(chunk_size=500):
            try:
                yield from compare(subject, since=since)
            except LicenzyError as error:
                self.failed(subject.subject_ref, str(error))
            except Exception as error:
                logger.exception("%s could not be compared with Stripe", subject.subject_ref)
                self.failed(subject.subject_ref, f"{type(error).__name__}, see the log")

    def failed(self, what: str, why: str) -> None:
        """Count it and go on: what we cannot handle of one keeps nobody else from being put right."""
        self.failures += 1
        self.stderr.write(f"{what}: {why}")


def subjects_at_stripe(modes: list[str], subject_ref: str | None) -> QuerySet[Subject]:
    """Those who have, or had, a customer there. Raises CommandError for one who never had."""
    customers = StripeFact.objects.filter(mode__in=modes, object="customer").exclude(subject=None)
    subjects = Subject.objects.filter(pk__in=customers.values("subject_id")).order_by("pk")
    if subject_ref is None:
        return subjects
    subjects = subjects.filter(subject_ref=subject_ref)
    if not subjects:
        raise CommandError(f"{subject_ref} never started a purchase.")
    return subjects
