"""Did Stripe sign this, and in which mode?"""

from __future__ import annotations

from licenzy_django.conf import licenzy_settings
from licenzy_django.models import Mode

# Each retry is signed anew, so five minutes is enough: https://docs.stripe.com/webhooks#replay-attacks
TOLERANCE_SECONDS = 300


def signed_mode(body: bytes, header: str) -> str | None:
    """The mode whose secret verifies the signature; None if no configured secret does."""
    import stripe

    settings = licenzy_settings()
    for mode in Mode.values:
        for secret in settings.webhook_secrets(mode):
            try:
                text = body.decode()
                stripe.WebhookSignature.verify_header(text, header, secret, tolerance=TOLERANCE_SECONDS)
            except (stripe.SignatureVerificationError, ValueError, TypeError):
                # TypeError: the library compares non-ASCII signatures so; ValueError: the body is not UTF-8.
                continue
            return mode
    return None
