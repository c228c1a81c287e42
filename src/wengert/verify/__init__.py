"""Derivatives proved: what they are compared with, and whose fault a difference is."""
