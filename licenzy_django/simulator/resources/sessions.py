"""Checkout Sessions: created by an API call, finished by the customer on the hosted page."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..world import Ref, World
from . import (
    billing,
    customers,
    invoices,
    payment_methods,
    payments,
    session_answers,
    session_discounts,
    session_invoices,
    session_optional,
    session_totals,
    subscriptions,
)
from .session_answers import Answers
from .session_rules import check, require_open
from .session_shapes import item_shape, session_shape


def create(world: World, wanted: Json) -> Json:
    """The page is shown at the session's ``url``."""
    session_discounts.check(wanted)
    lines = check(world, wanted)
    items = [item_shape(world, price, quantity, entry) for price, quantity, entry in lines]
    session = session_shape(world, wanted, items)
    session["optional_items"] = session_optional.check(world, wanted, [price for price, _, _ in lines]) or None
    session_totals.count(world, session)
    session_discounts.begin(world, session, wanted)
    return world.add(session)


def _require_way(session: Json, way: str) -> None:
    if way not in session["payment_method_types"]:
        raise RefusalError(f"This session cannot be paid by {way}.", code="payment_method_unsupported_type")


def set_quantity(world: World, session: Json, quantity: int, *, item: Ref | None = None) -> Json:
    """The customer changes a quantity on the page, where the session lets them."""
    require_open(world, session)
    items = [entry for entry in session["_line_items"] if entry["adjustable_quantity"]]
    if item is not None:
        wanted = item if isinstance(item, str) else item["id"]
        items = [entry for entry in items if entry["id"] == wanted]
    if not items:
        raise invalid("The quantity of this session cannot be changed", "quantity")
    limits = items[0]["adjustable_quantity"]
    if not max(1, limits["minimum"]) <= quantity <= limits["maximum"]:
        raise invalid(f"The quantity must be from {max(1, limits['minimum'])} to {limits['maximum']}", "quantity")
    with world.changing(session):
        items[0]["quantity"] = quantity
        session_totals.count(world, session)
    return session


def pay(
    world: World, session: Json, *, email: str = "customer@example.com", card: bool = True,
    answers: Answers | None = None,
) -> Json:  # fmt: skip
    """By card. ``card=False``: a trial or a free order without any way to pay.

    ``answers``: what is typed into the page besides; by default what it asks for, and nothing else.
    """
    require_open(world, session)
    session_answers.take(world, session, answers)
    session_discounts.recheck(world, session)
    if card:
        _require_way(session, "card")
    if session["mode"] == "setup":
        return _complete(world, session, "no_payment_required", email, setup_intent=world.new_id("seti"))
    if session["mode"] == "subscription":
        return _subscribe(world, session, email, has_payment_method=card)
    if session["amount_total"] == 0:
        return _complete(world, session, "no_payment_required", email)
    intent = _intent(world, session, email)
    payments.succeed(world, intent)
    return _complete(world, session, "paid", email)


def _intent(world: World, session: Json, email: str) -> Json:
    """The payment intent of a one-time purchase, made at the first try to pay."""
    if session["payment_intent"]:
        intent = world.find("payment_intent", session["payment_intent"])
        with world.changing(intent):
            intent["amount"] = session["amount_total"]
        return intent
    customer = _customer(world, session, email)
    intent = payments.create_intent(
        world, session["amount_total"], session["currency"], customer=customer,
        metadata=session["_wanted"]["payment_intent_data"].get("metadata") or {},
    )  # fmt: skip
    asked = session["_wanted"]["payment_intent_data"]
    with world.changing(intent):
        intent |= {name: value for name, value in asked.items() if name != "metadata"}
    with world.changing(session):
        session["payment_intent"] = intent["id"]
    return intent


def _customer(world: World, session: Json, email: str) -> str | None:
    """The session's customer; a guest has none, unless the mode, the price or an invoice makes one."""
    wants_one = session["customer_creation"] == "always" or not session["amount_total"]
    wants_one = wants_one or session_invoices.is_wanted(session)
    email = _email(session, email)
    if not session["customer"] and wants_one:
        customer = customers.create(world, session_answers.of_a_new_customer(session, email))
        with world.changing(session):
            session["customer"] = customer["id"]
    if session["customer"]:
        session_answers.save(world, session, world.find("customer", session["customer"]), email)
    return session["customer"]  # type: ignore[no-any-return]


def _email(session: Json, typed: str) -> str:
    return (session["customer_details"] or {}).get("email") or typed


def _complete(world: World, session: Json, payment_status: str, email: str, **found: str) -> Json:
    """Finished by the customer, which is not yet paid."""
    _customer(world, session, email)
    if session["mode"] == "payment":
        session_discounts.redeem(world, session)
        if payment_status != "unpaid":
            session_invoices.create(world, session)
    with world.changing(session):
        session |= {"status": "complete", "payment_status": payment_status, "url": None, **found}
        session["customer_details"] = session_answers.details(world, session, _email(session, email))
        session["collected_information"] = session_answers.collected(session)
    world.emit("checkout.session.completed", session)
    return session


def _subscribe(world: World, session: Json, email: str, *, has_payment_method: bool) -> Json:
    method = payment_methods.usual(world, _customer(world, session, email), kept=True) if has_payment_method else None
    subscription, invoice = _start_subscription(world, session, email, method=method)
    with world.changing(subscription):
        subscription["_has_payment_method"] = has_payment_method
    if invoice["status"] == "open":
        billing.pay_invoice(world, invoice)
    free = subscription["status"] == "trialing" or invoice["total"] == 0
    return _complete(world, session, "no_payment_required" if free else "paid", email)


