"""From one fact to the rights it touches: keep it, find out whose it is, settle.

The webhook, ``licenzy_sync`` and the return page all come through here. Two steps, never mixed: ``learn`` keeps the
fact (each in a short transaction of its own, asking Stripe where needed, outside of any), and hands back what is to be
settled in one transaction afterwards. A crash between the two loses nothing, since settling starts from what is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from licenzy_django import facts, outbox, stripe_client
from licenzy_django.customers import forget_customer
from licenzy_django.entitlements import Cause, settle_attempt, settle_purchase, settle_subscription
from licenzy_django.models import CheckoutAttempt, Entitlement, StripeEvent, StripeFact, Subject
from licenzy_django.stripe_objects import Fact, fact_of, paid_at_of, session_lines

Settle = Callable[[Cause], list[Entitlement]]
FINAL_TICKET = 2**62
"""The ticket of what Stripe can never change again."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What became of a fact: whose it is, what to settle, and in a few words why nothing, if nothing."""

    outcome: str = ""
    subject_id: int | None = None
    settlements: tuple[Settle, ...] = ()
    is_ignored: bool = False

    def settle(self, cause: Cause) -> list[Entitlement]:
        """Runs inside the caller's transaction."""
        return [changed for settle in self.settlements for changed in settle(cause)]


def ignored(why: str) -> Learned:
    return Learned(outcome=why, is_ignored=True)


@dataclass(frozen=True, slots=True)
class Context:
    """Where a fact comes from.

    Attributes:
        ticket: the inbox row that existed before we asked Stripe anything (``facts.keep_newest``).
        is_fetched: whether the fact is Stripe's current answer and not an event's snapshot.
    """

    mode: str
    ticket: int
    is_fetched: bool = False


def current_ticket() -> int:
    """The ticket of a fetch that no event caused: it has seen what every event so far reports."""
    return StripeEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def learn(fact: Fact, context: Context) -> Learned:
    """Keep a fact and say what to settle.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured where Stripe had to be asked: then nothing is lost, the
    same fact can be learned again.
    """
    return LEARNERS[fact.object](fact, context)


# --- sessions --------------------------------------------------------------------------------------------------------


def learn_session(session: Fact, context: Context) -> Learned:
    attempt = attempt_of_session(session, context.mode)
    if attempt is None:
        return ignored("not a session of ours")
    if session.state["mode"] == "payment" and paid_at_of(session) is not None:
        session = with_lines(session, context.mode)
    whole = facts.keep(session, mode=context.mode, subject=attempt.subject)
    adopt(attempt, whole)
    subscription_id = whole.links["subscription_id"]
    if subscription_id and not context.is_fetched and not facts.facts_by_id(context.mode, [subscription_id]):
        keep_subscription(subscription_id, attempt.subject, context, is_new=True)

    def settle(cause: Cause) -> list[Entitlement]:
        is_finalized = settle_attempt(attempt, whole)
        if subscription_id:
            changed = settle_subscription(attempt.subject_id, subscription_id, cause=cause, sold=attempt.product)
        else:
            changed = settle_purchase(attempt, cause=cause)
        if is_finalized and outbox.is_heard(attempt):
            outbox.record_purchase(attempt, whole, cause=cause)
        return changed

    return Learned(f"attempt {attempt.public_id}", attempt.subject_id, (settle,))


def attempt_of_session(session: Fact, mode: str) -> CheckoutAttempt | None:
    """The attempt that this session was made for, or None for a stranger's.

    ``client_reference_id`` is never looked at: anybody can set it on a payment link. Our metadata only finds an attempt
    whose answer was lost, and only if the session belongs to the customer that we made for its subject.
    """
    attempts = outbox.with_listeners(CheckoutAttempt.objects.filter(mode=mode).select_related("subject", "product"))
    if attempt := attempts.filter(stripe_session_id=session.stripe_id).first():
        return attempt
    named, customer_id = session.state["attempt"], session.links["customer_id"]
    if not isinstance(named, str) or not customer_id or session.state["payment_link"]:
        return None
    attempt = attempts.filter(public_id=named, stripe_session_id="").first()
    return attempt if attempt and attempt.stripe_params.get("customer") == customer_id else None


