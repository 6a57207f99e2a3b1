"""Pictures of what the rest of the folder computes."""

__all__: list[str] = []
