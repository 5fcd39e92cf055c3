"""Stripe asks: verify, answer. What an event does is the inbox's."""

__all__: list[str] = []
