"""Derivatives, derived from what each operation states."""
