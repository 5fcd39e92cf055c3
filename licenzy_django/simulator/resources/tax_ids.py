"""Tax ids of customers (docs.stripe.com/api/tax_ids), saved when somebody types one on the Checkout page."""

from __future__ import annotations

import re

from ..json_tree import Json
from ..refusals import invalid
from ..world import World

FORMS = {
    "eu_vat": r"(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[0-9A-Z+*]{8,12}",
    "gb_vat": r"GB([0-9]{9}|[0-9]{12})",
    "ch_vat": r"CHE-?[0-9.]{9,11}( (MWST|TVA|IVA))?",
    "no_vat": r"[0-9]{9}MVA",
    "us_ein": r"[0-9]{2}-?[0-9]{7}",
    "ca_bn": r"[0-9]{9}",
    "au_abn": r"[0-9]{11}",
    "jp_trn": r"T[0-9]{13}",
}
"""The kinds that the simulated page offers."""
_VERIFIED = ("eu_vat", "gb_vat", "au_abn")


def check(wanted: Json, param: str) -> None:
    """Raises RefusalError for one whose form cannot be right (``tax_id_invalid``)."""
    form = FORMS.get(wanted.get("type", ""))
    if form is None:
        raise invalid(f"Invalid {param}[type]: must be one of {', '.join(FORMS)}", f"{param}[type]")
    if not re.fullmatch(form, wanted.get("value") or ""):
        raise invalid(f"Invalid value for {wanted['type']}.", f"{param}[value]", "tax_id_invalid")


def save(world: World, customer: str, wanted: Json) -> Json:
    """Once: the same one again is the one that is there."""
    known = world.store.all("tax_id", customer=customer, type=wanted["type"], value=wanted["value"])
    if known:
        return known[0]
    european = wanted["type"] == "eu_vat"
    country = {"EL": "GR", "XI": "GB"}.get(wanted["value"][:2], wanted["value"][:2]) if european else None
    tax_id: Json = {
        "id": world.new_id("txi"),
        "object": "tax_id",
        "country": country or wanted["type"][:2].upper(),
        "created": world.now,
        "customer": customer,
        "customer_account": None,
        "livemode": world.livemode,
        "owner": {"customer": customer, "customer_account": None, "type": "customer"},
        "type": wanted["type"],
        "value": wanted["value"],
        "verification": {
            "status": "pending" if wanted["type"] in _VERIFIED else "unavailable",
            "verified_address": None,
            "verified_name": None,
        },
    }
    return world.add(tax_id, "customer.tax_id.created")
