from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from licenzy_django import doctor


class Command(BaseCommand):
    help = (
        "Says in plain words what is missing before going live and what has gone wrong since, and changes nothing. "
        "Exit status 1 if something has to be fixed."
    )
    # What they would say is a finding like any other.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--offline", action="store_true", help="Do not ask Stripe.")
        parser.add_argument("--only", choices=doctor.CHECKS, nargs="+", help="Only these groups of questions.")

    def handle(self, *args: Any, offline: bool = False, only: list[str] | None = None, **options: Any) -> None:
        groups = set(only or doctor.CHECKS) - ({"stripe"} if offline else set())
        if not groups:
            raise CommandError("--offline leaves nothing of --only stripe.")
        wrong = 0
        for finding in doctor.examine(groups):
            wrong += finding.is_wrong
            mark = self.style.ERROR("wrong") if finding.is_wrong else self.style.WARNING("note ")
            self.stdout.write(f"{mark}  {finding.message}")
            if finding.hint:
                self.stdout.write(f"       {finding.hint}")
        if wrong:
            self.stdout.write(f"{wrong} to fix.")
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("Nothing is wrong."))
