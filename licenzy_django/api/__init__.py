"""HTTP clients ask. The only folder that imports Django REST framework."""

__all__: list[str] = []
