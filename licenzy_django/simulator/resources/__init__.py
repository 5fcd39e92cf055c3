"""The state machine, one file per resource of Stripe."""
