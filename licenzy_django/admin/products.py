from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from licenzy_django.admin.audit_log import ReasonForm, log_action
from licenzy_django.admin.base import Configured
from licenzy_django.admin.json_field import TypedJSONField
from licenzy_django.admin.permissions import may_configure
from licenzy_django.admin.subject.explanations import moment
from licenzy_django.catalog.amounts import price_in_words
from licenzy_django.entitlements.catalog_changes import apply_to_everybody
from licenzy_django.models import Kind, Product
from licenzy_django.models.catalog import ADD_ON_WITHOUT_GROUP
from licenzy_django.models.kinds import RULES, TERMS
from licenzy_django.models.product_units import INCLUDED, ZERO_IS_NONE, UnitsEvery

if TYPE_CHECKING:
    ProductModelForm = forms.ModelForm[Product]
else:
    ProductModelForm = forms.ModelForm


MOST_PRICES = 50
OF_UNITS = ["unit", *INCLUDED]
UNITS_IN_WORDS = {
    UnitsEvery.PERIOD.value: _("%(units)s %(unit)s each billing period"),
    UnitsEvery.MONTH.value: _("%(units)s %(unit)s a month"),
    UnitsEvery.WEEK.value: _("%(units)s %(unit)s a week"),
}
APPLY = _("Apply the catalog to everybody")