def adopt(attempt: CheckoutAttempt, session: Fact) -> None:
    """Give the attempt the session whose answer was lost."""
    if not attempt.stripe_session_id:
        CheckoutAttempt.objects.filter(pk=attempt.pk, stripe_session_id="").update(stripe_session_id=session.stripe_id)
        attempt.stripe_session_id = session.stripe_id


def with_lines(session: Fact, mode: str) -> Fact:
    """The session with what was bought, since events never carry the lines and customers can change quantities."""
    if session.state.get("lines") is not None:
        return session
    known = facts.facts_by_id(mode, [session.stripe_id]).get(session.stripe_id)
    if known is not None and known.state.get("lines") is not None:
        return session
    lines = session_lines(stripe_client.fetch_session_lines(mode, session.stripe_id))
    return replace(session, state={**session.state, "lines": lines})


# --- subscriptions and their invoices --------------------------------------------------------------------------------


def learn_subscription(subscription: Fact, context: Context) -> Learned:
    customer_id = subscription.links["customer_id"]
    prices = [item["price"] for item in subscription.state["items"]]
    price_ids = [price_fact_id(subscription.stripe_id, price) for price in prices]
    known = facts.facts_by_id(context.mode, [subscription.stripe_id, customer_id, *price_ids])
    subject_id = subject_id_of(known.get(subscription.stripe_id), known.get(customer_id))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    if not context.is_fetched:
        keep_prices(subscription, known, context.mode)
    bring_up_to_date(subscription, known.get(subscription.stripe_id), subject_id, context)
    return Learned(
        f"subscription {subscription.stripe_id}", subject_id, (settle_of(subscription.stripe_id, subject_id),)
    )


def subject_id_of(*rows: StripeFact | None) -> int | None:
    """The first binding counts; metadata can be edited by anybody with a key."""
    return next((row.subject_id for row in rows if row is not None and row.subject_id is not None), None)


def bring_up_to_date(subscription: Fact, row: StripeFact | None, subject_id: int, context: Context) -> None:
    """Keep Stripe's current answer instead of a snapshot that may be old; a final snapshot is as good."""
    subject = Subject(pk=subject_id)
    if facts.is_final(subscription):
        facts.keep_newest(subscription, mode=context.mode, ticket=FINAL_TICKET, subject=subject)
    elif context.is_fetched:
        facts.keep_newest(subscription, mode=context.mode, ticket=context.ticket, subject=subject, or_equal=True)
    elif row is None or row.applied_ticket < context.ticket:
        keep_subscription(subscription.stripe_id, subject, context, snapshot=subscription, is_new=row is None)


def keep_subscription(
    subscription_id: str, subject: Subject, context: Context, *, snapshot: Fact | None = None, is_new: bool
) -> None:
    """Ask Stripe for the subscription and keep the answer.

    Where Stripe no longer knows it (a test clock was removed), the newest snapshot is all there is.
    """
    try:
        fetched = fact_of(stripe_client.fetch_subscription(context.mode, subscription_id), seen_at=None)
        assert fetched is not None
    except stripe_client.StripeObjectMissing:
        keep_snapshot(snapshot, subject, context)
        return
    ticket = FINAL_TICKET if facts.is_final(fetched) else context.ticket
    facts.keep_newest(fetched, mode=context.mode, ticket=ticket, subject=subject, is_new=is_new)


