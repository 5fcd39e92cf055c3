"""Named short histories of changes, credits and several payments: where rights follow money. See ``histories``."""

from __future__ import annotations

from licenzy_django.testing import StripeDouble
from tests.histories import (
    NOTHING,
    Act,
    History,
    chain,
    day,
    dispute,
    lost,
    newest,
    on,
    on_sub,
    paid,
    refund,
    refund_the_first,
    sub,
    subscribe_by_invoice,
    won,
)

known_customer = paid("WEEK_PASS")
upgrade = on_sub("swap_price", "price_max_monthly", proration_behavior="always_invoice")
unpaid_upgrade = on_sub("swap_price", "price_max_monthly", proration_behavior="always_invoice", paid=False)
declined_upgrade = on_sub("propose_update", price="price_max_monthly")
asked_for_3d_secure = on_sub("propose_update", price="price_max_monthly", paid=True, requires_action=True)
void = on("invoice", "write_off_invoice", "void")
uncollectible = on("invoice", "write_off_invoice", "uncollectible")
pay_the_invoice = on("invoice", "pay_invoice")


def seats(count: int, *, billed: str = "none", is_paid: bool = True) -> Act:
    return on_sub("set_quantity", count, proration_behavior=billed, paid=is_paid)


def ten_seats_by_invoice(stripe: StripeDouble) -> None:
    stripe.simulator.subscribe(newest(stripe, "customer")["id"], [("price_seats", 10)], by_invoice=True)


def monthly_by_invoice(stripe: StripeDouble) -> None:
    stripe.simulator.subscribe(newest(stripe, "customer")["id"], [("price_pro_monthly", 1)], by_invoice=True)


def imported(stripe: StripeDouble) -> None:
    """Free until the anchor, ten days ahead: no invoice, no trial."""
    stripe.simulator.subscribe(
        newest(stripe, "customer")["id"],
        [("price_pro_monthly", 1)],
        billing_cycle_anchor=stripe.simulator.now + 10 * 86_400,
        proration_behavior="none",
    )


def quote(*, is_paid: bool) -> Act:
    return lambda stripe: stripe.simulator.accept_quote(
        newest(stripe, "customer")["id"], [("price_pro_monthly", 1)], paid=is_paid
    )


def unpaid_quote(stripe: StripeDouble) -> None:
    stripe.simulator.accept_quote(newest(stripe, "customer")["id"], [("price_pro_monthly", 1)], by_invoice=True)


def month_beside_the_year(stripe: StripeDouble) -> None:
    stripe.simulator.add_item(sub(stripe), "price_seats", proration_behavior="always_invoice")


def pay_in_two_parts(stripe: StripeDouble) -> None:
    invoice = newest(stripe, "invoice")
    stripe.simulator.pay_part(invoice, 900)
    stripe.simulator.pay_invoice(invoice)


def dispute_the_first_part(stripe: StripeDouble) -> None:
    payments = stripe.simulator.all("invoice_payment", invoice=newest(stripe, "invoice")["id"], status="paid")
    stripe.simulator.dispute(payments[0]["payment"]["payment_intent"])


def credit_everything(**given: int) -> Act:
    return on("invoice", "credit_invoice", **given)


def win_the_first(stripe: StripeDouble) -> None:
    stripe.simulator.close_dispute(stripe.simulator.all("dispute")[0], "won")


def another_of_the_same(stripe: StripeDouble) -> None:
    stripe.simulator.subscribe(newest(stripe, "customer")["id"], [("price_max_monthly", 1)])


def move_everybody(stripe: StripeDouble) -> None:
    stripe.simulator.move_price("price_pro_monthly", "price_max_monthly")


def forget_the_session(stripe: StripeDouble) -> None:
    stripe.simulator.forget("checkout.session", newest(stripe, "checkout.session"))


def a_cheap_one(stripe: StripeDouble) -> None:
    """Below the least amount that a card is charged: the debt waits on the customer's balance."""
    stripe.sell("CHEAP", amount=20)
    stripe.simulator.subscribe(newest(stripe, "customer")["id"], [("price_cheap", 1)])


