"""What actions cost: the setting ``RATES`` makes units of them, and the ledger keeps the rates that were used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from licenzy_django.conf import licenzy_settings
from licenzy_django.db.text import storable
from licenzy_django.exceptions import InvalidRequest, UnitRequired
from licenzy_django.models.units import MAX_UNITS, is_whole

MAX_ACTIONS = 100
MAX_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """What actions cost together.

    Attributes:
        kept: for the ledger, ``{"image": {"times": 2, "rate": 5}}``.
    """

    unit: str
    units: int
    kept: dict[str, dict[str, int]]


def checked_actions(actions: Any) -> dict[str, int]:
    """How often each action was done. Raises InvalidRequest for anything else."""
    if not isinstance(actions, Mapping) or not 1 <= len(actions) <= MAX_ACTIONS:
        raise refused(f"This must name 1 to {MAX_ACTIONS} actions, each with how often it was done.")
    if not all(is_name(name) for name in actions):
        raise refused(f"The name of an action is a text of 1 to {MAX_LENGTH} characters.")
    wrong = [name for name, times in actions.items() if not is_whole(times) or not 1 <= times <= MAX_UNITS]
    if wrong:
        raise refused(f"{names_of(wrong)}: this must be a whole number from 1 to 1,000,000,000.")
    return dict(actions)


def cost_of(actions: Mapping[str, int], unit: str) -> Cost:
    """What actions cost by the rates of now.

    Args:
        unit: whose rates; empty: of the one unit that has rates for all of them.

    Raises:
        UnitRequired: several units have, and none is named.
        InvalidRequest: an action without a rate, or more than 1,000,000,000 units together.
    """
    rates = licenzy_settings().RATES or {}
    unit = unit or unit_of(actions, rates)
    known = rates.get(unit, {})
    unknown = [name for name in actions if name not in known]
    if unknown:
        raise unknown_actions(unknown, known, f" of {unit}")
    kept = {name: {"times": times, "rate": known[name]} for name, times in actions.items()}
    units = units_of(kept)
    if units > MAX_UNITS:
        raise refused(f"They cost {units:,} units together, and the most that one call uses is 1,000,000,000.")
    return Cost(unit, units, kept)


def unit_of(actions: Mapping[str, int], rates: Mapping[str, Mapping[str, int]]) -> str:
    """The unit in which all of the actions have a rate."""
    units = [unit for unit, known in rates.items() if actions.keys() <= known.keys()]
    if len(units) > 1:
        raise UnitRequired(units=sorted(units))
    if units:
        return units[0]
    known = {name for of_unit in rates.values() for name in of_unit}
    if unknown := [name for name in actions if name not in known]:
        raise unknown_actions(unknown, known, "")
    raise refused(f"{names_of(actions)}: no unit has a rate for all of them.")


def units_of(kept: Mapping[str, Mapping[str, int]]) -> int:
    """What was paid for the actions that a row of the ledger keeps."""
    return sum(each["times"] * each["rate"] for each in kept.values())


def unknown_actions(unknown: Iterable[str], known: Iterable[str], where: str) -> InvalidRequest:
    those = f"those that are{where}: {names_of(sorted(known))}." if known else f"there are none{where}."
    return refused(f"{names_of(unknown)}: not known; {those}")


def names_of(actions: Iterable[str]) -> str:
    return ", ".join(actions)


def refused(problem: str) -> InvalidRequest:
    return InvalidRequest(fields={"actions": [problem]})


def is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_LENGTH and storable(name) == name
