"""Stripe asks: verify, answer. What an event does is the inbox's."""