def keep_snapshot(snapshot: Fact | None, subject: Subject | None, context: Context) -> None:
    if snapshot is None:
        return
    row = facts.facts_by_id(context.mode, [snapshot.stripe_id]).get(snapshot.stripe_id)
    if row is None or (row.state.get("seen_at") or 0) <= (snapshot.state["seen_at"] or 0):
        facts.keep_newest(snapshot, mode=context.mode, ticket=context.ticket, subject=subject)


def price_fact_id(subscription_id: str, price: str) -> str:
    return f"{subscription_id}/{price}"


def keep_prices(subscription: Fact, known: dict[str, StripeFact], mode: str) -> None:
    """Remember every price that the subscription was ever seen with: a product that it lost has to end."""
    seen_at = subscription.state["seen_at"]
    for item in subscription.state["items"]:
        stripe_id = price_fact_id(subscription.stripe_id, item["price"])
        row = known.get(stripe_id)
        if row is None or row.state["seen_at"] > seen_at:
            links = {"subscription_id": subscription.stripe_id}
            state = {"price": item["price"], "seen_at": seen_at}
            facts.keep(Fact("subscription_price", stripe_id, state, links), mode=mode)


def settle_of(subscription_id: str, subject_id: int, *, invoice: Fact | None = None) -> Settle:
    return lambda cause: settle_subscription(subject_id, subscription_id, cause=cause, invoice=invoice)


def learn_invoice(invoice: Fact, context: Context) -> Learned:
    subscription_id, customer_id = invoice.links["subscription_id"], invoice.links["customer_id"]
    if not subscription_id:
        return ignored("an invoice without a subscription")
    known = facts.facts_by_id(context.mode, [subscription_id, customer_id])
    subject_id = subject_id_of(known.get(subscription_id), known.get(customer_id))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    whole = facts.keep(invoice, mode=context.mode)
    row = known.get(subscription_id)
    if not context.is_fetched and is_behind(row, invoice):
        keep_subscription(subscription_id, Subject(pk=subject_id), context, is_new=row is None)
    settle = settle_of(subscription_id, subject_id, invoice=whole)
    return Learned(f"subscription {subscription_id}", subject_id, (settle,))


def is_behind(row: StripeFact | None, invoice: Fact) -> bool:
    """Whether a paid invoice shows that what we know of its subscription is old news."""
    if row is None:
        return True
    if invoice.state["paid_at"] is None or row.applied_ticket == FINAL_TICKET:
        return False
    ends_at = max((item["period_end"] or 0 for item in row.state["items"]), default=0)
    paid_until = max((line["end"] or 0 for line in invoice.state["lines"] or []), default=0)
    return row.state["status"] not in ("active", "trialing") or paid_until > ends_at


def learn_invoice_payment(invoice_payment: Fact, context: Context) -> Learned:
    facts.keep(invoice_payment, mode=context.mode)
    invoice = facts.facts_by_id(context.mode, [invoice_payment.links["invoice_id"]])
    return of_subscriptions((row.subscription_id for row in invoice.values()), context, waits_for="its invoice")


# --- refunds and disputes --------------------------------------------------------------------------------------------


def learn_refund(refund: Fact, context: Context) -> Learned:
    facts.keep(refund, mode=context.mode)
    return of_payment(refund, context)


def learn_dispute(dispute: Fact, context: Context) -> Learned:
    """A dispute can be lost and won again: only Stripe's current answer counts."""
    row = facts.facts_by_id(context.mode, [dispute.stripe_id]).get(dispute.stripe_id)
    if context.is_fetched:
        facts.keep_newest(dispute, mode=context.mode, ticket=context.ticket, subject=None, or_equal=True)
    elif row is None or row.applied_ticket < context.ticket:
        try:
            fetched = fact_of(stripe_client.fetch_dispute(context.mode, dispute.stripe_id), seen_at=None)
            assert fetched is not None
            facts.keep_newest(fetched, mode=context.mode, ticket=context.ticket, subject=None)
        except stripe_client.StripeObjectMissing:
            keep_snapshot(dispute, None, context)
    return of_payment(dispute, context)


