"""What was sold, and as which product a price counts. Pure: without clock and database. Times are Unix seconds, UTC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Terms:
    """What a product gives, as it was sold."""

    product_id: int
    kind: str
    units: int | None = None
    unit: str = ""
    duration_days: int | None = None
    valid_days: int | None = None
    grace_days: int = 0
    features: tuple[str, ...] | None = None
    limits: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The units that a subscription includes for each window of time that was paid.

    Attributes:
        units: for each window.
        every: how long a window is: ``period``, ``month`` or ``week``.
        per: ``quantity``, or ``subscription`` for once whatever the quantity.
        rollover_units: how many of what is left of a window stay usable after it.
        rollover_windows: for how many more windows.
        trial_units: for the line of a trial, which is one window.
    """

    unit: str
    units: int
    every: str = "period"
    per: str = "quantity"
    rollover_units: int = 0
    rollover_windows: int = 0
    trial_units: int = 0


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """A price counted as a product from ``since`` on, and up to ``until``; None means still."""

    price: str
    terms: Terms
    since: int
    until: int | None = None

    def includes(self, at: int) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class PriceBook:
    """Which product a price counts as.

    Args:
        spans: the history of prices, in any order. Those of one price never overlap.
    """

    def __init__(self, spans: Iterable[PriceSpan] = ()) -> None:
        self.spans_of: dict[str, list[PriceSpan]] = defaultdict(list)
        for span in sorted(spans, key=lambda span: (span.since, span.until is None, span.until or 0)):
            self.spans_of[span.price].append(span)

    def terms_of(self, price: str, at: int | None) -> Terms | None:
        """The terms of the product that a price counts as, or None if it counts as none.

        The product counts that had the price when Stripe made the item, else the first that got it afterwards.

        Args:
            at: when Stripe made the item. None means unknown: then the product counts that got the price last.
        """
        spans = self.spans_of.get(price, [])
        if at is None:
            return spans[-1].terms if spans else None
        had_it = [span for span in spans if span.includes(at)]
        got_it_later = [span for span in spans if span.since > at]
        return next((span.terms for span in [*had_it[-1:], *got_it_later]), None)
