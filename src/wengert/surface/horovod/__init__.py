"""Horovod's names, for programs that divide their data themselves: each process computes for itself, and means are exchanged.

`wengert run` serves it as ``horovod``, and what such programs take of ``mpi4py``.
"""
