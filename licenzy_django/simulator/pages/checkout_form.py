"""The fields of the checkout page: which ones there are, and what was typed into them."""

from __future__ import annotations

from django.http import QueryDict

from ..json_tree import Json
from ..resources import session_answers
from ..resources.session_answers import Answers

COUNTRIES = {
    "AT": "Austria", "AU": "Australia", "BE": "Belgium", "CA": "Canada", "CH": "Switzerland", "CZ": "Czechia",
    "DE": "Germany", "DK": "Denmark", "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "United Kingdom",
    "IE": "Ireland", "IT": "Italy", "JP": "Japan", "NL": "Netherlands", "NO": "Norway", "PL": "Poland",
    "PT": "Portugal", "SE": "Sweden", "US": "United States",
}  # fmt: skip
TAX_IDS = {
    "eu_vat": "VAT number (EU)", "gb_vat": "VAT number (UK)", "ch_vat": "VAT number (Switzerland)",
    "no_vat": "VAT number (Norway)", "us_ein": "EIN (United States)", "ca_bn": "Business number (Canada)",
    "au_abn": "ABN (Australia)", "jp_trn": "Registration number (Japan)",
}  # fmt: skip
_VERBS = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}


def fields(session: Json, typed: QueryDict) -> Json:
    """What the template needs to draw the form; what was typed before a refusal is there again."""
    names = session.get("name_collection") or {}
    consent = session["consent_collection"] or {}
    collects_tax_id = bool((session.get("tax_id_collection") or {}).get("enabled"))
    return {
        "typed": typed,
        "asks_place": session_answers.asks_for_address(session),
        "asks_street": session["billing_address_collection"] == "required",
        "countries": COUNTRIES,
        "country": typed.get("country") or "DE",
        "asks_tax_id": collects_tax_id,
        "needs_tax_id": session_answers.needs_tax_id(session),
        "tax_id_kinds": TAX_IDS,
        "asks_business": bool(names.get("business")) or collects_tax_id,
        "needs_business": session_answers.needs_name(session, "business"),
        "asks_promotions": consent.get("promotions") == "auto",
        "asks_terms": consent.get("terms_of_service") == "required",
        "custom_fields": [_field(field, typed) for field in session["custom_fields"]],
        "verb": _VERBS.get(session["submit_type"] or "", "Subscribe" if session["mode"] == "subscription" else "Pay"),
    }


def _field(field: Json, typed: QueryDict) -> Json:
    limits = field[field["type"]]
    return {
        "name": f"field_{field['key']}",
        "label": field["label"]["custom"],
        "optional": field["optional"],
        "options": limits.get("options") or [],
        "numeric": field["type"] == "numeric",
        "least": limits.get("minimum_length") or 0,
        "most": limits.get("maximum_length") or 255,
        "value": typed.get(f"field_{field['key']}") or limits.get("default_value") or "",
    }


def answers(session: Json, typed: QueryDict) -> Answers:
    """What was typed, of what the page asks for."""
    found: Answers = {"terms_of_service": "terms_of_service" in typed, "promotions": "promotions" in typed}
    if name := typed.get("name", "").strip():
        found["name"] = name
    if business := typed.get("business_name", "").strip():
        found["business_name"] = business
    if phone := typed.get("phone", "").strip():
        found["phone"] = phone
    if typed.get("country"):
        names = ("country", "line1", "city", "postal_code")
        place = {name: typed.get(name, "").strip() for name in names}
        found["address"] = {name: value for name, value in place.items() if value}
    if value := typed.get("tax_id", "").strip().upper().replace(" ", ""):
        found["tax_id"] = {"type": typed.get("tax_id_type", ""), "value": value}
    found["custom_fields"] = {
        field["key"]: typed.get(f"field_{field['key']}", "").strip() for field in session["custom_fields"]
    }
    return found
