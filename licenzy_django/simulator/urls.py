"""Mount these at ``simulator/``."""

from __future__ import annotations

from django.urls import path

from .pages import checkout, invoice, machine, portal, stripe_api, stylesheet
from .permission import guarded

app_name = "licenzy_simulator"
urlpatterns = [
    path("", guarded(machine.machine), name="machine"),
    path("act/", guarded(machine.act), name="act"),
    path("checkout/<str:session_id>", guarded(checkout.checkout), name="checkout"),
    path("invoice/<str:invoice_id>", guarded(invoice.invoice), name="invoice"),
    path("invoice/<str:invoice_id>/pdf", guarded(invoice.invoice)),
    path("portal/<str:session_id>", guarded(portal.portal), name="portal"),
    path("simulator.css", guarded(stylesheet.stylesheet), name="stylesheet"),
    path("v1/<path:rest>", guarded(stripe_api.stripe_api), name="api"),
]
