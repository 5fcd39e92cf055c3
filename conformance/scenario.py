"""A scenario: a plain function that plays with an account and compares what it finds with what it expects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import stripe

if TYPE_CHECKING:
    from conformance.account import Account

ENDED, DONE = "how it ended", "played to the end"
NOT_SIMULATED = "not_simulated"
"""Stripe's simulator here refuses by this code what it does not do."""
Play = Callable[["Account", "Seen"], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison."""

    scenario: str
    what: str
    expected: Any
    found: Any

    @property
    def agrees(self) -> bool:
        return bool(self.expected == self.found)


@dataclass(slots=True)
class Seen:
    """What a scenario compares: ``seen("its status", found, "active")``."""

    scenario: str
    rows: list[Row] = field(default_factory=list)

    def __call__(self, what: str, found: Any, expected: Any) -> None:
        self.rows.append(Row(self.scenario, what, as_json(expected), as_json(found)))

    def refused(self, what: str, call: Callable[[], Any], *expected: Any) -> None:
        """That Stripe refuses a call.

        Args:
            expected: the HTTP status, then the error's ``code`` (None where it has none).
        """
        try:
            call()
        except stripe.StripeError as error:
            self(what, (error.http_status, error.code), expected)
        else:
            self(what, "it was done", expected)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Attributes: ``page``: where Stripe's documentation says what is expected."""

    name: str
    page: str
    play: Play

    def played(self, account: Account) -> list[Row]:
        return rows_of(self.name, lambda seen: self.play(account, seen))


# Beside what Stripe refuses, an object without what the scenario reads of it.
ODD = (ArithmeticError, AttributeError, LookupError, TimeoutError, TypeError, ValueError)


def rows_of(name: str, play: Callable[[Seen], object], odd: tuple[type[Exception], ...] = ODD) -> list[Row]:
    """All comparisons. What stops it half-way is one too."""
    seen = Seen(name)
    try:
        play(seen)
    except stripe.StripeError as error:
        why = NOT_SIMULATED if error.code == NOT_SIMULATED else f"{type(error).__name__} {error.code or ''}"
        seen(ENDED, f"{why}: {error.user_message or error}", DONE)
    except odd as error:
        seen(ENDED, f"{type(error).__name__}: {error}", DONE)
    else:
        seen(ENDED, DONE, DONE)
    return seen.rows


SCENARIOS: dict[str, Scenario] = {}


def scenario(page: str) -> Callable[[Play], Play]:
    """Registers a scenario. Its name is the function's."""

    def register(play: Play) -> Play:
        name = play.__name__.replace("_", " ")
        if name in SCENARIOS:
            raise ValueError(f"There is a scenario {name!r} already.")
        SCENARIOS[name] = Scenario(name, f"https://docs.stripe.com/{page}", play)
        return play

    return register


def as_json(value: Any) -> Any:
    """As a report can hold it: sets and tuples as lists, so that a row that was read back is equal."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [as_json(each) for each in value]
    return value
