"""How we keep what Stripe said of an object, and how two statements about it become one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

State = dict[str, Any]
Merge = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One Stripe object as we keep it: ``state`` is merged or replaced, ``links`` name other objects by column."""

    object: str
    stripe_id: str
    state: State
    links: Mapping[str, str] = field(default_factory=dict)


def ranked(*values: str) -> Merge:
    """The value that stands later in the list wins; one that we do not know stands before all."""
    ranks = {value: rank for rank, value in enumerate(values)}
    return lambda left, right: max(left, right, key=lambda value: (ranks.get(value, -1), str(value)))


def constant(left: Any, right: Any) -> Any:
    """For what never changes once it is there. The tie-break only has to be the same for every order."""
    return max(left, right, key=lambda value: json.dumps(value, sort_keys=True))
