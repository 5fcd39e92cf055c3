from __future__ import annotations

import re
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _
from django.views.debug import SafeExceptionReporterFilter


class LicenzyConfig(AppConfig):
    name = "licenzy_django"
    label = "licenzy"
    verbose_name = _("Licenzy: billing and access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from licenzy_django import checks  # noqa: F401
        from licenzy_django.access import cache
        from licenzy_django.entitlements import catalog_changes
        from licenzy_django.signals import outbound_recorded

        hide_our_settings()
        cache.watch_the_catalog()
        catalog_changes.watch_the_catalog()

        if self.apps is not None and self.apps.is_installed("drf_spectacular"):
            from licenzy_django.api import schema  # noqa: F401 - a host's own document describes us too

        outbound_recorded.connect(send_by_task, dispatch_uid="licenzy_outbound_tasks")
        post_migrate.connect(make_functions, sender=self, dispatch_uid="licenzy_functions")


def send_by_task(**recorded: Any) -> None:
    """Where the host has task workers. Its settings are read then, not when Django starts."""
    from licenzy_django import outbound

    if outbound.has_task_workers():
        from licenzy_django.outbound import tasks

        tasks.on_recorded(**recorded)


def hide_our_settings() -> None:
    """Django's debug pages and crash mails hide a setting by its name: a misspelt key of ours would show its secret."""
    hidden = SafeExceptionReporterFilter.hidden_settings.pattern
    if "LICENZY" not in hidden:
        SafeExceptionReporterFilter.hidden_settings = re.compile(f"{hidden}|LICENZY", re.IGNORECASE)


def make_functions(sender: AppConfig, *, using: str, **kwargs: Any) -> None:
    """After each ``migrate``, and where tables are made without migrations."""
    from licenzy_django.access import entitlement_rows  # noqa: F401 - registers its functions, as the next two do
    from licenzy_django.db import functions
    from licenzy_django.stripe import facts  # noqa: F401
    from licenzy_django.usage import postgres  # noqa: F401

    for function in functions.REGISTERED:
        function.make(using)
