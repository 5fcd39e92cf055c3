"""Named short histories: what customers, banks and operators do at Stripe, told as events that can be shuffled.

Each history first runs its ``prelude``, which is delivered in order, and then its ``tail``, whose events are delivered
in every order. Products and customers are set up by ``sell_everything``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from licenzy_django.models import (
    CheckoutAttempt,
    Entitlement,
    EntitlementChange,
    LedgerEntry,
    Pack,
    StripeEvent,
    StripeFact,
)
from licenzy_django.sync.inbox import HANDLED
from licenzy_django.testing import StripeDouble

Json = dict[str, Any]
Act = Callable[[StripeDouble], Any]
NOTHING: Act = lambda stripe: None  # noqa: E731

REF = "user_1"


@dataclass(frozen=True)
class History:
    name: str
    prelude: Act
    tail: Act

    def __str__(self) -> str:
        return self.name


EVERYTHING: dict[str, dict[str, Any]] = {
    "PRO_MONTHLY": {"units": 1000, "rollover_units": 300},
    "PRO_YEARLY": {"interval": "year", "amount": 19_000, "units": 1000, "units_every": "month"},
    "MAX_MONTHLY": {"amount": 9_900, "units": 2000},
    "GRACE": {"grace_days": 5, "units": 50, "units_every": "week"},
    "TRIAL": {"trial_days": 14, "units": 500, "trial_units": 20},
    "SEATS": {"amount": 500, "units": 100},
    "WEEK_PASS": {"kind": "time_pass", "amount": 700},
    "CREDITS": {"kind": "usage_pack", "amount": 1000, "units": 100},
    "CREDITS_30_DAYS": {"kind": "usage_pack", "amount": 900, "units": 90, "valid_days": 30},
}


def sell_everything(stripe: StripeDouble) -> None:
    for code, terms in EVERYTHING.items():
        stripe.sell(code, **terms)


def handled(events: list[Json]) -> list[Json]:
    """The events that do something, without the second name of a paid invoice."""
    return [event for event in events if event["type"] in HANDLED and event["type"] != "invoice.payment_succeeded"]


def state() -> list[Any]:
    """Everything that a subject or a caller can see, without row numbers and times of processing."""
    columns = [
        field.name
        for field in Entitlement._meta.concrete_fields
        if field.name not in ("id", "public_id", "created_at", "updated_at", "subject", "product", "attempt", "pack")
    ]
    rows = Entitlement.objects.values_list("subject__subject_ref", "product__code", "attempt__public_id", *columns)
    attempts = CheckoutAttempt.objects.values_list("public_id", "status", "failure_reason", "finalized_at")
    # How much was granted and is void again depends on what was known on the way, what is left does not.
    units = Pack.objects.exclude(units_granted=F("units_voided")).values_list(
        "source_id", "unit", "window_key", "starts_at", "ends_at", "not_before", "available_until", "units_consumed",
        "units_reserved", "units_remaining",
    )  # fmt: skip
    return [sorted(map(repr, rows)), sorted(map(repr, attempts)), sorted(map(repr, units))]


@contextmanager
def undone() -> Iterator[None]:
    """A bare savepoint: an atomic() block would be seen, rightly, as a transaction around a call to Stripe."""
    savepoint = transaction.get_connection().savepoint()
    try:
        yield
    finally:
        transaction.get_connection().savepoint_rollback(savepoint)


def forget_what_stripe_told() -> None:
    """As if no webhook had come yet. The customers that we made ourselves stay bound."""
    Pack.objects.update(allowance_of=None)
    for model in (LedgerEntry, EntitlementChange, Entitlement, Pack, StripeEvent):
        rows = model.objects.all()
        rows._raw_delete(rows.db)  # type: ignore[attr-defined]
    StripeFact.objects.exclude(object="customer").delete()
    StripeFact.objects.update(state={"is_deleted": False})
    # More pages are open again than may be at a time.
    CheckoutAttempt.objects.update(status="created", failure_reason="", finalized_at=None, page_slot="", trial_slot="")


def paid(code: str, **given: Any) -> Act:
    return lambda stripe: stripe.simulator.pay(stripe.checkout(REF, code, **given))


def newest(stripe: StripeDouble, kind: str) -> Json:
    found: Json = stripe.simulator.all(kind)[-1]
    return found


def sub(stripe: StripeDouble) -> Json:
    return newest(stripe, "subscription")


def session(stripe: StripeDouble) -> Json:
    return newest(stripe, "checkout.session")


def chain(*acts: Act) -> Act:
    def run(stripe: StripeDouble) -> None:
        for act in acts:
            act(stripe)

    return run


def on_sub(verb: str, *args: Any, **given: Any) -> Act:
    return lambda stripe: getattr(stripe.simulator, verb)(sub(stripe), *args, **given)


def on(kind: str, verb: str, *args: Any, **given: Any) -> Act:
    return lambda stripe: getattr(stripe.simulator, verb)(newest(stripe, kind)["id"], *args, **given)


refund, dispute = on("payment_intent", "refund"), on("payment_intent", "dispute")
pending_refund = on("payment_intent", "refund", status="pending")
won, lost = on("dispute", "close_dispute", "won"), on("dispute", "close_dispute", "lost")


def day(count: int) -> Act:
    return lambda stripe: stripe.simulator.advance(count * 86_400)


def by_bank(stripe: StripeDouble) -> None:
    stripe.simulator.pay_by_bank(stripe.checkout(REF, "WEEK_PASS"))


def more_on_the_page(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.simulator.set_session_quantity(stripe.checkout(REF, "CREDITS", quantity=1), 3))


def subscribe_by_invoice(stripe: StripeDouble) -> None:
    """In the Dashboard, for a customer of ours: the first invoice is sent and not yet paid."""
    stripe.simulator.subscribe(newest(stripe, "customer")["id"], [("price_pro_monthly", 1)], by_invoice=True)


def pay_something_else(stripe: StripeDouble) -> None:
    stripe.simulator.pay_invoice(stripe.simulator.bill_by_hand(sub(stripe), "price_credits"))


def change_seats_six_times(stripe: StripeDouble) -> None:
    """The renewal's invoice has twelve lines of these changes before its own: more than an event carries."""
    for quantity in range(2, 8):
        stripe.simulator.advance(86_400)
        stripe.simulator.set_quantity(sub(stripe), quantity, prorated=True)


