"""What Stripe said, stored and merged. Store first, rebuild after: whoever rebuilds last sees all that came before.

Facts that only grow (a session paid, an invoice paid, a refund) are merged field by field with operations that do not
care about order or repetition. Objects that change back and forth (a subscription, a dispute) are replaced, but only
by a fetch that began later (``docs/design.md``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db import connections, transaction
from django.db.models import Q, QuerySet

from licenzy_django import clock
from licenzy_django.db.functions import StoredQuery, register
from licenzy_django.db.rows import insert, writer_of, written
from licenzy_django.models import StripeFact, Subject
from licenzy_django.stripe.objects import OBJECTS, Fact, State, merged

LINKS = ("customer_id", "subscription_id", "invoice_id", "payment_intent_id", "charge_id")


def save(fact: Fact, *, mode: str, subject: Subject | None = None) -> Fact:
    """Merge a fact that only grows into what is known of the object, and return the whole."""
    row = new_row(fact, mode, subject)
    if insert(row):
        return fact_from(row)
    with transaction.atomic():
        row = written(StripeFact).select_for_update(no_key=True).get(stripe_id=fact.stripe_id, mode=mode)
        before = (dict(row.state), links_of(row), row.subject_id)
        row.state = merged(fact.object, row.state, fact.state)
        for link in LINKS:
            setattr(row, link, max(getattr(row, link), fact.links.get(link, "")))
        row.subject_id = row.subject_id or (subject.pk if subject else None)
        if before != (row.state, links_of(row), row.subject_id):
            row.save(update_fields=["state", *LINKS, "subject", "updated_at"])
    return fact_from(row)


def save_newest(fact: Fact, *, mode: str, sequence: int, subject: Subject | None, or_equal: bool = False) -> None:
    """Replace what is known of an object that changes back and forth, unless a later fetch is stored already.

    A final state is kept whatever its number, and never replaced.

    Args:
        sequence: the primary key of an inbox row that existed before the fetch began.
        or_equal: also replace what has the same sequence; for fetches that no event caused.
    """
    row = new_row(fact, mode, subject, sequence)
    if insert(row):
        return
    values = {"state": row.state, "fetch_sequence": sequence, "updated_at": clock.now(), **links_of(row)}
    if subject:
        values["subject"] = subject.pk
    rows = written(StripeFact).filter(is_not_final(fact.object), stripe_id=fact.stripe_id, mode=mode)
    if not is_final(fact):
        rows = rows.filter(**{"fetch_sequence__lte" if or_equal else "fetch_sequence__lt": sequence})
    rows.update(**values)


def is_final(fact: Fact | StripeFact) -> bool:
    """Whether Stripe can never say anything newer of it: then its snapshot is as good as a fetch."""
    return fact.object in OBJECTS and fact.state.get("status") in OBJECTS[fact.object].final


def is_not_final(name: str) -> Q:
    """The facts about one kind of object of which Stripe may say something newer."""
    final = OBJECTS[name].final
    return ~Q(state__status__in=sorted(final)) if final else Q()


def is_worth_a_fetch(row: StripeFact, sequence: int) -> bool:
    """Whether Stripe may say more of an object than is known: it has not ended, and no later fetch was kept."""
    return row.fetch_sequence < sequence and not is_final(row)


def facts_by_id(mode: str, stripe_ids: Iterable[str]) -> dict[str, StripeFact]:
    ids = set(stripe_ids) - {""}
    if not ids:
        return {}
    return {row.stripe_id: row for row in written(StripeFact).filter(stripe_id__in=ids, mode=mode)}


def facts_of_subscription(mode: str, subscription_id: str) -> list[Fact]:
    """Everything that a subscription's entitlements follow from, in one statement: itself, its sessions, invoices and
    prices; their payments; the refunds, disputes and charges of those."""
    using = writer_of(StripeFact)
    query = OF_SUBSCRIPTION["postgresql" if connections[using].vendor == "postgresql" else "others"]
    # Once each: an invoice is found by its subscription and by itself.
    found = {row[1]: row for row in query.fetch(using, mode, subscription_id)}
    return [
        Fact(name, stripe_id, as_state(state), dict(zip(LINKS, links, strict=True)))
        for name, stripe_id, state, *links in found.values()
    ]


def as_state(value: str | State) -> State:
    state: State = json.loads(value) if isinstance(value, str) else value
    return state


def of_subscription(one_of: str) -> StoredQuery:
    """SQL by hand: the indexes on the links leave out the empty ones, and are only used where a statement says so too,
    literally.

    Args:
        one_of: how a column is looked up among what a subquery finds. PostgreSQL joins subqueries by plans that may
            read whole tables; an array it looks up in the index, whatever it knows.
    """
    table = StripeFact._meta.db_table
    names = ("object", "stripe_id", "state", *LINKS)
    columns = ", ".join(names)

    def linked(link: str, others: str) -> str:
        # Nothing but our own table and column names is put in here.
        every = f"SELECT {columns} FROM {table} WHERE mode = %(mode)s AND "  # noqa: S608
        return f"{every}NOT ({link} = '') AND {link} {one_of.format(f'SELECT {others}')}"

    sql = f"""
        WITH own AS (
            SELECT {columns} FROM {table}
            WHERE mode = %(mode)s AND subscription_id = %(subscription_id)s AND NOT (subscription_id = '')
        ), paid AS ({linked("invoice_id", "invoice_id FROM own")})
        SELECT * FROM own UNION ALL SELECT * FROM paid
        UNION ALL {linked("payment_intent_id", "payment_intent_id FROM paid")}
        UNION ALL {linked("charge_id", "charge_id FROM paid")}
        UNION ALL {linked("stripe_id", "customer_id FROM own WHERE object = 'subscription'")}
    """  # noqa: S608
    return StoredQuery("facts", sql, ["mode", "subscription_id"], len(names))


OF_SUBSCRIPTION = {"postgresql": of_subscription("= ANY(ARRAY({}))"), "others": of_subscription("IN ({})")}
register(OF_SUBSCRIPTION["postgresql"].function)


def facts_of_payments(mode: str, payment_intent_ids: Iterable[str]) -> list[StripeFact]:
    """The sessions, refunds, disputes and charges of some payments."""
    return list(StripeFact.objects.filter(mode=mode, payment_intent_id__in=set(payment_intent_ids) - {""}))


def links_to(fact: Fact, mode: str) -> QuerySet[StripeFact]:
    """What is known of the payment that a refund, dispute or charge belongs to."""
    facts = StripeFact.objects.filter(mode=mode, object__in=["checkout.session", "invoice", "invoice_payment"])
    payment_intent_id, charge_id = fact.links.get("payment_intent_id"), fact.links.get("charge_id")
    if payment_intent_id:
        return facts.filter(payment_intent_id=payment_intent_id)
    return facts.filter(charge_id=charge_id) if charge_id else facts.none()


def fact_from(row: StripeFact) -> Fact:
    return Fact(row.object, row.stripe_id, row.state, links_of(row))


def links_of(row: StripeFact) -> dict[str, str]:
    return {link: getattr(row, link) for link in LINKS}


def new_row(fact: Fact, mode: str, subject: Subject | None, sequence: int = 0) -> StripeFact:
    links = {link: fact.links.get(link, "") for link in LINKS}
    return StripeFact(
        mode=mode,
        stripe_id=fact.stripe_id,
        object=fact.object,
        state=fact.state,
        subject=subject,
        fetch_sequence=sequence,
        **links,
    )
