"""A subject's invoices at Stripe, each with the page where Stripe shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from licenzy_django.clock import from_timestamp
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.identity import required_subject_ref
from licenzy_django.models import Subject
from licenzy_django.stripe import client
from licenzy_django.sync.at_stripe import customers_of, one_page

MOST = 100
MOST_CUSTOMERS = 10
"""A subject has several where an earlier one was deleted at Stripe."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice at Stripe. Amounts are in the currency's smallest unit.

    Attributes:
        number: as printed on it; empty if it has none.
        status: Stripe's: ``open``, ``paid``, ``void`` or ``uncollectible``.
        url: Stripe's page, where an open one can be paid; it runs out after some weeks, so ask anew.
        pdf_url: the invoice as a file.
    """

    id: str
    number: str
    status: str
    total: int
    amount_due: int
    amount_paid: int
    currency: str
    created_at: datetime
    url: str | None
    pdf_url: str | None


def invoices(subject: Any, *, limit: int = 20, mode: str | None = None) -> list[Invoice]:
    """The newest invoices of a subject, newest first, asked of Stripe now. Drafts are not among them.

    Args:
        subject: whose: a ref, a request or a user.
        limit: how many at most, 1 to 100.
        mode: ``test`` or ``live``; by default the setting ``MODE``.

    Raises InvalidRequest, StripeUnavailable, StripeRefused, ModeNotConfigured.
    """
    if not 1 <= limit <= MOST:
        raise InvalidRequest(fields={"limit": ["This must be a whole number from 1 to 100."]})
    mode = mode or licenzy_settings().MODE
    row = Subject.objects.filter(mode=mode, subject_ref=required_subject_ref(subject)).first()
    customers = customers_of(row)[-MOST_CUSTOMERS:] if row else []
    found = [invoice for customer_id in customers for invoice in newest(mode, customer_id)]
    shown = [of(invoice) for invoice in found if invoice.get("status") != "draft"]
    # A stable sort: invoices of one second stay in the order in which Stripe lists them, newest first.
    return sorted(shown, key=lambda invoice: invoice.created_at, reverse=True)[:limit]


def newest(mode: str, customer_id: str) -> list[dict[str, Any]]:
    params = {"customer": customer_id, "limit": MOST}
    try:
        rows: list[dict[str, Any]] = client.ask(mode, partial(one_page, "invoices", params))["data"]
    except client.StripeObjectMissing:
        return []
    return rows


def of(invoice: Mapping[str, Any]) -> Invoice:
    return Invoice(
        id=invoice["id"],
        number=invoice.get("number") or "",
        status=invoice.get("status") or "",
        total=invoice["total"],
        amount_due=invoice["amount_due"],
        amount_paid=invoice["amount_paid"],
        currency=invoice["currency"],
        created_at=from_timestamp(int(invoice["created"])),
        url=invoice.get("hosted_invoice_url"),
        pdf_url=invoice.get("invoice_pdf"),
    )
