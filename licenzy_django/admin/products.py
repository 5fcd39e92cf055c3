from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.base import Configured
from licenzy_django.models import Kind, Product
from licenzy_django.models.kinds import RULES, TERMS

if TYPE_CHECKING:
    ProductModelForm = forms.ModelForm[Product]
else:
    ProductModelForm = forms.ModelForm


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
        if kind not in RULES:
            return values
        rules, words = RULES[kind], {"kind": Kind(kind).label}
        for name in rules.needs:
            if name not in self.errors and not values.get(name):
                self.add_error(name, _("A %(kind)s needs this.") % words)
        for name in rules.refuses:
            if values.get(name):
                self.add_error(name, _("Leave this empty: it is not for a %(kind)s.") % words)
        for name in rules.may_have:
            if TERMS[name] is None and values.get(name) == 0:
                self.add_error(name, _("At least one day, or empty for units that never expire."))
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
        *(
            (rules.heading, {"fields": rules.terms, "description": rules.description})  # type: ignore[list-item]
            for rules in RULES.values()
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """What was sold under a code has to stay what it was."""
        return ["mode", "code", "kind"] if obj else []

    @admin.display(description=_("gives"))
    def gives(self, product: Product) -> str:
        return str(product.rules.gives) % {"days": product.days, "units": product.units}