def of_payment(fact: Fact, context: Context) -> Learned:
    """What a refund, a dispute or a charge belongs to. It may have come first: then it waits to be found."""
    linked = list(facts.links_to(fact, context.mode))
    if not linked and fact.links["payment_intent_id"] and not context.is_fetched:
        linked = links_from_stripe(fact.links["payment_intent_id"], context)
    session_ids = [row.stripe_id for row in linked if row.object == "checkout.session"]
    bought = (
        list(CheckoutAttempt.objects.filter(mode=context.mode, stripe_session_id__in=session_ids))
        if session_ids
        else []
    )
    if bought:
        return Learned(f"attempt {bought[0].public_id}", bought[0].subject_id, tuple(map(settle_purchase_of, bought)))
    invoices = facts.facts_by_id(context.mode, {row.invoice_id for row in linked})
    return of_subscriptions((row.subscription_id for row in invoices.values()), context, waits_for="its purchase")


def links_from_stripe(payment_intent_id: str, context: Context) -> list[StripeFact]:
    """Ask which invoice a payment paid, and keep the link; nothing for a payment that paid none."""
    kept = []
    for payment in stripe_client.fetch_invoice_payments(context.mode, payment_intent_id):
        link = fact_of(payment, seen_at=None)
        if link is None:
            continue
        facts.keep(link, mode=context.mode)
        kept.append(link.stripe_id)
        if not facts.facts_by_id(context.mode, [link.links["invoice_id"]]):
            invoice = fact_of(stripe_client.fetch_invoice(context.mode, link.links["invoice_id"]), seen_at=None)
            if invoice is not None:
                learn_invoice(invoice, context)
    return list(facts.facts_by_id(context.mode, kept).values())


def settle_purchase_of(attempt: CheckoutAttempt) -> Settle:
    return lambda cause: settle_purchase(attempt, cause=cause)


def of_subscriptions(subscription_ids: Iterable[str], context: Context, *, waits_for: str) -> Learned:
    rows = facts.facts_by_id(context.mode, subscription_ids)
    bound = {row.stripe_id: row.subject_id for row in rows.values() if row.subject_id is not None}
    if not bound:
        return Learned(f"kept, waits for {waits_for}")
    settlements = tuple(settle_of(subscription_id, subject_id) for subscription_id, subject_id in sorted(bound.items()))
    return Learned(f"subscription {min(bound)}", bound[min(bound)], settlements)


# --- customers -------------------------------------------------------------------------------------------------------


def learn_customer(customer: Fact, context: Context) -> Learned:
    """Deleting a customer ends its subscriptions; the subject gets a new customer with the next checkout."""
    row = facts.facts_by_id(context.mode, [customer.stripe_id]).get(customer.stripe_id)
    if row is None or row.subject_id is None:
        return ignored("a customer of nobody we know")
    facts.keep(customer, mode=context.mode)
    if not customer.state["is_deleted"]:
        return Learned("customer", row.subject_id)
    forget_customer(Subject(pk=row.subject_id), customer.stripe_id)
    subscriptions = StripeFact.objects.filter(
        mode=context.mode, customer_id=customer.stripe_id, object="subscription", subject_id=row.subject_id
    )
    ids = subscriptions.exclude(applied_ticket=FINAL_TICKET).order_by("stripe_id").values_list("stripe_id", flat=True)
    return Learned("customer deleted", row.subject_id, tuple(settle_of(stripe_id, row.subject_id) for stripe_id in ids))


LEARNERS: dict[str, Callable[[Fact, Context], Learned]] = {
    "checkout.session": learn_session,
    "subscription": learn_subscription,
    "invoice": learn_invoice,
    "invoice_payment": learn_invoice_payment,
    "charge": learn_refund,
    "refund": learn_refund,
    "dispute": learn_dispute,
    "customer": learn_customer,
}
