"""Signed as the Standard Webhooks specification says: https://www.standardwebhooks.com"""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_BYTES = 32


def new_secret() -> str:
    """The specification asks for 24 to 64 random bytes."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def headers_of(event_id: str, body: bytes, signing_secrets: list[str], *, at: datetime) -> dict[str, str]:
    """The three headers, with one signature for each secret.

    Args:
        at: the real time of this try, which receivers compare with their own clock; not the app's ``CLOCK``.
    """
    text, at = body.decode(), at.astimezone(UTC)
    signatures = [Webhook(secret).sign(event_id, at, text) for secret in signing_secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
