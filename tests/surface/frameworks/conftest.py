import pytest


@pytest.fixture
def compiled_hastily():
    """Compile without most of XLA's optimisations: each program here runs once."""
    import jax

    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture
def wide():
    """Have PyTorch make models in float64, the same ones in each test."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(before)
