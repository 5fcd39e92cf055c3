"""The state machine, one file per noun of Stripe."""
