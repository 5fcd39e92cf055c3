"""What Stripe refuses when a Checkout Session is created."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing
from ..world import DAY, World
from . import catalog, customers, money, subscription_items

MAX_QUANTITY, MOST_OF_A_DESCRIPTOR = 999_999, 22
_ONLY_IN = {
    "payment_intent_data": ("payment",),
    "submit_type": ("payment", "subscription"),
    "optional_items": ("payment", "subscription"),
    "allow_promotion_codes": ("payment", "subscription"),
    "discounts": ("payment", "subscription"),
    "invoice_creation": ("payment",),
    "customer_creation": ("payment", "setup"),
    "subscription_data": ("subscription",),
    "setup_intent_data": ("setup",),
}


def check(world: World, wanted: Json) -> list[tuple[Json, int, Json]]:
    """Raises RefusalError, or returns (price, quantity, the parameter's entry) for every line."""
    mode = wanted.get("mode")
    if not mode:
        raise missing("mode")
    if wanted.get("ui_mode", "hosted_page") == "hosted_page" and not wanted.get("success_url"):
        raise missing("success_url")
    for name, modes in _ONLY_IN.items():
        if name in wanted and mode not in modes:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    _check_customer(world, wanted)
    _check_expiry(world, wanted)
    _check_lengths(wanted)
    _check_trial(wanted)
    if mode == "setup":
        return []
    lines = [
        _line(world, wanted, entry, f"line_items[{at}]") for at, entry in enumerate(wanted.get("line_items") or [])
    ]
    if not lines:
        raise missing("line_items")
    check_prices(mode, [price for price, _, _ in lines])
    if mode == "subscription" and wanted.get("customer"):
        customers.refuse_other_currency(world, wanted["customer"], lines[0][0]["currency"])
    if mode == "payment":
        check_total(sum(price["unit_amount"] * quantity for price, quantity, _ in lines), lines[0][0]["currency"])
    return lines


def _check_lengths(wanted: Json) -> None:
    if len(wanted.get("client_reference_id") or "") > 200:
        raise invalid("Invalid string: must be at most 200 characters", "client_reference_id")
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        if len((wanted.get("payment_intent_data") or {}).get(name) or "") > MOST_OF_A_DESCRIPTOR:
            raise invalid(f"The statement descriptor must be at most {MOST_OF_A_DESCRIPTOR} characters.",
                          f"payment_intent_data[{name}]")  # fmt: skip


def _check_trial(wanted: Json) -> None:
    """The library's docstring of ``SessionCreateParamsSubscriptionData.trial_period_days``: "Has to be at least 1"."""
    days = (wanted.get("subscription_data") or {}).get("trial_period_days")
    if days is not None and days < 1:
        raise invalid("The minimum number of trial period days is 1.", "subscription_data[trial_period_days]")


def require_open(world: World, session: Json) -> None:
    if session["status"] != "open" or session["expires_at"] <= world.now:
        raise RefusalError(
            f"This Checkout Session ({session['id']}) is no longer open.", code="checkout_session_not_open"
        )


def check_total(total: int, currency: str) -> None:
    least = money.least_charge(currency)
    if 0 < total < least:
        raise invalid(
            f"The Checkout Session's total amount due must add up to at least {money.written(least, currency)}", "",
            "amount_too_small",
        )  # fmt: skip


def _check_customer(world: World, wanted: Json) -> None:
    if wanted.get("customer") and wanted.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer_email")
    if wanted.get("customer") and wanted.get("customer_creation"):
        raise invalid("You may only specify one of these parameters: customer, customer_creation.", "customer_creation")
    if wanted.get("customer"):
        customers.existing(world, wanted["customer"], param="customer")
    customers.check_email(wanted.get("customer_email"), "customer_email")
    _check_tax_place(world, wanted)
    if wanted.get("customer_update") and not wanted.get("customer"):
        raise invalid("`customer_update` can only be used with `customer`.", "customer_update")


def _check_tax_place(world: World, wanted: Json) -> None:
    """Of an existing customer Stripe wants the address, or leave to save the one that is typed."""
    lets = wanted.get("customer_update") or {}
    if not (wanted.get("automatic_tax") or {}).get("enabled") or not wanted.get("customer"):
        return
    address = world.find("customer", wanted["customer"])["address"] or {}
    if not address.get("country") and "auto" not in (lets.get("address"), lets.get("shipping")):
        raise invalid(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to "
            "the Customer or set either `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' "
            "to save the address entered in Checkout to the Customer.", "", "customer_tax_location_invalid",
        )  # fmt: skip


def _check_expiry(world: World, wanted: Json) -> None:
    expires_at = wanted.get("expires_at")
    if expires_at is None:
        return
    limit = ""
    if expires_at < world.now + 1_800:
        limit = "at least 30 minutes"
    if expires_at > world.now + DAY:
        limit = "less than 24 hours"
    if limit:
        raise invalid(f"The `expires_at` timestamp must be {limit} from Checkout Session creation.", "expires_at")


def _line(world: World, wanted: Json, entry: Json, at: str) -> tuple[Json, int, Json]:
    price = _price(world, wanted, entry, at)
    quantity = entry.get("quantity")
    if quantity is None:
        raise RefusalError(f"Quantity is required. Add `quantity` to `{at}`", param=f"{at}[quantity]")
    if not 1 <= quantity <= MAX_QUANTITY:
        raise invalid("This value must be greater than or equal to 1 and at most 999999.", f"{at}[quantity]")
    adjustable = entry.get("adjustable_quantity") or {}
    if adjustable.get("enabled"):
        low, high = adjustable.get("minimum", 0), adjustable.get("maximum", 99)
        if not (0 <= low <= quantity <= high <= MAX_QUANTITY):
            raise invalid(f"`quantity` must be between {low} and {high}.", f"{at}[adjustable_quantity]")
    return price, quantity, entry


def priced(world: World, wanted: Json, ref: str, param: str) -> Json:
    """The price in the currency that the session is in: its own, or one of its ``currency_options``."""
    price = catalog.price_named(world, ref, param=param)
    return catalog.in_currency(price, str(wanted.get("currency") or price["currency"]).lower(), param=param)


def _price(world: World, wanted: Json, entry: Json, at: str) -> Json:
    if bool(entry.get("price")) == bool(entry.get("price_data")):
        raise RefusalError(
            f"You must specify either `price` or `price_data` when creating `{at}`.", param=at, code="parameter_missing"
        )
    if entry.get("price"):
        return priced(world, wanted, entry["price"], f"{at}[price]")
    price = catalog.create_price(world, entry["price_data"] | {"active": True})
    return catalog.in_currency(price, str(wanted.get("currency") or price["currency"]).lower(), param=f"{at}[price]")


def check_prices(mode: str, prices: list[Json]) -> None:
    recurring = [price for price in prices if price["recurring"]]
    if mode == "payment" and recurring:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.", "mode",
        )  # fmt: skip
    if mode == "subscription" and not recurring:
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode when using prices.", "line_items"
        )
    if len({price["id"] for price in recurring}) < len(recurring):
        raise invalid("You can not pass the same recurring price twice.", "line_items")
    if len({subscription_items.rhythm(price) for price in recurring}) > 1:
        raise invalid("Checkout does not support multiple prices with different billing intervals.", "line_items")
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
