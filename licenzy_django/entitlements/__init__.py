"""Facts become entitlements: what each Stripe fact does to them, as rules without a clock, and the rows that follow."""

__all__: list[str] = []