class NamesField(forms.CharField):
    """Names with commas between them, kept as a list."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        names = [name.strip() for name in (super().clean(value) or "").split(",")]
        return list(dict.fromkeys(name for name in names if name))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.clean(data) != (initial or []))


class ProductForm(ProductModelForm):
    features = NamesField(
        label=_("Features"), required=False, help_text=_("What it unlocks, with commas between: export, members")
    )

    other_price_ids = NamesField(
        label=_("Other prices"),
        required=False,
        help_text=_("Further Stripe prices that count as this product, with commas between: price_1, price_2"),
    )

    class Meta:
        model = Product
        fields = "__all__"
        field_classes = {"checkout": TypedJSONField, "limits": TypedJSONField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"units_every", "units_per"} & self.fields.keys():
            self.fields[name].required = False

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
        of_subscriptions = () if rules.is_recurring else ("group", "is_add_on")
        for name in (*rules.refuses, *of_subscriptions):
            if values.get(name) and values[name] != TERMS.get(name):
                self.add_error(name, _("Leave this empty: it is not for a %(kind)s.") % words)
        if values.get("group") and values.get("is_add_on"):
            self.add_error("group", ADD_ON_WITHOUT_GROUP)
        if not rules.is_recurring:
            values["trial_card"] = True
        for name in rules.may_have:
            if TERMS[name] is None and values.get(name) == 0 and name not in ZERO_IS_NONE:
                self.add_error(name, _("At least 1, or empty."))
        return values

    def clean_stripe_price_id(self) -> str:
        price = self.cleaned_data["stripe_price_id"]
        if not price and not self.instance.stripe_lookup_key:
            raise forms.ValidationError(_("A product needs a Stripe price."))
        return str(price)

    def clean_checkout(self) -> Any:
        return self.cleaned_data["checkout"] or {}

    def clean_limits(self) -> Any:
        return self.cleaned_data["limits"] or {}

    def clean_units_every(self) -> Any:
        return self.cleaned_data["units_every"] or TERMS["units_every"]

    def clean_units_per(self) -> Any:
        return self.cleaned_data["units_per"] or TERMS["units_per"]

    def clean_grace_days(self) -> int:
        return self.cleaned_data["grace_days"] or 0


@admin.register(Product)
class ProductAdmin(Configured):
    form = ProductForm
    list_display = ["code", "mode", "name", "kind", "group", "stripe_price_id", "gives", "is_active"]
    list_filter = ["mode", "kind", "is_add_on", "is_active"]
    exact_search_fields = ["code", "stripe_price_id", "name"]
    search_help_text = _("A product's code, its name or its Stripe price, pasted as it is.")
    fieldsets = [
        (None, {"fields": ["mode", "code", "name", "kind", "stripe_price_id", "other_price_ids", "history"]}),
        (
            _("What the catalog file says of its price"),
            {
                "fields": ["stripe_lookup_key", "amount_in_words"],
                "description": _("licenzy_catalog load finds the price by its lookup key; push makes it at Stripe."),
                "classes": ["collapse"],
            },
        ),
        (None, {"fields": ["group", "is_add_on", "features", "limits", "checkout", "applying", "is_active"]}),
        *(
            (rules.heading, {"fields": terms, "description": rules.description})  # type: ignore[list-item]
            for rules in RULES.values()
            for own in [[name for name in rules.terms if name not in OF_UNITS]]
            for terms in [[*own, "trial_card"] if rules.is_recurring else own]
        ),
        (
            _("Units"),
            {
                "fields": [*OF_UNITS],
                "description": _(
                    "What a usage pack holds, or what a subscription includes for each window of time that was paid. "
                    "What you change counts for what is sold from now on, and for paid lines that begin from now on; "
                    "what was sold stays. A pack has units and unit alone."
                ),
            },
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """What was sold under a code has to stay what it was."""
        fixed = ["history", "applying", "stripe_lookup_key", "amount_in_words"]
        counted = ["unit"] if obj and obj.unit and obj.is_sold else []
        return [*fixed, *(["mode", "code", "kind"] if obj else []), *counted]

    @admin.display(description=_("amount"))
    def amount_in_words(self, product: Product) -> str:
        return price_in_words(product) or "–"

    @admin.display(description=_("history of its prices"))
    def history(self, product: Product) -> SafeString | str:
        rows = product.prices.order_by("-pk")[:MOST_PRICES] if product.pk else []
        lines = [
            (
                row.stripe_price_id,
                row.get_role_display(),
                moment(row.since),
                moment(row.until) if row.until else gettext("now"),
            )
            for row in rows
        ]
        return format_html_join(mark_safe("<br>"), "{} · {} · {} – {}", lines) or "–"

    @admin.display(description=_("who has it already"))
    def applying(self, product: Product) -> SafeString | str:
        if not product.pk:
            return "–"
        url = reverse("admin:licenzy_product_apply", args=[product.pk])
        return format_html('<a class="button" href="{}">{}</a>', url, APPLY)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.apply_view)
        return [path("<path:object_id>/apply/", view, name="licenzy_product_apply"), *super().get_urls()]

    @method_decorator(never_cache)
    @method_decorator(transaction.non_atomic_requests)  # one transaction for each who has it
    def apply_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then give everybody who has the product what the catalog says now."""
        if not may_configure(request):
            raise PermissionDenied
        product = self.get_object(request, unquote(object_id))
        if product is None:
            raise Http404
        back = reverse("admin:licenzy_product_change", args=[product.pk])
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            changed = apply_to_everybody(product, actor=request.user, reason=reason)
            what = ngettext("%d entitlement changed.", "%d entitlements changed.", changed) % changed
            log_action(request, product, what, reason=reason)
            messages.success(request, what)
            return HttpResponseRedirect(back)
        context = {
            "title": APPLY,
            "consequence": gettext(
                "Everybody who has %(product)s gets these features at once, and no others: %(features)s."
            )
            % {"product": product, "features": ", ".join(product.features) or "–"},
            "details": list(consequences(product)),
            "form": form,
            "button": APPLY,
            "is_dangerous": True,
            "back": back,
        }
        return self.page(request, "admin/licenzy/act.html", context)

    @admin.display(description=_("gives"))
    def gives(self, product: Product) -> str:
        if product.is_recurring and product.units is not None:
            return units_in_words(product)
        units = {"units": number_format(product.units or 0, force_grouping=True), "unit": product.unit}
        return str(product.rules.gives) % {"days": product.days, **units}


def units_in_words(product: Product) -> str:
    """1,000 credits a month."""
    units = {"units": number_format(product.units or 0, force_grouping=True), "unit": product.unit}
    return UNITS_IN_WORDS[product.units_every] % units


def consequences(product: Product) -> Iterator[str]:
    """What applying the catalog to everybody does besides giving its features."""
    yield gettext("What was sold with more loses the rest now, and not only when the paid time ends.")
    if product.is_recurring and product.unit:
        included = gettext("none") if product.units is None else units_in_words(product)
        yield gettext("The windows of units that they have paid for are counted anew: %(units)s.") % {"units": included}
