"""``manage.py licenzy_encrypt``: after ``ENCRYPTION_KEYS`` was set, or got a new first key."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from licenzy_django.outbound import endpoints


class Command(BaseCommand):
    help = "Encrypt the stored signing secrets of outbound endpoints with the first of ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changed = endpoints.encrypt_secrets()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{changed} endpoints were written anew.")
