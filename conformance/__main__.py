"""``make conformance``: plays the scenarios, and says what differs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import django


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where something is not as the documentation says, 2 where nothing was played."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    django.setup()
    # What the simulator is made of needs Django.
    from conformance import play, real, report

    asked = parser().parse_args(arguments)
    names = play.chosen(asked.only)
    if not names:
        print("No scenario has such a name. --list shows them.", file=sys.stderr)
        return 2
    if asked.list:
        print("\n".join(f"{name}\t{page}" for name, page in play.pages(names)).expandtabs(64))
        return 0
    key = os.environ.get("STRIPE_TEST_SECRET_KEY", "")
    if key and not agreed(real.checked(key), real.WILL_MAKE, len(names), yes=asked.yes):
        return 2
    if key and (problem := real.problem_of(real.client_of(key))):
        print(problem, file=sys.stderr)
        return 2
    sides = {"simulator": play.on_the_simulator(names)}
    if key:
        sides["stripe"] = play.on_stripe(names, real.client_of(key), say=print)
    if asked.browser:
        from conformance.browser import played

        sides |= played(key)
    print(report.table(sides), report.summary(sides), sep="\n\n")
    report.save(sides, asked.output)
    print(f"\nAll comparisons are in {asked.output}; it has no key and no id of your account.")
    return 0 if all(map(report.is_well, sides.values())) else 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="conformance", description="Does the simulator, and does Stripe, do what we expect?"
    )
    made.add_argument("--only", nargs="*", default=[], metavar="WORD", help="scenarios whose name has one of these")
    made.add_argument("--list", action="store_true", help="the scenarios, with the page of Stripe's that each rests on")
    made.add_argument("--yes", action="store_true", help="do not ask before Stripe is used")
    made.add_argument("--browser", action="store_true", help="pay real Checkout pages too, in Chromium")
    made.add_argument("--output", type=Path, default=Path("conformance.json"), help="the file (conformance.json)")
    return made


def agreed(key: str, will_make: str, count: int, *, yes: bool, ask: Callable[[str], str] = input) -> bool:
    """Whether Stripe may be used. Nothing is asked of it before."""
    print(
        f"{count} scenarios, first on the simulator, then at Stripe, with the key that ends in {key[-4:]}.\n{will_make}"
    )
    if yes:
        return True
    try:
        return ask("Go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main())
