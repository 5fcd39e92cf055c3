"""Law 4 on random histories: told in any order, several times, with crashes, each real change is one outbound event."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from licenzy_django.models import CheckoutAttempt, Entitlement, EntitlementChange, OutboundEvent, StripeFact
from licenzy_django.outbound import endpoints
from tests import test_laws
from tests.test_laws import Story, catalog

pytestmark = pytest.mark.slow

__all__ = ["catalog"]


def told(event_type: str, about: str) -> Counter[str]:
    """How often, by what it was about."""
    payloads = OutboundEvent.objects.filter(type=event_type).values_list("payload", flat=True)
    return Counter(payload[about] for payload in payloads)


class ToldStory(Story):
    """Somebody listens."""

    def __init__(self) -> None:
        super().__init__()
        endpoints.create("test", "https://hooks.example.com/")

    def teardown(self) -> None:
        try:
            while self.pending:
                self.deliver(self.pending.pop(0))
            self.each_change_was_told_once()
        finally:
            super().teardown()

    def each_change_was_told_once(self) -> None:
        changes = EntitlementChange.objects.values_list("entitlement__public_id", flat=True)
        assert told("entitlement.updated", "entitlement_id") == Counter(changes)
        finalized = CheckoutAttempt.objects.filter(status="finalized").values_list("public_id", flat=True)
        assert told("purchase.finalized", "attempt_id") == Counter(finalized)
        sources = set(Entitlement.objects.values_list("source_id", flat=True))
        facts = StripeFact.objects.filter(object="subscription", stripe_id__in=sources)
        over = [fact.stripe_id for fact in facts if fact.state["status"] in ("canceled", "incomplete_expired")]
        ended = told("subscription.deleted", "stripe_subscription_id")
        assert set(over) <= set(ended)
        assert set(ended.values()) <= {1}


@pytest.mark.usefixtures("catalog")
def test_each_change_is_told_once_in_random_histories() -> None:
    run_state_machine_as_test(ToldStory, settings=settings(test_laws.PROFILE, max_examples=25))
