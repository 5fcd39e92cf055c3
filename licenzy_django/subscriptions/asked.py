"""What is asked of a subscription, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from licenzy_django.checkout.order import NOT_A_QUANTITY, is_quantity
from licenzy_django.db.text import storable
from licenzy_django.exceptions import InvalidRequest, ProductNotFound
from licenzy_django.subscriptions.rules import WHENS

MOST_ADD_ONS = 20
"""As many items as a subscription can have."""
WRONG_COUNT = "Each must be a product code with a whole number from 1 to 999,999."


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedChange:
    """Attributes:
    to_product_code: empty: the same product.
    quantity: None: as it is.
    when: ``now`` or ``period_end``; empty: what fits the change.
    add: how many of each add-on, by product code.
    """

    product_code: str
    to_product_code: str = ""
    quantity: int | None = None
    when: str = ""
    add: Mapping[str, int] = field(default_factory=dict)

    def validate(self) -> None:
        """Raises InvalidRequest, ProductNotFound (a code that no database can hold)."""
        problems: dict[str, list[str]] = {}
        if self.quantity is not None and not is_quantity(self.quantity):
            problems["quantity"] = [NOT_A_QUANTITY]
        problems |= problems_of_when(self.when, optional=True)
        problems |= problems_of_add(self.add)
        if problems:
            raise InvalidRequest(fields=problems)
        if any(storable(code) != code for code in (self.to_product_code, *self.add)):
            raise ProductNotFound()
        is_same = self.to_product_code in ("", self.product_code)
        if is_same and self.quantity is None and not self.add:
            raise nothing_changes()

    @property
    def details(self) -> dict[str, Any]:
        """Without what was left out."""
        given = {
            "to_product_code": self.to_product_code,
            "quantity": self.quantity,
            "when": self.when,
            "add": dict(self.add),
        }
        return {name: value for name, value in given.items() if value}


def nothing_changes() -> InvalidRequest:
    return InvalidRequest("This would change nothing.")


def problems_of_add(add: Any) -> dict[str, list[str]]:
    if not isinstance(add, Mapping) or len(add) > MOST_ADD_ONS:
        return {"add": [f"This must be an object of at most {MOST_ADD_ONS} product codes."]}
    if not all(isinstance(code, str) and is_quantity(count) for code, count in add.items()):
        return {"add": [WRONG_COUNT]}
    return {}


def problems_of_when(when: Any, *, optional: bool) -> dict[str, list[str]]:
    is_known = when in WHENS or (optional and when == "")
    return {} if is_known else {"when": ["This must be now or period_end."]}
