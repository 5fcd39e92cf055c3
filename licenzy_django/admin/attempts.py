from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.base import LookedUp
from licenzy_django.admin.links import page_of, stripe_link
from licenzy_django.models import CheckoutAttempt


@admin.register(CheckoutAttempt)
class CheckoutAttemptAdmin(LookedUp):
    list_display = ["public_id", "mode", "subject", "product", "quantity", "status", "failure_reason", "created_at"]
    list_filter = ["mode", "status", "product__kind"]
    list_select_related = ["subject", "product"]
    exact_search_fields = ["public_id", "subject__subject_ref", "stripe_session_id", "idempotency_key"]
    search_help_text = _("An att_ or cs_ id, a subject or an idempotency key, pasted as it is.")
    fields = [
        "public_id",
        "mode",
        "subject_page",
        "product",
        "quantity",
        "terms",
        "metadata",
        "trial_days",
        "status",
        "failure_reason",
        "session_at_stripe",
        "stripe_params",
        "idempotency_key",
        "created_at",
        "expires_at",
        "finalized_at",
        "updated_at",
    ]

    @admin.display(description=_("subject"))
    def subject_page(self, attempt: CheckoutAttempt) -> SafeString:
        return format_html('<a href="{}">{}</a>', page_of(attempt.subject_id), attempt.subject)

    @admin.display(description=_("session at Stripe"))
    def session_at_stripe(self, attempt: CheckoutAttempt) -> SafeString | str:
        return stripe_link(attempt.stripe_session_id, attempt.mode) or gettext("No answer of Stripe's was kept.")
