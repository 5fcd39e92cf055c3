"""What the customer typed on the hosted page: checked, shown on the session, saved on the customer.

docs.stripe.com/payments/checkout/customization, …/tax/checkout/tax-ids and the docstrings of
``stripe.params.checkout.SessionCreateParams``.
"""

from __future__ import annotations

from typing import TypedDict

from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..world import World
from . import customers, session_totals, tax_ids

_USUAL_PLACE = {"city": "Berlin", "country": "DE", "line1": "Unter den Linden 1", "postal_code": "10117"}


class Answers(TypedDict, total=False):
    """Everything that a page may ask for."""

    name: str
    business_name: str
    address: Json
    phone: str
    tax_id: Json
    """``type`` and ``value``."""
    custom_fields: dict[str, str]
    """By key."""
    promotions: bool
    terms_of_service: bool


def usual(session: Json) -> Answers:
    """What somebody types who fills in all that is asked of them, and nothing that is not."""
    fields = [field for field in session["custom_fields"] if not field["optional"]]
    answers: Answers = {"name": "Ada Lovelace", "custom_fields": {field["key"]: _example(field) for field in fields}}
    answers["terms_of_service"] = True
    if asks_for_address(session):
        answers["address"] = dict(_USUAL_PLACE)
    if session["phone_number_collection"]["enabled"]:
        answers["phone"] = "+4930123456"
    if needs_tax_id(session):
        answers |= {"business_name": "Analytical Engines", "tax_id": {"type": "eu_vat", "value": "DE123456789"}}
    if needs_name(session, "business"):
        answers["business_name"] = "Analytical Engines"
    return answers


def _example(field: Json) -> str:
    if field["type"] == "dropdown":
        return str(field["dropdown"]["options"][0]["value"])
    length = field[field["type"]]["minimum_length"] or 1
    return ("1" if field["type"] == "numeric" else "a") * int(length)


def asks_for_address(session: Json) -> bool:
    """Tax needs a place that is not known yet; otherwise the seller says (``billing_address_collection``)."""
    return bool(session["_needs_place"] or session["billing_address_collection"] == "required")


def needs_tax_id(session: Json) -> bool:
    collection = session.get("tax_id_collection") or {}
    return bool(collection.get("enabled") and collection.get("required") == "if_supported")


def needs_name(session: Json, kind: str) -> bool:
    asked = (session.get("name_collection") or {}).get(kind) or {}
    return bool(asked.get("enabled") and not asked.get("optional"))


def check(session: Json, answers: Answers) -> None:
    """Raises RefusalError for what is missing or cannot be right; its ``param`` is the field."""
    _check_place(session, answers.get("address") or {})
    if session["phone_number_collection"]["enabled"] and not answers.get("phone"):
        raise _required("phone")
    for kind, typed in (("business", answers.get("business_name")), ("individual", answers.get("name"))):
        if needs_name(session, kind) and not typed:
            raise _required(f"{kind}_name")
    _check_tax_id(session, answers)
    if _asks(session, "terms_of_service", "required") and not answers.get("terms_of_service"):
        raise invalid("You must accept the terms of service.", "terms_of_service")
    for field in session["custom_fields"]:
        _check_field(field, (answers.get("custom_fields") or {}).get(field["key"], ""))


def _check_place(session: Json, place: Json) -> None:
    if asks_for_address(session) and not _is_country(place.get("country")):
        raise _required("country")
    if session["billing_address_collection"] == "required":
        for name in ("line1", "city", "postal_code"):
            if not place.get(name):
                raise _required(name)


def _check_tax_id(session: Json, answers: Answers) -> None:
    if answers.get("tax_id"):
        tax_ids.check(answers["tax_id"], "tax_id")
    elif needs_tax_id(session):
        raise _required("tax_id")


def _is_country(country: str | None) -> bool:
    return bool(country and len(country) == 2 and country.isascii() and country.isalpha() and country.isupper())


