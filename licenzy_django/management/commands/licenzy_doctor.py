from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from licenzy_django import doctor


class Command(BaseCommand):
    help = "Looks for what is wrong, in plain words, and changes nothing. Exit status 1 if something has to be mended."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for finding in doctor.examine():
            wrong += finding.is_wrong
            mark = self.style.ERROR("wrong") if finding.is_wrong else self.style.WARNING("note ")
            self.stdout.write(f"{mark}  {finding.message}")
            if finding.hint:
                self.stdout.write(f"       {finding.hint}")
        if wrong:
            self.stdout.write(f"{wrong} to mend.")
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("Nothing is wrong."))
