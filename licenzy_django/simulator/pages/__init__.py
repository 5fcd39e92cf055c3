"""The pages that Stripe would host, and the time machine."""

__all__: list[str] = []
