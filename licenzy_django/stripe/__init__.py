"""Stripe's objects: asked for, translated, redacted, and kept as facts."""

__all__: list[str] = []
