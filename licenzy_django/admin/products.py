from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.base import Configured
from licenzy_django.models import Kind, Product

if TYPE_CHECKING:
    ProductModelForm = forms.ModelForm[Product]
else:
    ProductModelForm = forms.ModelForm

FIELDS_OF_KIND = {
    Kind.SUBSCRIPTION: {"grace_days"},
    Kind.TIME_PASS: {"duration_days"},
    Kind.USAGE_PACK: {"units", "valid_days"},
}
NEEDED = {Kind.TIME_PASS: "duration_days", Kind.USAGE_PACK: "units"}


class FeaturesField(forms.CharField):
    """Names with commas between them, kept as a list."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        names = [name.strip() for name in (super().clean(value) or "").split(",")]
        return list(dict.fromkeys(name for name in names if name))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.clean(data) != (initial or []))


class ProductForm(ProductModelForm):
    features = FeaturesField(
        label=_("Features"), required=False, help_text=_("What it unlocks, with commas between: export, members")
    )

    class Meta:
        model = Product
        fields = "__all__"

    def clean(self) -> dict[str, Any] | None:
        """Say at the field what the database would refuse for the whole row."""
        values = super().clean() or self.cleaned_data
        kind = values.get("kind") or self.instance.kind
        if kind not in FIELDS_OF_KIND:
            return values
        needed = NEEDED.get(Kind(kind))
        if needed and needed not in self.errors and not values.get(needed):
            self.add_error(needed, _("A %(kind)s needs this.") % {"kind": Kind(kind).label})
        for name in set().union(*FIELDS_OF_KIND.values()) - FIELDS_OF_KIND[Kind(kind)]:
            if values.get(name):
                self.add_error(name, _("Leave this empty: it is not for a %(kind)s.") % {"kind": Kind(kind).label})
        if "valid_days" in values and values["valid_days"] == 0:
            self.add_error("valid_days", _("At least one day, or empty for units that never expire."))
        return values

    def clean_grace_days(self) -> int:
        return self.cleaned_data["grace_days"] or 0


@admin.register(Product)
class ProductAdmin(Configured):
    form = ProductForm
    list_display = ["code", "mode", "name", "kind", "stripe_price_id", "gives", "is_active"]
    list_filter = ["mode", "kind", "is_active"]
    exact_search_fields = ["code", "stripe_price_id", "name"]
    search_help_text = _("A product's code, its name or its Stripe price, pasted as it is.")
    fieldsets = [
        (None, {"fields": ["mode", "code", "name", "kind", "stripe_price_id", "features", "is_active"]}),
        (
            _("If it is a subscription"),
            {"fields": ["grace_days"], "description": _("Access follows the subscription at Stripe.")},
        ),
        (
            _("If it is a time pass"),
            {"fields": ["duration_days"], "description": _("Paid once, access for a fixed time. Two are stacked.")},
        ),
        (
            _("If it is a usage pack"),
            {"fields": ["units", "valid_days"], "description": _("Paid once, units to consume. Two add up.")},
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """What was sold under a code has to stay what it was."""
        return ["mode", "code", "kind"] if obj else []

    @admin.display(description=_("gives"))
    def gives(self, product: Product) -> str:
        if product.kind == Kind.TIME_PASS:
            return gettext("%(days)s days") % {"days": product.duration_days}
        if product.kind == Kind.USAGE_PACK:
            return gettext("%(units)s units") % {"units": product.units}
        return gettext("access while it runs")
