"""Teachers: whatever can give class probabilities, brought to one contract."""

__all__: list[str] = []
