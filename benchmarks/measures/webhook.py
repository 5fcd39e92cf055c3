"""A renewal told by Stripe, and told again: through the whole view, all sides taking turns."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.figures import figure, ratio
from benchmarks.sides.process import Side

# vinta does not act on customer.subscription.updated: its renewal is the paid invoice. dj-stripe only mirrors that.
EVENTS = {
    "customer.subscription.updated": ("licenzy", "djstripe"),
    "invoice.paid": ("licenzy", "djstripe", "vinta"),
}
NUMBER_FOR_COUNTING = 9


def measure(
    sides: dict[str, Side], *, rounds: int, events: int, slow_events: int, delays_ms: list[int]
) -> dict[str, Any]:
    """``slow_events`` is how many there are in a round where Stripe is slow."""
    found: dict[str, Any] = {}
    period = 0
    for event_type, names in EVENTS.items():
        found[event_type] = {name: counted(sides[name], event_type, period + 1) for name in names}
        period += 1
        for delay_ms in delays_ms:
            took: dict[str, dict[str, list[float]]] = {name: {"first": [], "again": []} for name in names}
            count = slow_events if delay_ms else events
            for number in range(rounds + 1):
                period += 1
                first = 10 + 40 * period  # subscribers whose history is short yet
                for name in names:
                    answer = sides[name].ask(
                        "webhook",
                        event_type=event_type,
                        numbers=list(range(first, first + count)),
                        period=period,
                        delay_ms=delay_ms,
                    )
                    found[event_type][name]["stripe_calls"] = answer["stripe_calls"]
                    if number:
                        for which, times in took[name].items():
                            times.append(statistics.median(answer[which]))
            for name in names:
                found[event_type][name][f"stripe_at_{delay_ms}_ms"] = {
                    which: {
                        "milliseconds": figure(times),
                        "times_as_long_as_ours": ratio(times, took["licenzy"][which]),
                    }
                    for which, times in took[name].items()
                }
    return found


def counted(side: Side, event_type: str, period: int) -> dict[str, Any]:
    return {
        "statements": side.ask("webhook_statements", event_type=event_type, number=NUMBER_FOR_COUNTING, period=period)
    }
