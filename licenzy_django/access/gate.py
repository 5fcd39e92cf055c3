"""What a view asks for before it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from licenzy_django.access.decisions import check
from licenzy_django.access.limits import limit
from licenzy_django.exceptions import EntitlementRequired, LimitReached

Count = Callable[[Any], int]
"""How many are in use, by the request."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whom a view lets in. Several questions must all hold.

    Attributes:
        product_codes: any of these products; with nothing else asked for none means any product.
        feature: whatever product gives it.
        limit: the name of a limit that allows one more than are in use.
        in_use: counts them.
    """

    product_codes: tuple[str, ...] = ()
    feature: str = ""
    limit: str = ""
    in_use: Count | None = None

    def __post_init__(self) -> None:
        if bool(self.limit) != (self.in_use is not None):
            raise TypeError("limit and in_use go together: your code counts what is in use.")

    def refusal(self, request: Any) -> EntitlementRequired | LimitReached | None:
        """Why the request is refused, or None."""
        if self.product_codes or self.feature or not self.limit:
            decision = check(request, *self.product_codes, feature=self.feature)
            if not decision:
                return EntitlementRequired(decision=decision)
        if self.in_use is None:
            return None
        found, in_use = limit(request, self.limit), self.in_use(request)
        return None if found.allows(in_use) else LimitReached(limit=found.value, in_use=in_use)
