"""Units for one run of a view: set aside before it, used after it, with no lock held while it works."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from uuid import uuid4

from django.db import connections

from licenzy_django.exceptions import InsufficientUsage, ReservationClosed
from licenzy_django.ledger import packs
from licenzy_django.usage.consumption import confirm, consume, release, remaining, reserve

logger = logging.getLogger("licenzy_django")


def requests_are_atomic() -> bool:
    """Whether the host has set ``ATOMIC_REQUESTS`` where usage is written."""
    return bool(connections[packs.writer()].settings_dict["ATOMIC_REQUESTS"])


@dataclass(slots=True)
class Payment:
    """``begin`` before the work, ``finish`` after it.

    Inside the transaction of a request (``ATOMIC_REQUESTS``) a reservation would lock the packs until the end of it, so
    there ``begin`` only looks, and ``finish`` takes.
    """

    subject_ref: str
    units: int
    unit: str
    product_code: str
    key: str = field(default_factory=lambda: uuid4().hex)
    reservation_id: str = ""

    def begin(self) -> None:
        """Raises InsufficientUsage if there are too few."""
        if requests_are_atomic() and connections[packs.writer()].in_atomic_block:
            left = remaining(self.subject_ref, unit=self.unit, product_code=self.product_code)
            if left < self.units:
                raise InsufficientUsage(usage_remaining=left)
            return
        reserved = reserve(
            self.subject_ref, self.units, unit=self.unit, product_code=self.product_code, idempotency_key=self.key
        )
        self.reservation_id = reserved.reservation_id

    def finish(self, *, is_used: bool) -> None:
        """Use the units, or give them back."""
        if not self.reservation_id:
            if is_used:
                self.take()
            return
        try:
            if is_used:
                confirm(self.reservation_id, self.units)
            else:
                release(self.reservation_id)
        except ReservationClosed:
            if is_used:
                self.take_late()

    def take(self) -> None:
        consume(self.subject_ref, self.units, unit=self.unit, product_code=self.product_code, idempotency_key=self.key)

    def take_late(self) -> None:
        """The work took longer than the reservation lasted. It is done, so it is paid if that is still possible."""
        try:
            self.take()
        except InsufficientUsage:
            logger.warning("A view worked longer than its units were reserved; %s of them are unpaid", self.units)
