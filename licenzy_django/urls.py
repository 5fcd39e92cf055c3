"""``path("v1/", include("licenzy_django.urls"))``. A trailing slash works too, without a redirect."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, re_path

from licenzy_django.access.private_answers import for_the_key_alone
from licenzy_django.api import members, openapi, subscriptions, usage, views
from licenzy_django.api.fallback import not_found
from licenzy_django.webhooks.views import stripe_webhook

__all__ = ["app_name", "not_found", "urlpatterns"]

app_name = "licenzy"

# A subject_ref may contain slashes, percent-encoded by the client and decoded by the server.
SUBJECT = r"(?P<subject_ref>(?s:.+?))"
# A member_ref may not: the last slash of the path stands before it.
MEMBER = r"(?P<subject_ref>(?s:.+))/(?P<member_ref>[^/]+)"


def endpoint(path: str, view: Callable[..., Any], name: str) -> URLPattern:
    return re_path(rf"^{path}/?\Z", for_the_key_alone(view), name=name)


urlpatterns = [
    endpoint(r"checkout/session", views.CheckoutSessionView.as_view(), name="checkout-session"),
    endpoint(r"access/check", views.AccessCheckView.as_view(), name="access-check"),
    endpoint(rf"customer/access/{SUBJECT}", views.CustomerAccessView.as_view(), name="customer-access"),
    endpoint(rf"entitlements/{SUBJECT}", views.EntitlementsView.as_view(), name="entitlements"),
    endpoint(rf"members/{MEMBER}", members.MemberView.as_view(), name="member"),
    endpoint(rf"members/{SUBJECT}", members.MembersView.as_view(), name="members"),
    endpoint(r"usage/consume", usage.ConsumeView.as_view(), name="usage-consume"),
    endpoint(r"usage/reserve", usage.ReserveView.as_view(), name="usage-reserve"),
    endpoint(r"usage/confirm", usage.ConfirmView.as_view(), name="usage-confirm"),
    endpoint(r"usage/release", usage.ReleaseView.as_view(), name="usage-release"),
    endpoint(r"usage/refund", usage.RefundView.as_view(), name="usage-refund"),
    endpoint(r"subscription/preview", subscriptions.PreviewView.as_view(), name="subscription-preview"),
    endpoint(r"subscription/change", subscriptions.ChangeView.as_view(), name="subscription-change"),
    endpoint(r"subscription/cancel", subscriptions.CancelView.as_view(), name="subscription-cancel"),
    endpoint(r"subscription/resume", subscriptions.ResumeView.as_view(), name="subscription-resume"),
    endpoint(r"billing-portal/session", views.BillingPortalSessionView.as_view(), name="billing-portal-session"),
    re_path(r"^webhooks/stripe(?:/tenant)?/?\Z", stripe_webhook, name="stripe-webhook"),
]

if openapi.is_available():
    urlpatterns.append(endpoint(r"schema", openapi.schema, name="schema"))
