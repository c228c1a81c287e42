"""What Horovod was built with: its own exchange over sockets, as it were, and nothing else."""

from __future__ import annotations

__all__ = [
    "ccl_built", "cuda_built", "ddl_built", "gloo_built", "gloo_enabled", "mpi_built", "mpi_enabled", "mpi_threads_supported",
    "nccl_built", "rocm_built",
]  # fmt: skip


def gloo_built(verbose: bool = False) -> bool:
    """Whether processes exchange what they have without MPI: yes."""
    return True


def gloo_enabled() -> bool:
    """Whether they do now: yes."""
    return True


def mpi_built(verbose: bool = False) -> bool:
    """Whether they do by MPI: no."""
    return False


def mpi_enabled() -> bool:
    """Whether they do by MPI now: no."""
    return False


def mpi_threads_supported() -> bool:
    """Whether MPI is called by several threads: no."""
    return False


def nccl_built(verbose: bool = False) -> int:
    """Which NCCL there is: none."""
    return 0


def ccl_built(verbose: bool = False) -> bool:
    """Whether there is oneCCL: no."""
    return False


def cuda_built(verbose: bool = False) -> bool:
    """Whether there is CUDA: no."""
    return False


def ddl_built(verbose: bool = False) -> bool:
    """Whether there is DDL: no."""
    return False


def rocm_built(verbose: bool = False) -> bool:
    """Whether there is ROCm: no."""
    return False
