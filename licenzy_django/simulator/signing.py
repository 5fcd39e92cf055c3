"""The Stripe-Signature header, as Stripe makes it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence


def signature_header(body: bytes, secrets: Sequence[str], *, timestamp: int | None = None) -> str:
    """``t=…,v1=…``, with one ``v1`` for each secret, as while a secret is rolled. The time is the real one."""
    moment = int(time.time()) if timestamp is None else timestamp
    signed = f"{moment}.".encode() + body
    parts = [f"t={moment}"]
    parts += [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return ",".join(parts)
