"""For hosts that test with pytest and pytest-django."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from licenzy_django.testing.double import StripeDouble


@pytest.fixture
def stripe_double(db: None) -> Iterator[StripeDouble]:
    """A Stripe in memory, wired to the app."""
    from licenzy_django.testing.wiring import stripe_double_in_memory

    with stripe_double_in_memory() as double:
        yield double
