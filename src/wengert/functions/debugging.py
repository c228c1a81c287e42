"""Stand-in until the real one is here."""

__all__: list[str] = []
