"""The state machine, one file per resource of Stripe."""

__all__: list[str] = []