def add_seats(stripe: StripeDouble) -> None:
    stripe.simulator.add_item(sub(stripe), "price_seats", quantity=3)


def remove_seats(stripe: StripeDouble) -> None:
    stripe.simulator.remove_item(sub(stripe), item=sub(stripe)["items"]["data"][-1]["id"])


def delete_customer(stripe: StripeDouble) -> None:
    stripe.simulator.delete_customer(newest(stripe, "customer"))


def refund_of(amount: int) -> Act:
    return on("payment_intent", "refund", amount=amount)


def refund_the_first(stripe: StripeDouble) -> None:
    stripe.simulator.refund(stripe.simulator.all("payment_intent")[0])


def void_the_invoice(stripe: StripeDouble) -> None:
    stripe.simulator.write_off_invoice(newest(stripe, "invoice"), "void")


HISTORIES = [
    History("purchase", NOTHING, paid("WEEK_PASS")),
    History("purchase and full refund", NOTHING, chain(paid("WEEK_PASS"), day(1), refund)),
    History("purchase and partial refund", NOTHING, chain(paid("WEEK_PASS"), on("payment_intent", "refund", amount=1))),
    History(
        "purchase and two refunds that make a whole",
        NOTHING,
        chain(paid("WEEK_PASS"), refund_of(300), refund_of(400)),
    ),
    History("refund that fails", NOTHING, chain(paid("WEEK_PASS"), pending_refund, on("refund", "fail_refund"))),
    History(
        "refund that fails and is made again",
        paid("CREDITS"),
        chain(pending_refund, on("refund", "fail_refund"), refund),
    ),
    History("purchase with refund and inquiry", NOTHING, chain(
        paid("CREDITS"), refund, on("payment_intent", "dispute", status="warning_needs_response")
    )),
    History("dispute opened", NOTHING, chain(paid("WEEK_PASS"), dispute)),
    History("dispute won", NOTHING, chain(paid("WEEK_PASS"), dispute, day(3), won)),
    History("dispute lost", NOTHING, chain(paid("WEEK_PASS"), dispute, day(3), lost)),
    History("dispute lost at once", NOTHING, chain(paid("CREDITS"), on("payment_intent", "dispute", status="lost"))),
    History("late win", chain(paid("WEEK_PASS"), dispute), chain(lost, day(1), on("dispute", "win_dispute_late"))),
    History("inquiry that is closed", paid("WEEK_PASS"), chain(
        on("payment_intent", "dispute", status="warning_needs_response"),
        on("dispute", "close_dispute", "warning_closed"),
    )),
    History("inquiry that becomes a chargeback", NOTHING, chain(
        paid("WEEK_PASS"),
        on("payment_intent", "dispute", status="warning_needs_response"),
        on("dispute", "update_dispute", "needs_response"),
    )),
    History("two disputes on one charge", paid("WEEK_PASS"), chain(dispute, won, dispute)),
    History("dispute of an unknown status", NOTHING, chain(
        paid("WEEK_PASS"), on("payment_intent", "dispute", status="something_new")
    )),
    History("bank debit that settles", NOTHING, chain(by_bank, day(1), on("checkout.session", "settle_bank"))),
    History("bank debit that bounces", NOTHING, chain(by_bank, day(1), on("checkout.session", "bounce_bank"))),
    History("page that expires", NOTHING, chain(
        lambda stripe: stripe.checkout(REF, "WEEK_PASS"), on("checkout.session", "expire")
    )),
    History("quantity changed on the page", NOTHING, more_on_the_page),
    History("two passes", NOTHING, chain(paid("WEEK_PASS"), day(2), paid("WEEK_PASS"))),
    History("two passes, the first refunded", paid("WEEK_PASS"), chain(
        day(1), paid("WEEK_PASS"), day(1), refund_the_first
    )),
    History("two packs, one disputed", paid("CREDITS_30_DAYS"), chain(paid("CREDITS_30_DAYS"), dispute)),
    History("first period", NOTHING, paid("PRO_MONTHLY")),
    History("trial", NOTHING, paid("TRIAL")),
    History("seats", NOTHING, paid("SEATS", quantity=4)),
    History("renewal", paid("PRO_MONTHLY"), on_sub("renew")),
    History("renewal in its draft hour", paid("PRO_MONTHLY"), on_sub("roll_period")),
    History("renewal that fails", paid("PRO_MONTHLY"), on_sub("renew", paid=False)),
    History("renewal that fails, with grace", paid("GRACE"), on_sub("renew", paid=False)),
    History("renewal that fails and recovers", chain(paid("PRO_MONTHLY")), chain(
        on_sub("renew", paid=False), on_sub("recover")
    )),
    History("renewal that is written off", paid("PRO_MONTHLY"), chain(
        on_sub("renew", paid=False), void_the_invoice
    )),
    History("trial that ends", paid("TRIAL"), chain(on_sub("end_trial"), on("invoice", "pay_invoice"))),
    History("swap to yearly", paid("PRO_MONTHLY"), on_sub("swap_price", "price_pro_yearly")),
    History("swap and back", paid("SEATS"), chain(
        day(1), on_sub("swap_price", "price_grace"), day(1), on_sub("swap_price", "price_seats")
    )),
    History("item added and removed", paid("PRO_MONTHLY"), chain(day(1), add_seats, day(1), remove_seats)),
    History("more seats", paid("SEATS", quantity=2), on_sub("set_quantity", 5)),
    History("update that waits for its payment", paid("SEATS"), chain(
        on_sub("propose_update", price="price_grace", quantity=2), on_sub("apply_update")
    )),
    History("update that is never paid", paid("SEATS"), chain(
        on_sub("propose_update", price="price_grace", quantity=2), on_sub("expire_update")
    )),
    History("cancel at period end, portal", paid("PRO_MONTHLY"), on_sub("cancel_at_period_end", way="flexible")),
    History("cancel at period end, classic", paid("PRO_MONTHLY"), chain(
        on_sub("cancel_at_period_end", way="classic"), on_sub("uncancel"), on_sub("cancel_at_period_end", way="classic")
    )),
    History("cancel now", NOTHING, chain(paid("PRO_MONTHLY"), day(1), on_sub("cancel"))),
    History("pause and resume", paid("PRO_MONTHLY"), chain(on_sub("pause"), day(1), on_sub("resume"))),
    History("paused", paid("PRO_MONTHLY"), on_sub("pause")),
    History("collection paused", paid("PRO_MONTHLY"), on_sub("pause_collection")),
    History("current period refunded", paid("PRO_MONTHLY"), chain(day(1), refund)),
    History("first period refunded at once", NOTHING, chain(paid("PRO_MONTHLY"), refund)),
    History("current period refunded, next one clean", chain(paid("PRO_MONTHLY"), refund), on_sub("renew")),
    History("current period disputed and won", paid("PRO_MONTHLY"), chain(dispute, won)),
    History("refund of a period, after a clean renewal", chain(paid("PRO_MONTHLY"), on_sub("renew")), chain(
        refund_the_first
    )),
    History("swap to monthly after the year was refunded", chain(paid("PRO_YEARLY"), refund, day(1)), chain(
        on_sub("swap_price", "price_pro_monthly")
    )),
    History("swap to monthly that is refunded", chain(
        paid("PRO_YEARLY"), day(1), on_sub("swap_price", "price_pro_monthly")
    ), refund),
    History("refund of a period, after more seats were paid", chain(
        paid("SEATS", quantity=10), day(3), on_sub("swap_price", "price_seats", quantity=11, invoice_now=True), day(1)
    ), refund_the_first),
    History("renewal with more lines than an event carries", chain(
        paid("SEATS"), refund, change_seats_six_times
    ), on_sub("renew")),
    History("refund of a renewal with more lines than an event carries", chain(
        paid("SEATS"), change_seats_six_times, on_sub("renew")
    ), refund),
    History("something else is paid on an unpaid subscription", chain(paid("WEEK_PASS"), subscribe_by_invoice), chain(
        pay_something_else
    )),
    History("subscription by invoice that is paid", chain(paid("WEEK_PASS"), subscribe_by_invoice), chain(
        on("invoice", "pay_invoice")
    )),
    History("no seats", paid("SEATS", quantity=2), on_sub("set_quantity", 0)),
    History("no seats and some again", paid("SEATS", quantity=2), chain(
        on_sub("set_quantity", 0), day(1), on_sub("set_quantity", 1)
    )),
    History("customer deleted", chain(paid("PRO_MONTHLY"), paid("WEEK_PASS")), delete_customer),
    History("two subscriptions to one product", paid("PRO_MONTHLY"), chain(
        lambda stripe: stripe.simulator.create_session(
            {
                "mode": "subscription",
                "customer": newest(stripe, "customer")["id"],
                "line_items": [{"price": "price_pro_monthly", "quantity": 1}],
                "success_url": "https://example.com",
            }
        ),
        on("checkout.session", "pay"),
        on_sub("cancel"),
    )),
]  # fmt: skip
