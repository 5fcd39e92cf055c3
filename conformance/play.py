"""Plays scenarios, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import stripe

from conformance import scenarios
from conformance.real import Shelf, StripeAccount
from conformance.scenario import SCENARIOS, Row, Seen, rows_of
from conformance.simulated import SimulatedAccount

__all__ = ["chosen", "on_stripe", "on_the_simulator", "pages", "scenarios"]


def chosen(words: Sequence[str]) -> list[str]:
    return [name for name in SCENARIOS if not words or any(word.lower() in name for word in words)]


def pages(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, SCENARIOS[name].page) for name in names]


def on_the_simulator(names: Iterable[str]) -> list[Row]:
    return [row for name in names for row in SCENARIOS[name].played(SimulatedAccount())]


def on_stripe(
    names: Iterable[str],
    client: stripe.StripeClient,
    *,
    say: Callable[[str], object],
    account: Callable[[stripe.StripeClient, Shelf], StripeAccount] = StripeAccount,
) -> list[Row]:
    """Also where it is interrupted, what was made is removed."""
    shelf, rows = Shelf(client), []
    try:
        for name in names:
            say(f"{name} …")
            rows += of_one(name, lambda: account(client, shelf))
    except KeyboardInterrupt:
        say("Interrupted: what was found so far follows.")
    finally:
        with suppress(stripe.StripeError):
            shelf.clear()
    return rows


def of_one(name: str, account: Callable[[], StripeAccount]) -> list[Row]:
    made: list[StripeAccount] = []

    def play(seen: Seen) -> None:
        made.append(account())
        SCENARIOS[name].play(made[0], seen)

    try:
        return rows_of(name, play)
    finally:
        for each in made:
            each.leave()
