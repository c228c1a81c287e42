"""Texts of LLVM's become functions, wrong ones are refused, and code goes when nobody holds it."""

import ctypes
import gc
import subprocess
import sys
import threading

import numpy as np
import pytest

from wengert.execute.native import engine
from wengert.execute.native.target import ATTRIBUTES

UNAVAILABLE = engine.available()
native = pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)


def text(number: float, name: str = "f") -> str:
    """A function that writes a number where it is told to."""
    return f"""
define void @{name}(ptr %to, i64 %worker) #0 {{
  %all = insertelement <4 x double> zeroinitializer, double {number}, i32 0
  store <4 x double> %all, ptr %to, align 8
  ret void
}}
attributes #0 = {{ {ATTRIBUTES} }}
"""


def called(library: engine.Library, name: str = "f") -> float:
    to = np.full(4, np.nan)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(library.address(name))(to.ctypes.data, 0)
    assert (to[1:] == 0).all()
    return float(to[0])


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-P", *options, "-c", program], capture_output=True, text=True, timeout=60)


@native
def test_functions_of_many_texts_side_by_side():
    libraries = [engine.compiled(text(float(i)) + text(i + 0.5, "g").replace("attributes", ";"), ["f", "g"]) for i in range(4)]
    assert [(called(one), called(one, "g")) for one in libraries] == [(i, i + 0.5) for i in range(4)]


@native
@pytest.mark.parametrize(
    "wrong, said",
    [
        ("define void @f(", "LLVM refuses a text"),
        ("define i32 @f() {\n  ret void\n}", "LLVM refuses a text"),
        # What the parser takes and the verifier does not.
        ("define void @f() {\n  %x = add i8 %y, 1\n  %y = add i8 1, 1\n  ret void\n}", "does not dominate"),
        ("define void @g() {\n  ret void\n}", "no function f"),
        ("declare void @f()", "no function f"),
        ("declare void @abort()\ndefine void @f() {\n  call void @abort()\n  ret void\n}", "abort, which it does not define"),
    ],
)  # fmt: skip
def test_a_wrong_text_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        engine.compiled(wrong, ["f"])


@native
def test_code_is_freed_with_its_library(monkeypatch):
    freed = []
    host = engine._host()
    link = type(host).link

    def watched(self, code):
        made = link(self, code)
        close = made.close
        made.close = lambda: (freed.append(made), close())
        return made

    monkeypatch.setattr(type(host), "link", watched)
    one, two = engine.compiled(text(1.0), ["f"]), engine.compiled(text(2.0), ["f"])
    assert engine.compiled(text(1.0), ["f"]) is one
    del one
    gc.collect()
    assert not freed
    engine._compiled.cache_clear()
    gc.collect()
    assert len(freed) == 1
    assert called(two) == 2.0
    # While another thread compiles, it waits for the next that compiles.
    held, done = threading.Event(), threading.Event()

    def hold():
        with engine._lock:
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    del two
    gc.collect()
    assert len(freed) == 1 == len(engine._dead)
    done.set()
    thread.join(20)
    three = engine.compiled(text(3.0), ["f"])
    assert len(freed) == 2
    assert called(three) == 3.0


@native
def test_many_threads_compile_at_once():
    found = {}

    def work(i):
        for j in range(5):
            found[i, j] = called(engine.compiled(text(10.0 * i + j), ["f"]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {(i, j): 10.0 * i + j for i in range(6) for j in range(5)}


@native
def test_the_target_has_the_vectors_of_the_processor():
    target = engine.target()
    assert tuple(target) in {(64, 32), (32, 16), (16, 16), (16, 32)}
    assert (target.registers == 32) == (target.bytes == 64 or engine.is_arm())
    # A product and a sum in one instruction of the widest vectors: nothing is called, nothing is split.
    n = target.lanes(np.dtype("f4"))
    kind = f"<{n} x float>"
    body = f"""
define void @f(ptr %a) #0 {{
  %x = load {kind}, ptr %a, align 64
  %y = call {kind} @llvm.fma.v{n}f32({kind} %x, {kind} %x, {kind} %x)
  store {kind} %y, ptr %a, align 64
  ret void
}}
declare {kind} @llvm.fma.v{n}f32({kind}, {kind}, {kind})
attributes #0 = {{ {ATTRIBUTES} }}
"""
    host = engine._host()
    written = host._emitter.emit_assembly(host.llvm.parse_assembly(host.complete(body)))
    lines = [line.split("\t") for line in written.splitlines() if line.startswith("\t") and not line.startswith("\t.")]
    assert sum("fma" in line[1] or "fmla" in line[1] for line in lines) == 1
    assert not any(line[1].startswith(("call", "bl")) for line in lines)


def test_importing_it_does_not_import_llvmlite():
    done = run("import sys, wengert.execute.native.engine; print('llvmlite' in sys.modules)")
    assert done.stdout == "False\n", done.stderr


def test_without_llvmlite_it_says_so():
    done = run(
        """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "llvmlite" else find(name, *rest)
from wengert.execute.native import engine
print(engine.available())
try:
    engine.compiled("", [])
except engine.Unavailable as error:
    print(error)
"""
    )
    why = "llvmlite is not installed: `pip install llvmlite`, where there are wheels of it"
    assert done.stdout == f"{why}\nno machine code: {why}\n", done.stderr


@native
def test_a_processor_without_fma_has_no_code():
    done = run(
        """
import llvmlite.binding as llvm
host = llvm.get_host_cpu_features
llvm.get_host_cpu_features = lambda: {**host(), "fma": False}
llvm.get_process_triple = lambda: "x86_64-unknown-linux-gnu"
from wengert.execute.native import engine
print(engine.available())
"""
    )
    assert "has no fused multiply-add" in done.stdout or "does not start here" in done.stdout, done.stderr


@native
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_fork_while_another_thread_compiles_can_compile():
    done = run(
        f"""
import ctypes, os, threading
from wengert.execute.native import engine
source = {text(0.0)!r}

def compile(number):
    library = engine.compiled(source.replace("double 0.0", f"double {{number}}"), ["f"])
    to = (ctypes.c_double * 4)()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(library.address("f"))(ctypes.addressof(to), 0)
    return to[0]

end = threading.Event()

def busy():
    while not end.is_set():
        compile(1.0)

thread = threading.Thread(target=busy)
thread.start()
ended = []
for i in range(15):
    pid = os.fork()
    if pid == 0:
        os._exit(int(compile(float(i))))
    ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
end.set()
thread.join()
print(ended == list(range(15)))
""",
        "-Wignore",
    )
    assert done.stdout == "True\n", done.stderr
