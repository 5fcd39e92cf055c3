from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.base import LookedUp
from licenzy_django.admin.links import page_of, stripe_link
from licenzy_django.models import SubscriptionChange


@admin.register(SubscriptionChange)
class SubscriptionChangeAdmin(LookedUp):
    list_display = [
        "public_id",
        "mode",
        "subject",
        "product",
        "verb",
        "status",
        "outcome",
        "effective_at",
        "created_at",
    ]
    list_filter = ["mode", "verb", "status"]
    list_select_related = ["subject", "product"]
    exact_search_fields = ["public_id", "subject__subject_ref", "stripe_subscription_id", "idempotency_key"]
    search_help_text = _("A chg_ or sub_ id, a subject or an idempotency key, pasted as it is.")
    fields = [
        "public_id",
        "mode",
        "subject_page",
        "product",
        "verb",
        "asked",
        "status",
        "outcome",
        "effective_at",
        "taken_back_at",
        "subscription_at_stripe",
        "schedule_at_stripe",
        "steps",
        "idempotency_key",
        "created_at",
        "updated_at",
    ]

    @admin.display(description=_("subject"))
    def subject_page(self, change: SubscriptionChange) -> SafeString:
        return format_html('<a href="{}">{}</a>', page_of(change.subject_id), change.subject)

    @admin.display(description=_("subscription"))
    def subscription_at_stripe(self, change: SubscriptionChange) -> SafeString | str:
        return stripe_link(change.stripe_subscription_id, change.mode)

    @admin.display(description=_("schedule"))
    def schedule_at_stripe(self, change: SubscriptionChange) -> SafeString | str:
        return stripe_link(change.stripe_schedule_id, change.mode)
