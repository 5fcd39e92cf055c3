"""What of an event is stored: the fields that a translation may need, and nothing that describes a person."""

from __future__ import annotations

from typing import Any

from licenzy_django.db.text import storable
from licenzy_django.stripe.objects import OBJECTS
from licenzy_django.stripe.objects.session import ATTEMPT_METADATA_KEY

# Named one by one, at any depth: what is not here and in no module of an object is not stored, whatever Stripe adds.
ENVELOPE = (
    "id object type api_version created livemode account context request idempotency_key data previous_attributes"
)
ALLOWED = frozenset(ENVELOPE.split()).union(*(kind.kept for kind in OBJECTS.values()))
# The keys of metadata are the host's own: anything can be in there, so only ours is stored.
ALLOWED_OF = {"metadata": frozenset({ATTEMPT_METADATA_KEY})}
DEEPEST = 32


def redacted(value: Any, names: frozenset[str] = ALLOWED, depth: int = 0) -> Any:
    """The value without what is not named above, and without what a database cannot store."""
    if depth > DEEPEST:
        return None
    if isinstance(value, dict):
        return {
            name: redacted(value[name], ALLOWED_OF.get(name, ALLOWED), depth + 1) for name in value if name in names
        }
    if isinstance(value, list):
        return [redacted(inner, names, depth + 1) for inner in value]
    return storable(value) if isinstance(value, str) else value
