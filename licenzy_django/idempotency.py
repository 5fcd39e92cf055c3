"""One key, one effect: what a key may look like, and what makes two requests the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from licenzy_django.exceptions import IdempotencyKeyInvalid, IdempotencyKeyMissing

MAX_LENGTH = 255


def idempotency_key(given: str | None) -> str:
    """The key as it is stored. The IETF draft writes it quoted, Stripe does not: ``"k"`` and ``k`` are the same.

    Raises IdempotencyKeyMissing, IdempotencyKeyInvalid.
    """
    if not given:
        raise IdempotencyKeyMissing()
    key = given[1:-1] if len(given) >= 2 and given[0] == given[-1] == '"' else given
    if not (1 <= len(key) <= MAX_LENGTH) or not all(" " <= character <= "~" for character in key):
        raise IdempotencyKeyInvalid()
    return key


def fingerprint(**request: Any) -> str:
    """A digest of what the request means. Nothing of it can be read back."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
