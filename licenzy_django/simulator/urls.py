"""Mount these at ``simulator/``."""

from __future__ import annotations

from django.urls import path

from .pages import api

app_name = "licenzy_simulator"
urlpatterns = [
    path("", api.placeholder, name="machine"),
    path("v1/<path:rest>", api.stripe_api, name="api"),
]
