"""From LLVM's text to code that can be called: one compiler for the process, kept by the text.

llvmlite is imported when something is first compiled. What it compiles is kept for as long as somebody holds it: lists of the
same structure, whatever they are called and however many rows their values have, share one piece of code.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

from wengert.execute.native.target import Target
from wengert.ground.locks import lock

__all__ = ["Library", "available", "compiled", "target"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

_compiling = lock()
"""LLVM's engine serves one thread at a time."""


KEPT = 128
"""How many pieces of code are kept, whether anybody holds them or not."""


class Library:
    """Compiled code, whose memory goes with it."""

    def __init__(self, engine: Any, module: Any) -> None:
        """Take what LLVM made."""
        self._engine, self._module = engine, module

    def address(self, name: str) -> int:
        """Return the address of a function."""
        return int(self._engine.get_function_address(name))


@functools.cache
def _machine() -> tuple[Any, Any]:
    """Return what makes a description of the processor at hand, and its features by name."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features()
    kind = binding.Target.from_default_triple()

    def described() -> Any:
        return kind.create_target_machine(
            cpu=binding.get_host_cpu_name(), features=features.flatten(), opt=2, codemodel="jitdefault", jit=True
        )

    return described, features


@functools.cache
def available() -> str:
    """Return why nothing can be compiled here; nothing where it can."""
    if importlib.util.find_spec("llvmlite") is None:
        return "llvmlite is not installed (pip install llvmlite)"
    try:
        with _compiling:
            made, features = _machine()
            triple = made().triple
    except Exception as error:
        return f"LLVM does not know this machine: {error}"
    if triple.split("-")[0] in ("x86_64", "amd64") and not features.get("fma"):
        return "the processor has no fused multiply-add"
    return ""


@functools.cache
def target() -> Target:
    """Return what the processor offers."""
    with _compiling:
        _, features = _machine()
    if features.get("avx512f") and features.get("avx512vl"):
        return Target(64, 32)
    if features.get("avx2"):
        return Target(32, 16)
    return Target(16, 32)


def compiled(text: str) -> Library:
    """Return the code of a module; the latest are kept, so that the same text is compiled once.

    Raises:
        RuntimeError: where LLVM does not take the text.
    """
    with _compiling:
        return _compile(text)


@functools.lru_cache(KEPT)
def _compile(text: str) -> Library:
    from llvmlite import binding

    module = binding.parse_assembly(text.replace("ATTRIBUTES", f'"prefer-vector-width"="{8 * target().bytes}"'))
    engine = binding.create_mcjit_compiler(module, _machine()[0]())  # which owns the description
    engine.finalize_object()
    return Library(engine, module)
