"""Every scenario holds on the simulator, as Stripe's documentation says it."""

from __future__ import annotations

import pytest

from conformance import play
from conformance.scenario import SCENARIOS
from conformance.simulated import SimulatedAccount

pytestmark = [pytest.mark.any_database, pytest.mark.once]

LEFT_OUT = {"an item waits for the renewal"}
"""What the simulator refuses by name."""


@pytest.mark.parametrize("name", play.chosen([]))
def test_the_simulator_does_what_the_documentation_says(name: str) -> None:
    rows = SCENARIOS[name].played(SimulatedAccount())

    found = [(row.what, row.expected, row.found) for row in rows if not row.agrees]
    if name in LEFT_OUT:
        [(_, _, why)] = found
        assert why.startswith("not_simulated")
    else:
        assert found == []
        assert len(rows) > 1