def a_free_one(stripe: StripeDouble) -> None:
    """A price of zero."""
    stripe.sell("BASIC", amount=0)
    stripe.simulator.subscribe(newest(stripe, "customer")["id"], [("price_basic", 1)])


def roll(stripe: StripeDouble) -> None:
    stripe.simulator.roll_period(sub(stripe))


MONEY_HISTORIES = [
    # An upgrade that waits for its payment.
    History("declined upgrade", paid("PRO_MONTHLY"), chain(day(1), declined_upgrade)),
    History("upgrade that asks for 3-D Secure", paid("PRO_MONTHLY"), chain(day(1), asked_for_3d_secure)),
    History("declined upgrade that is paid later", chain(paid("PRO_MONTHLY"), day(1), declined_upgrade), chain(
        on_sub("apply_update")
    )),
    History("declined upgrade that runs out", chain(paid("PRO_MONTHLY"), day(1), declined_upgrade), chain(
        on_sub("expire_update")
    )),
    History("declined upgrade that is voided", chain(paid("PRO_MONTHLY"), day(1), declined_upgrade), void),
    # An upgrade that shows at once.
    History("upgrade that is paid", chain(paid("PRO_MONTHLY"), day(1)), upgrade),
    History("upgrade that is not paid", chain(paid("PRO_MONTHLY"), day(1)), unpaid_upgrade),
    History("upgrade that is paid late", chain(paid("PRO_MONTHLY"), day(1), unpaid_upgrade), pay_the_invoice),
    History("upgrade that is not paid and voided", chain(paid("PRO_MONTHLY"), day(1), unpaid_upgrade), void),
    History("upgrade that is charged back", chain(paid("PRO_MONTHLY"), day(1), upgrade, day(1)), dispute),
    History("upgrade that is charged back and won", chain(
        paid("PRO_MONTHLY"), day(1), upgrade, day(1), dispute
    ), won),
    History("upgrade that is charged back and lost", chain(
        paid("PRO_MONTHLY"), day(1), upgrade, day(1), dispute
    ), lost),
    History("upgrade that is refunded", chain(paid("PRO_MONTHLY"), day(1), upgrade, day(1)), refund),
    History("refunded month, then an upgrade that is paid", chain(paid("PRO_MONTHLY"), refund, day(1)), upgrade),
    History("upgrade and the month under it refunded", chain(
        paid("PRO_MONTHLY"), day(1), upgrade, day(1)
    ), refund_the_first),
    History("downgrade with credit", chain(paid("MAX_MONTHLY"), day(1)), chain(
        on_sub("swap_price", "price_pro_monthly", proration_behavior="always_invoice")
    )),
    # Quantities.
    History("unpaid first invoice, then fewer seats by credit", chain(known_customer, ten_seats_by_invoice), chain(
        day(1), seats(9, billed="always_invoice")
    )),
    History("more seats, billed with the renewal", paid("SEATS", quantity=2), chain(
        day(1), seats(5, billed="create_prorations")
    )),
    History("more seats, paid at once", paid("SEATS", quantity=2), chain(day(1), seats(5, billed="always_invoice"))),
    History("more seats, billed at once and not paid", paid("SEATS", quantity=2), chain(
        day(1), seats(5, billed="always_invoice", is_paid=False)
    )),
    History("fewer seats, credited at once", paid("SEATS", quantity=5), chain(
        day(1), seats(2, billed="always_invoice")
    )),
    History("fewer seats by credit after the month was refunded", chain(paid("SEATS", quantity=5), refund), chain(
        day(1), seats(2, billed="always_invoice")
    )),
    History("renewal that unpaid credit pays", chain(
        known_customer, ten_seats_by_invoice, day(1), seats(1, billed="always_invoice")
    ), on_sub("renew")),
    History("renewal that earned credit pays", chain(
        paid("SEATS", quantity=10), day(1), seats(1, billed="always_invoice")
    ), on_sub("renew")),
    History("renewal paid by credit whose payment is charged back", chain(
        paid("SEATS", quantity=10), day(1), seats(1, billed="always_invoice"), on_sub("renew")
    ), dispute),
    # Made by hand, imported, quoted.
    History("imported without proration", known_customer, imported),
    History("imported, renewal is a draft", chain(known_customer, imported), roll),
    History("imported, renewal is paid", chain(known_customer, imported), on_sub("renew")),
    History("imported, renewal fails", chain(known_customer, imported), on_sub("renew", paid=False)),
    History("imported, and something else is billed at once", known_customer, chain(
        imported, on_sub("bill_by_hand", "price_credits"), on("invoice", "fail_invoice")
    )),
    History("imported, then an upgrade that is not paid", chain(known_customer, imported, day(2)), unpaid_upgrade),
    History("imported, then replaced and not paid", chain(known_customer, imported, day(2)), chain(
        on_sub("replace_item", "price_max_monthly", proration_behavior="always_invoice", paid=False)
    )),
    History("imported, then replaced and paid", chain(known_customer, imported, day(2)), chain(
        on_sub("replace_item", "price_max_monthly", proration_behavior="always_invoice")
    )),
    History("imported, replaced without a bill, then more that is not paid", chain(known_customer, imported), chain(
        day(2), on_sub("replace_item", "price_max_monthly"), seats(3, billed="always_invoice", is_paid=False)
    )),
    History("price of zero that is replaced and not paid", chain(known_customer, a_free_one, day(2)), chain(
        on_sub("replace_item", "price_max_monthly", proration_behavior="always_invoice", paid=False)
    )),
    History("quote that is paid", known_customer, quote(is_paid=True)),
    History("quote that is not paid", known_customer, unpaid_quote),
    History("prepaid year, the month beside it fails", chain(
        paid("PRO_YEARLY"), day(1), month_beside_the_year
    ), on_sub("renew", paid=False)),
    History("subscription of another price of the group beside it", chain(paid("PRO_MONTHLY")), another_of_the_same),
    History("everybody is moved to another price", paid("PRO_MONTHLY"), move_everybody),
    # Renewals that nobody pays, and payments of other kinds.
    History("renewal written off as uncollectible", chain(paid("PRO_MONTHLY"), on_sub("renew", paid=False)), chain(
        uncollectible
    )),
    History("draft renewal that is voided", chain(paid("PRO_MONTHLY"), roll), void),
    History("renewal that cannot be finalized", chain(paid("PRO_MONTHLY"), roll), on("invoice", "fail_finalization")),
    History("first invoice written off", chain(known_customer, monthly_by_invoice), void),
    History("out of band", chain(known_customer, subscribe_by_invoice), chain(
        on("invoice", "pay_invoice", out_of_band=True)
    )),
    History("below the least charge", known_customer, a_cheap_one),
    History("invoice paid in parts", chain(known_customer, monthly_by_invoice), pay_in_two_parts),
    History("invoice of which a part is paid", chain(known_customer, monthly_by_invoice), chain(
        on("invoice", "pay_part", 900)
    )),
    History("one part of two is charged back", chain(
        known_customer, monthly_by_invoice, pay_in_two_parts
    ), dispute_the_first_part),
    History("one part of two is charged back and won", chain(
        known_customer, monthly_by_invoice, pay_in_two_parts, dispute_the_first_part
    ), win_the_first),
    # Credit notes.
    History("credit note that refunds everything", paid("PRO_MONTHLY"), chain(day(1), credit_everything())),
    History("credit note that gives everything to the balance", paid("PRO_MONTHLY"), chain(
        day(1), credit_everything(credit_amount=1900)
    )),
    History("credit note outside of Stripe", paid("PRO_MONTHLY"), credit_everything(out_of_band_amount=1900)),
    History("credit note over a part", paid("PRO_MONTHLY"), credit_everything(amount=900, credit_amount=900)),
    History("credit note over an open invoice", chain(known_customer, monthly_by_invoice), credit_everything()),
    History("credit note over a part of an open invoice, the rest is paid", chain(
        known_customer, monthly_by_invoice, on("invoice", "credit_invoice", amount=900)
    ), pay_the_invoice),
    # Gone at Stripe.
    History("session that Stripe no longer has", NOTHING, chain(paid("PRO_MONTHLY"), forget_the_session)),
]  # fmt: skip
