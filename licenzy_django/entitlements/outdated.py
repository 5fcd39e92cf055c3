"""Facts that an earlier version of ours kept, which say less than is needed now: fetched again, then derived from.

Whatever rebuilds a subscription comes through ``with_complete_facts``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from licenzy_django.stripe.invoices import whole_invoices
from licenzy_django.stripe.objects import Fact

Result = TypeVar("Result")


class FactsOutdated(Exception):
    """An earlier version of ours stored less of these invoices than is needed now: fetch them, and try again."""

    def __init__(self, mode: str, invoice_ids: Sequence[str]) -> None:
        super().__init__(f"{len(invoice_ids)} invoices were stored by an earlier version")
        self.mode = mode
        self.invoice_ids = invoice_ids


def with_complete_facts(run: Callable[[Sequence[Fact]], Result]) -> Result:
    """Run what rebuilds; where it raises FactsOutdated, ask Stripe and run it again, once for each subscription.

    Args:
        run: rebuilds in a transaction of its own, after it has saved the invoices that it is given.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured.
    """
    invoices: list[Fact] = []
    while True:
        try:
            return run(tuple(invoices))
        except FactsOutdated as outdated:
            invoices += whole_invoices(outdated.mode, outdated.invoice_ids)
