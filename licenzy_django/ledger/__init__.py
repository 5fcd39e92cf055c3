"""The books of units: every movement is a row, and the packs' columns are the sums."""

__all__: list[str] = []
