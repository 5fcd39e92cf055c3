"""Scenarios of billing, written once and played against the simulator and against Stripe's own test mode.

Each states what Stripe's documentation says will happen, with the page. ``docs/conformance.md`` says how to run them.
"""
