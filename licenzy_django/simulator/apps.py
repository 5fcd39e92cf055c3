"""The simulator as a Django app that a host has to add by itself."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.core.signals import request_started


class SimulatorConfig(AppConfig):
    name = "licenzy_django.simulator"
    label = "licenzy_simulator"
    verbose_name = "Stripe simulator"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import worker
        from .checks import check_simulator

        checks.register(check_simulator, "licenzy")
        request_started.connect(worker.on_request, dispatch_uid="licenzy_simulator_worker")
