"""Running lowered lists."""
