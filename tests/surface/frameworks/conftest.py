import pytest


@pytest.fixture
def compiled_hastily():
    """Compile without most of XLA's optimisations: each program here runs once."""
    import jax

    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
