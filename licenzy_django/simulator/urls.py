"""Mount these at ``simulator/``."""

from __future__ import annotations

from django.urls import path

from .pages import checkout, invoice, machine, portal, stripe_api, stylesheet
from .pages.typed import storable_only
from .permission import View, guarded


def page(view: View) -> View:
    return guarded(storable_only(view))


app_name = "licenzy_simulator"
urlpatterns = [
    path("", guarded(machine.machine), name="machine"),
    path("act/", page(machine.act), name="act"),
    path("checkout/<str:session_id>", page(checkout.checkout), name="checkout"),
    path("invoice/<str:invoice_id>", page(invoice.invoice), name="invoice"),
    path("invoice/<str:invoice_id>/pdf", page(invoice.invoice)),
    path("portal/<str:session_id>", page(portal.portal), name="portal"),
    path("simulator.css", guarded(stylesheet.stylesheet), name="stylesheet"),
    path("v1/<path:rest>", guarded(stripe_api.stripe_api), name="api"),
]
