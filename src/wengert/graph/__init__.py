"""Nodes and graphs: the list of operations that a program is."""
