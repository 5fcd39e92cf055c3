"""A subject's page in the admin."""

__all__: list[str] = []
