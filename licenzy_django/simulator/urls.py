"""Mount these at ``simulator/``."""

from __future__ import annotations

from django.urls import path

from .pages import checkout, machine, portal, stripe_api, stylesheet

app_name = "licenzy_simulator"
urlpatterns = [
    path("", machine.machine, name="machine"),
    path("act/", machine.act, name="act"),
    path("checkout/<str:session_id>", checkout.checkout, name="checkout"),
    path("portal/<str:session_id>", portal.portal, name="portal"),
    path("simulator.css", stylesheet.stylesheet, name="stylesheet"),
    path("v1/<path:rest>", stripe_api.stripe_api, name="api"),
]
