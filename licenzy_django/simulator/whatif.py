"""What would be, on a store that is thrown away."""

from __future__ import annotations

from .json_tree import Json
from .stores.scratch import ScratchStore
from .world import World


def scratch_of(world: World) -> World:
    """A world that begins as this one is, and of which nothing stays."""
    return World(ScratchStore(world.store, now=world.now), after_retries=world.after_retries)


def drafted(scratch: World) -> Json | None:
    """The first invoice that was made there, as it was then: a draft with the customer's balance weighed in."""
    for event in scratch.store.all("event", type="invoice.created"):
        return event["data"]["object"]  # type: ignore[no-any-return]
    return None
