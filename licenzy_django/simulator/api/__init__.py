"""The front that speaks HTTP as Stripe does: paths, forms, errors, idempotency."""

__all__: list[str] = []
