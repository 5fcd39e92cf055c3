from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.base import LookedUp
from licenzy_django.models import Subject


@admin.register(Subject)
class SubjectAdmin(LookedUp):
    list_display = ["subject_ref", "mode", "stripe_customer_id", "created_at"]
    list_filter = ["mode"]
    exact_search_fields = ["subject_ref", "stripe_customer_id"]
    search_help_text = _("A subject or a Stripe customer, pasted as it is.")
