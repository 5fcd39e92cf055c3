"""What the hosted page asks the customer for: kept as it was wanted, shown as Stripe shows it."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import invalid, missing

_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_LIMITS: Json = {"maximum_length": None, "minimum_length": None}
MOST_FIELDS = 3


def asked(wanted: Json) -> Json:
    """The keys of the session that only decorate: nothing of the payment follows from them."""
    return {
        "consent_collection": _consent(wanted.get("consent_collection")),
        "custom_fields": [_field(entry, f"custom_fields[{at}]") for at, entry in enumerate(_fields(wanted))],
        "custom_text": {name: (wanted.get("custom_text") or {}).get(name) or None for name in _TEXTS},
        "payment_method_configuration_details": _configuration(wanted.get("payment_method_configuration")),
        "phone_number_collection": {"enabled": (wanted.get("phone_number_collection") or {}).get("enabled", False)},
        "saved_payment_method_options": _saved(wanted.get("saved_payment_method_options")),
    } | _names(wanted) | _tax_ids(wanted)  # fmt: skip


def _consent(consent: Json | None) -> Json | None:
    names = ("payment_method_reuse_agreement", "promotions", "terms_of_service")
    return {name: consent.get(name) for name in names} if consent else None


def _configuration(identifier: str | None) -> Json | None:
    return {"id": identifier, "parent": None} if identifier else None


def _saved(options: Json | None) -> Json | None:
    if not options:
        return None
    defaults: Json = {"allow_redisplay_filters": ["always"], "payment_method_remove": "disabled"}
    return defaults | {"payment_method_save": None} | options


def _names(wanted: Json) -> Json:
    if "name_collection" not in wanted:
        return {}
    return {"name_collection": {who: {"enabled": True, "optional": False} | asked
                                for who, asked in wanted["name_collection"].items()}}  # fmt: skip


def _tax_ids(wanted: Json) -> Json:
    """For a customer that exists, Stripe wants to know whether the name that is typed becomes theirs."""
    collection = wanted.get("tax_id_collection") or {}
    if not collection:
        return {}
    if collection.get("enabled") and wanted.get("customer") and not (wanted.get("customer_update") or {}).get("name"):
        raise invalid(
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an "
            "existing customer, please set `customer_update[name]` to `auto`.", "customer_update",
        )  # fmt: skip
    return {"tax_id_collection": {"enabled": False, "required": "never"} | collection}


def _fields(wanted: Json) -> list[Json]:
    fields: list[Json] = wanted.get("custom_fields") or []
    if len(fields) > MOST_FIELDS:
        raise invalid(f"Array exceeded maximum {MOST_FIELDS} allowed elements.", "custom_fields")
    return fields


def _field(wanted: Json, at: str) -> Json:
    kind = wanted["type"]
    if kind == "dropdown" and not (wanted.get("dropdown") or {}).get("options"):
        raise missing(f"{at}[dropdown][options]")
    inner: Json = (_LIMITS if kind != "dropdown" else {"default_value": None}) | (wanted.get(kind) or {})
    return {
        "key": wanted["key"],
        "label": wanted["label"],
        "optional": wanted.get("optional", False),
        "type": kind,
        kind: {"value": None} | inner,
    }
