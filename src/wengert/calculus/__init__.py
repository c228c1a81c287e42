"""Derivatives as users ask for them: gradients in both modes, forward mode, partial derivatives, fields."""
