"""Start a payment at Stripe. It grants nothing: only a confirmed payment does."""

from licenzy_django.checkout.sessions import StartedCheckout, start

__all__ = ["StartedCheckout", "start"]