def _start_subscription(
    world: World, session: Json, email: str, status: str = "active", *, method: str | None
) -> tuple[Json, Json]:
    """Since basil it comes into being when the form is finished. Its first invoice is open.

    Checkout saves what was paid with (``method``) on the subscription; the customer gets no default of it.
    """
    customer = _customer(world, session, email)
    wanted = session["_wanted"]["subscription_data"]
    lines = [(item["price"], item["quantity"]) for item in session["_line_items"]]
    recurring = [(price, quantity) for price, quantity in lines if price["recurring"]]
    trial_end = subscriptions.trial_end(world, wanted)
    subscription = subscriptions.build(
        world, str(customer), recurring, metadata=wanted.get("metadata") or {}, trial_end=trial_end,
        status="trialing" if trial_end else status,
        billing_mode=(wanted.get("billing_mode") or {}).get("type", "flexible"),
    )  # fmt: skip
    subscription |= {name: wanted[name] for name in ("description", "trial_settings") if wanted.get(name)}
    session_discounts.redeem(world, session, subscription=subscription)
    subscription["default_payment_method"] = method
    if session["automatic_tax"]["enabled"]:
        subscription["automatic_tax"] = {"disabled_reason": None, "enabled": True, "liability": {"type": "self"}}
    invoice = billing.first_invoice(world, subscription, [line for line in lines if not line[0]["recurring"]])
    world.emit("customer.subscription.created", subscription)
    with world.changing(session):
        session |= {"subscription": subscription["id"], "invoice": invoice["id"]}
        session_totals.take_over(session, invoice)
    return subscription, invoice


def pay_by_bank(
    world: World, session: Json, *, email: str = "customer@example.com", subscription_status: str = "incomplete",
    answers: Answers | None = None,
) -> Json:  # fmt: skip
    """Complete but unpaid: the debit is on its way. What status a subscription has meanwhile, Stripe leaves open."""
    require_open(world, session)
    session_answers.take(world, session, answers)
    session_discounts.recheck(world, session)
    _require_way(session, "sepa_debit")
    if session["mode"] == "setup" or (session["mode"] == "payment" and session["amount_total"] == 0):
        return pay(world, session, email=email, answers=answers)
    if session["mode"] == "payment":
        payments.process(world, _intent(world, session, email))
        return _complete(world, session, "unpaid", email)
    method = payment_methods.bank_account(world)
    _, invoice = _start_subscription(world, session, email, subscription_status, method=method)
    if invoice["status"] == "paid":
        return _complete(world, session, "no_payment_required", email)
    billing.start_bank_debit(world, invoice, method)
    return _complete(world, session, "unpaid", email)


def _bank_debit(world: World, session: Json) -> Json:
    intent = payments.intent_of(world, session["payment_intent"] or session["invoice"] or session)
    if session["payment_status"] != "unpaid" or intent["status"] != "processing":
        raise RefusalError(f"No bank debit of {session['id']} is on its way")
    return intent


def settle_bank(world: World, session: Json) -> Json:
    """The bank debit arrived."""
    intent = _bank_debit(world, session)
    if session["mode"] == "payment":
        payments.succeed(world, intent)
        session_invoices.create(world, session)
    else:
        billing.pay_invoice(world, world.find("invoice", session["invoice"]))
    with world.changing(session):
        session["payment_status"] = "paid"
    world.emit("checkout.session.async_payment_succeeded", session)
    return session


def bounce_bank(world: World, session: Json) -> Json:
    """The bank debit was returned."""
    intent = _bank_debit(world, session)
    if session["mode"] == "payment":
        payments.fail(world, intent, "The bank account does not have enough money.")
    else:
        _bounce(world, world.find("invoice", session["invoice"]))
    world.emit("checkout.session.async_payment_failed", session)
    return session


def _bounce(world: World, invoice: Json) -> None:
    """With a bank debit a subscription can be ``active`` at once. "If the payment fails later, Stripe voids the invoice
    but the subscription remains ``active``" (docs.stripe.com/billing/subscriptions/overview).
    """
    subscription = billing.subscription_of(world, invoice)
    if subscription and subscription["status"] == "active":
        invoices.refuse(world, invoice, retries=False)
        invoices.void(world, invoice)
    else:
        billing.fail_invoice(world, invoice, retries=False)


def session_of_intent(world: World, intent: Json) -> Json | None:
    """The session that a bank debit belongs to."""
    found = world.store.all("checkout.session", payment_intent=intent["id"])
    if not found and intent["_invoice"]:
        found = world.store.all("checkout.session", invoice=intent["_invoice"])
    return found[0] if found else None


def decline(world: World, session: Json) -> Json:
    """The card is declined: the session stays open, and only a one-time payment leaves a trace."""
    require_open(world, session)
    session_answers.take(world, session, None)
    if session["mode"] == "payment" and session["amount_total"]:
        payments.fail(world, _intent(world, session, "customer@example.com"))
    return session


def expire(world: World, session: Json) -> Json:
    if session["status"] != "open":
        raise RefusalError(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status '
            f"of {session['status']}."
        )
    with world.changing(session):
        session |= {"status": "expired", "url": None}
        session["expires_at"] = min(session["expires_at"], world.now)
    world.emit("checkout.session.expired", session)
    return session
