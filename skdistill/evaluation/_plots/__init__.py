"""Numbers, and how they are drawn on axes. Nothing here knows a result or a `Display`."""

__all__: list[str] = []
