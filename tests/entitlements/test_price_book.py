"""Which product a price counts as, as a table."""

from __future__ import annotations

from itertools import permutations

import pytest

from licenzy_django.entitlements.terms import PriceBook, PriceSpan, Terms

pytestmark = pytest.mark.rules

PRO, MAX = Terms(product_id=1, kind="subscription"), Terms(product_id=2, kind="subscription")

STILL_PRO = [PriceSpan("p", PRO, since=10)]
TAKEN_OUT = [PriceSpan("p", PRO, since=10, until=20)]
FROM_PRO_TO_MAX = [PriceSpan("p", PRO, since=10, until=20), PriceSpan("p", MAX, since=20)]
WITH_A_GAP = [PriceSpan("p", PRO, since=10, until=20), PriceSpan("p", MAX, since=30)]
AND_BACK = [*FROM_PRO_TO_MAX[:1], PriceSpan("p", MAX, since=20, until=30), PriceSpan("p", PRO, since=30)]
WITHIN_ONE_SECOND = [PriceSpan("p", PRO, since=10, until=10), PriceSpan("p", MAX, since=10)]


@pytest.mark.parametrize(
    ("spans", "made_at", "counts_as"),
    [
        ([], 15, None),
        (STILL_PRO, 9, PRO),
        (STILL_PRO, 10, PRO),
        (STILL_PRO, 99, PRO),
        (STILL_PRO, None, PRO),
        (TAKEN_OUT, 9, PRO),
        (TAKEN_OUT, 19, PRO),
        (TAKEN_OUT, 20, None),
        (TAKEN_OUT, None, PRO),
        (FROM_PRO_TO_MAX, 9, PRO),
        (FROM_PRO_TO_MAX, 19, PRO),
        (FROM_PRO_TO_MAX, 20, MAX),
        (FROM_PRO_TO_MAX, None, MAX),
        (WITH_A_GAP, 19, PRO),
        (WITH_A_GAP, 20, MAX),
        (WITH_A_GAP, 29, MAX),
        (AND_BACK, 15, PRO),
        (AND_BACK, 25, MAX),
        (AND_BACK, 35, PRO),
        (WITHIN_ONE_SECOND, 9, PRO),
        (WITHIN_ONE_SECOND, 10, MAX),
        (WITHIN_ONE_SECOND, None, MAX),
    ],
)
def test_a_price_counts_as_the_product_that_had_it_when_the_item_was_made_or_got_it_first_afterwards(
    spans: list[PriceSpan], made_at: int | None, counts_as: Terms | None
) -> None:
    others = [PriceSpan("other", MAX, since=0)]

    for order in permutations([*spans, *others]):
        assert PriceBook(order).terms_of("p", made_at) == counts_as
