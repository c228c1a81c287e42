"""Eager and traced execution: variables, tapes, functions, control flow, sessions."""
