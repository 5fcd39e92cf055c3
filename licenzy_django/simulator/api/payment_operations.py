"""Payment methods, payment intents, charges, refunds, disputes: what the API does with their parameters."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import invalid, missing
from ..resources import confirmations, customers, disputes, payment_methods, refunds
from ..world import World
from .listing import page


def create_payment_method(world: World, params: Json, _: str) -> Json:
    return payment_methods.create(world, params)


def retrieve_payment_method(world: World, params: Json, identifier: str) -> Json:
    return payment_methods.named(world, identifier, param="")


def update_payment_method(world: World, params: Json, identifier: str) -> Json:
    return payment_methods.update(world, world.find("payment_method", identifier), params)


def attach_payment_method(world: World, params: Json, identifier: str) -> Json:
    if not params.get("customer"):
        raise missing("customer")
    customer = customers.existing(world, params["customer"], param="customer")
    return payment_methods.attach(world, payment_methods.named(world, identifier, param=""), customer)


def detach_payment_method(world: World, params: Json, identifier: str) -> Json:
    return payment_methods.detach(world, world.find("payment_method", identifier))


def list_payment_methods(world: World, params: Json, _: str) -> Json:
    """Of one customer: Stripe lists no others by a secret key."""
    if not params.get("customer"):
        raise missing("customer")
    where = {name: params[name] for name in ("customer", "type", "allow_redisplay") if name in params}
    return page(world.store.all("payment_method", **where), params, "/v1/payment_methods")


def create_payment_intent(world: World, params: Json, _: str) -> Json:
    return confirmations.create(world, params)


def update_payment_intent(world: World, params: Json, identifier: str) -> Json:
    return confirmations.update(world, world.find("payment_intent", identifier), params)


def confirm_payment_intent(world: World, params: Json, identifier: str) -> Json:
    return confirmations.confirm(world, world.find("payment_intent", identifier), params)


def cancel_payment_intent(world: World, params: Json, identifier: str) -> Json:
    return confirmations.cancel(world, world.find("payment_intent", identifier), params)


def update_charge(world: World, params: Json, identifier: str) -> Json:
    charge = world.find("charge", identifier)
    with world.changing(charge, "charge.updated"):
        charge |= {name: params[name] for name in ("description", "receipt_email") if name in params}
        customers.merge_metadata(charge, params)
    return charge


def create_refund(world: World, params: Json, _: str) -> Json:
    target = params.get("payment_intent") or params.get("charge")
    if not target:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.", "")
    return refunds.create(
        world, target, amount=params.get("amount"), reason=params.get("reason"), metadata=params.get("metadata") or {}
    )


def update_refund(world: World, params: Json, identifier: str) -> Json:
    refund = world.find("refund", identifier)
    with world.changing(refund, "refund.updated"):
        customers.merge_metadata(refund, params)
    return refund


def update_dispute(world: World, params: Json, identifier: str) -> Json:
    return disputes.answer(
        world, world.find("dispute", identifier), params.get("evidence") or {}, submit=params.get("submit", True),
        metadata=params,
    )  # fmt: skip


def close_dispute(world: World, params: Json, identifier: str) -> Json:
    """Accepting it loses it; an inquiry is closed."""
    dispute = world.find("dispute", identifier)
    inquiry = dispute["status"].startswith("warning_")
    return disputes.close(world, dispute, "warning_closed" if inquiry else "lost")
