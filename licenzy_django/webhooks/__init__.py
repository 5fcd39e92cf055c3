"""Stripe asks: verify, keep, learn, answer."""
