"""From LLVM's text to code that can be called, by LLVM itself, which comes with llvmlite.

Each text has an engine of its own (MCJIT, the road on which llvmlite is used and tested everywhere; ORC's is switched off in
llvmlite's own tests), so that its code is freed with its `Library`: 70 kB beside the code, and a millisecond. There is one lock
around all that calls LLVM, and forks wait for it. llvmlite is imported when something is first asked of this module.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Protocol

from wengert.execute.native import cache
from wengert.execute.native.target import Target
from wengert.ground.locks import lock

__all__ = ["Library", "Unavailable", "available", "compiled", "is_arm", "target"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

OPTIMIZATION = 2
"""LLVM's level of code generation: at 0, code runs four times slower."""
GENERATION = "1"
"""To be counted up when this module makes other code of a text than before: what is on disk is of no use then."""

KEPT = 128
"""How many texts' code is kept, whether anybody holds it or not: a list that is traced anew finds it."""


class Unavailable(RuntimeError):
    """There is no machine code here; the text says why, and what to do."""


class Engine(Protocol):
    """What LLVM keeps code in."""

    def get_function_address(self, name: str) -> int: ...
    def close(self) -> None: ...


class Host:
    """LLVM, and the processor that it makes code for."""

    def __init__(self) -> None:
        """Start LLVM, which takes 0.1 seconds.

        Raises:
            Unavailable: if there is no LLVM, or none for this processor.
        """
        if importlib.util.find_spec("llvmlite") is None:
            raise Unavailable("llvmlite is not installed: `pip install llvmlite`, where there are wheels of it")
        try:
            llvm = importlib.import_module("llvmlite.binding")
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()
            llvm.initialize_native_asmparser()  # without it, inline assembly ends the process
            llvm.check_jit_execution()
            self.triple: str = llvm.get_process_triple()
            self.cpu: str = llvm.get_host_cpu_name()
            found: dict[str, bool] = llvm.get_host_cpu_features()
            self.features = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(found.items()))
            self._target = llvm.Target.from_triple(self.triple)
            self._emitter = self._machine()
        except (ImportError, OSError, RuntimeError) as error:
            raise Unavailable(f"LLVM does not start here: {error}") from error
        self.llvm: ModuleType = llvm
        self.on = {name for name, on in found.items() if on}
        self.arm: bool = self.triple.startswith(("aarch64", "arm64"))
        self.version = f"llvmlite {importlib.import_module('llvmlite').__version__}, LLVM {llvm.llvm_version_info}"
        self._layout = str(self._emitter.target_data)

    def _machine(self) -> Any:
        return self._target.create_target_machine(cpu=self.cpu, features=self.features, opt=OPTIMIZATION, jit=True)

    def complete(self, text: str) -> str:
        """Return a module's text with the target that it is for."""
        return f'target datalayout = "{self._layout}"\ntarget triple = "{self._emitter.triple}"\n{text}'

    def emit(self, text: str, names: Sequence[str]) -> bytes:
        """Return the object code of a module.

        Raises:
            ValueError: if the text is not a module that defines these functions, or calls others than LLVM's own.
        """
        try:
            module = self.llvm.parse_assembly(text)
            module.verify()  # a thirtieth of the time, and what is wrong would end the process
        except RuntimeError as error:
            raise ValueError(f"LLVM refuses a text: {error}") from error
        with module:
            defined = {f.name: not f.is_declaration for f in module.functions}
            if missing := [n for n in names if not defined.get(n)]:
                raise ValueError(f"the text has no function {', '.join(missing)}")
            # A name that nobody defines ends the process when it is linked.
            if strange := [n for n, here in defined.items() if not here and not n.startswith("llvm.")]:
                raise ValueError(f"the text calls {', '.join(strange)}, which it does not define")
            code: bytes = self._emitter.emit_object(module)
            return code

    def link(self, code: bytes) -> Engine:
        """Return an engine that holds object code, ready to be called."""
        # The engine owns its target machine, and its first module.
        engine = self.llvm.create_mcjit_compiler(self.llvm.parse_assembly(""), self._machine())
        engine.add_object_file(self.llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        made: Engine = engine
        return made


class Library:
    """Functions in machine code. It has to outlive every call of them: their memory goes with it."""

    def __init__(self, engine: Engine, addresses: dict[str, int]) -> None:
        """Take an engine over, and where functions are in it."""
        self._addresses = addresses
        # Not as the interpreter ends: a thread may still be in this code.
        weakref.finalize(self, _retire, engine).atexit = False

    def address(self, name: str) -> int:
        """Return where a function begins."""
        return self._addresses[name]


_lock = lock()
"""Held by whoever calls LLVM: LLVM's own locks, and llvmlite's, are not for forks to copy."""

_dead: deque[Engine] = deque()
"""Engines that nobody has any use for, and that are still to be freed."""


def _retire(engine: Engine, ending: Callable[[], bool] = sys.is_finalizing) -> None:
    if ending():  # names of this module may be gone, and memory goes with the process
        return
    # The collector may run while another thread compiles: who compiles next frees it then.
    _dead.append(engine)
    _free(False)


def _free(wait: bool) -> None:
    if _lock.acquire(wait):
        try:
            while _dead:
                _dead.popleft().close()
        finally:
            _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@functools.cache
def _start() -> Host | str:
    """Return the processor, or why there is no code for it."""
    try:
        host = Host()
    except Unavailable as error:
        return str(error)
    if not host.arm and "fma" not in host.on:  # each would be a call of a function
        return f"this processor ({host.cpu}) has no fused multiply-add"
    return host


def _host() -> Host:
    with _lock:
        host = _start()
    if isinstance(host, str):
        raise Unavailable(f"no machine code: {host}")
    return host


def available() -> str:
    """Return why there is no machine code here; nothing if there is."""
    with _lock:
        host = _start()
    return host if isinstance(host, str) else ""


def is_arm() -> bool:
    """Return whether the processor is an ARM of 64 bits, else it is an x86."""
    return _host().arm


def target() -> Target:
    """Return what vectors the processor has."""
    host = _host()
    if host.arm:
        return Target(16, 32)
    if {"avx512f", "avx512vl"} <= host.on:
        return Target(64, 32)
    return Target(32 if "avx2" in host.on else 16, 16)


def compiled(text: str, names: Sequence[str]) -> Library:
    """Return the functions of a module of LLVM's text that have these names. It takes 10 to 100 us an instruction, once.

    Python's lock is free meanwhile, and other threads' compilations wait.

    Raises:
        Unavailable: if there is no LLVM, or it has no code for this processor.
        ValueError: if LLVM refuses the text, or a name is missing in it.
    """
    with _lock:
        return _compiled(text, tuple(names))


@functools.lru_cache(KEPT)
def _compiled(text: str, names: tuple[str, ...]) -> Library:
    host = _host()
    _free(True)
    key = cache.signature(GENERATION, host.version, host.triple, host.cpu, host.features, *names, text)
    code = cache.load(key)
    if code is None:
        code = host.emit(host.complete(text), names)
        cache.save(key, code)
    engine = host.link(code)
    return Library(engine, {name: engine.get_function_address(name) for name in names})