def _required(name: str) -> RefusalError:
    return invalid(f"This field is required: {name.replace('_', ' ')}.", name)


def _asks(session: Json, name: str, value: str) -> bool:
    return (session["consent_collection"] or {}).get(name) == value


def _check_field(field: Json, typed: str) -> None:
    limits = field[field["type"]]
    if not typed:
        if not field["optional"]:
            raise invalid(f"This field is required: {field['label']['custom']}.", field["key"])
        return
    if field["type"] == "dropdown":
        fits = typed in [option["value"] for option in limits["options"]]
    else:
        fits = (limits["minimum_length"] or 0) <= len(typed) <= (limits["maximum_length"] or 255)
        fits = fits and (field["type"] == "text" or (typed.isascii() and typed.isdigit()))
    if not fits:
        raise invalid(f"This field is not filled in right: {field['label']['custom']}.", field["key"])


def take(world: World, session: Json, answers: Answers | None) -> None:
    """Keeps what was typed, and counts the tax now that the place is known. None: the usual."""
    given = usual(session) if answers is None else answers
    check(session, given)
    with world.changing(session):
        session["_answers"] = dict(given)
        for field in session["custom_fields"]:
            field[field["type"]]["value"] = (given.get("custom_fields") or {}).get(field["key"]) or None
        if session["consent_collection"]:
            session["consent"] = _consent(session, given)
        if session["automatic_tax"]["enabled"]:
            session["automatic_tax"]["status"] = "complete"
            session_totals.count(world, session)


def _consent(session: Json, answers: Answers) -> Json:
    promotions = "opt_in" if answers.get("promotions") else "opt_out"
    return {
        "promotions": promotions if _asks(session, "promotions", "auto") else None,
        "terms_of_service": "accepted" if _asks(session, "terms_of_service", "required") else None,
    }


def details(world: World, session: Json, email: str) -> Json:
    """The session's ``customer_details`` once the page is finished."""
    answers = session["_answers"]
    tax_id = answers.get("tax_id")
    return {
        "address": customers.PLACE | answers["address"] if answers.get("address") else None,
        "business_name": answers.get("business_name"),
        "email": email,
        "individual_name": answers.get("name") if (session.get("name_collection") or {}).get("individual") else None,
        "name": answers.get("business_name") or answers.get("name"),
        "phone": answers.get("phone"),
        "tax_exempt": (world.store.get("customer", session["customer"] or "") or {}).get("tax_exempt") or "none",
        "tax_ids": [tax_id] if tax_id else [],
    }


def collected(session: Json) -> Json:
    answers, names = session["_answers"], session.get("name_collection") or {}
    return {
        "business_name": answers.get("business_name") if names.get("business") else None,
        "individual_name": answers.get("name") if names.get("individual") else None,
        "shipping_details": None,
    }


def of_a_new_customer(session: Json, email: str) -> Json:
    answers = session["_answers"]
    typed: Json = {"email": email, "name": answers.get("business_name") or answers.get("name")}
    place = customers.PLACE | answers["address"] if answers.get("address") else None
    return typed | {"phone": answers.get("phone"), "address": place}


def save(world: World, session: Json, customer: Json, email: str) -> None:
    """What Checkout writes on a customer that was there before: as much as ``customer_update`` lets it, the e-mail
    where there was none, the telephone number, the tax id.
    """
    answers, lets = session["_answers"], session["_wanted"].get("customer_update") or {}
    typed = of_a_new_customer(session, email)
    saved: Json = {name: typed[name] for name in ("address", "name") if lets.get(name) == "auto" and typed[name]}
    saved |= {"phone": typed["phone"]} if typed["phone"] else {}
    saved |= {} if customer["email"] else {"email": email}
    changed = {name: value for name, value in saved.items() if customer[name] != value}
    if changed:
        customers.update(world, customer, changed)
    if answers.get("tax_id"):
        tax_ids.save(world, customer["id"], answers["tax_id"])
