"""``path("v1/", include("licenzy_django.urls"))``. A trailing slash works too, without a redirect."""

from django.urls import re_path

from licenzy_django.api import openapi, usage, views
from licenzy_django.webhooks.views import stripe_webhook

app_name = "licenzy"

# A subject_ref may contain slashes, percent-encoded by the client and decoded by the server.
SUBJECT = r"(?P<subject_ref>(?s:.+?))/?\Z"

urlpatterns = [
    re_path(r"^checkout/session/?\Z", views.CheckoutSessionView.as_view(), name="checkout-session"),
    re_path(r"^access/check/?\Z", views.AccessCheckView.as_view(), name="access-check"),
    re_path(rf"^customer/access/{SUBJECT}", views.CustomerAccessView.as_view(), name="customer-access"),
    re_path(rf"^entitlements/{SUBJECT}", views.EntitlementsView.as_view(), name="entitlements"),
    re_path(r"^usage/consume/?\Z", usage.ConsumeView.as_view(), name="usage-consume"),
    re_path(r"^usage/reserve/?\Z", usage.ReserveView.as_view(), name="usage-reserve"),
    re_path(r"^usage/confirm/?\Z", usage.ConfirmView.as_view(), name="usage-confirm"),
    re_path(r"^usage/release/?\Z", usage.ReleaseView.as_view(), name="usage-release"),
    re_path(r"^billing-portal/session/?\Z", views.BillingPortalSessionView.as_view(), name="billing-portal-session"),
    re_path(r"^webhooks/stripe(?:/tenant)?/?\Z", stripe_webhook, name="stripe-webhook"),
]

if openapi.is_available():
    urlpatterns.append(re_path(r"^schema/?\Z", openapi.schema, name="schema"))
