"""The script's own source, compiled so that arrays of one element are numbers where NumPy 1 took them for numbers.

From NumPy 2.4 on, ``'%f' % array([x])``, ``float(array([x]))``, ``math.sqrt(array([x]))`` and ``a[i] = array([x])`` raise. In
the script and in modules of its own, ``a % b`` and the calls ``float(x)``, ``int(x)``, ``complex(x)``, ``math.any(x)`` go through
a function that does what they say, and where that raises, takes arrays of one element by their element; so do ``np.array(x)`` and
``np.asarray(x)`` of lists with such arrays among numbers, which raise since NumPy 1.24, and an array whose items are set. Lines
and columns stay as they are. Functions that are decorated for a compiler, such as Numba's, stay as they are too: it knows ``%``,
but no function of ours.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any, TypeAlias

import numpy as np

from wengert.graph.node import Node
from wengert.ground.types import Array, Dtype, NumPyArray
from wengert.run.notice import Program, note, place

__all__ = ["NAMES", "LocalFinder", "compiled", "ease"]

REMAINDER, NUMBER, ITEMS = "__wengert_remainder__", "__wengert_number__", "__wengert_items__"
GATHERED = "__wengert_gathered__"
KINDS = ("float", "int", "complex")
COMPILERS = ("jit", "njit", "vectorize", "guvectorize")
"""What decorators are called that compile a function."""


Values: TypeAlias = "float | NumPyArray | Sequence[Values]"
"""What lists of numbers and arrays are made of."""


class _Element:
    """An array of one element, as a number where a format wants one, and as itself where it wants text."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __float__(self) -> float:
        return float(self.array.item())

    def __int__(self) -> int:
        return int(self.array.item())

    def __str__(self) -> str:
        return str(self.array)

    def __repr__(self) -> str:
        return repr(self.array)


def _is_one(value: Array | None) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.size == 1


def _told(what: str) -> None:
    note(
        "element",
        f"{what} of an array of one element: NumPy refuses it now, and its element is taken ({place(sys._getframe(2))})",
    )


def remainder(left: Array, right: Any) -> Any:
    """Return ``left % right``; text is formatted with arrays of one element too."""
    try:
        return left % right
    except TypeError:
        if not isinstance(left, str):
            raise
        if _is_one(right):
            eased: Any = _Element(right)
        elif isinstance(right, tuple) and any(map(_is_one, right)):
            eased = tuple([_Element(v) if _is_one(v) else v for v in right])
        elif isinstance(right, Mapping) and any(map(_is_one, right.values())):
            eased = {k: _Element(v) if _is_one(v) else v for k, v in right.items()}
        else:
            raise
        result = operator.mod(left, eased)
        _told("'%'")
        return result


def number(kind: Any, *values: Any) -> Any:
    """Return ``kind(*values)``, of arrays of one element too."""
    try:
        return kind(*values)
    except TypeError:
        if not any(map(_is_one, values)) or not (kind in (float, int, complex) or getattr(kind, "__module__", "") == "math"):
            raise
        result = kind(*[v.item() if _is_one(v) else v for v in values])
        _told(f"{kind.__name__}()")
        return result


def gathered(make: Callable[..., Any], values: Values, *given: Dtype | str, **keywords: Dtype | str | int) -> Any:
    """Return ``make(values, ...)``; lists for `numpy.array` and `numpy.asarray` may hold arrays of one element among numbers."""
    try:
        return make(values, *given, **keywords)
    except (TypeError, ValueError):
        if not any(make is one for one in (np.array, np.asarray)) or not isinstance(values, list | tuple):
            raise
        eased = _elements(values)
        try:
            result = make(eased, *given, **keywords)
        except (TypeError, ValueError):
            result = None
        if result is None:
            raise
        _told(f"np.{make.__name__}()")
        return result


def _elements(values: Values) -> Any:
    """Return lists of lists with the elements of arrays of one element in their places."""
    if isinstance(values, list | tuple):
        return [_elements(v) for v in values]
    return values.item() if isinstance(values, np.ndarray) and _is_one(values) else values


class _Items:
    """An array whose items are set, by arrays of one element too."""

    __slots__ = ("array",)

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __getitem__(self, key: Any) -> Any:
        return self.array[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        try:
            self.array[key] = value
        except (TypeError, ValueError):
            if not hasattr(value, "__array__") or np.size(value) != 1 or np.ndim(self.array[key]):
                raise
            self.array[key] = np.asarray(value).item()
            _told("a[i] = x")


def items(holder: Any) -> Any:
    """Return what sets the items of a holder: the holder, unless it is an array."""
    return _Items(holder) if isinstance(holder, np.ndarray) else holder


NAMES = {REMAINDER: remainder, NUMBER: number, ITEMS: items, GATHERED: gathered}
"""What the compiled source finds among its globals."""


def _eased(node: Node) -> Any:
    """Return what stands in a node's place; its operands stay as they are."""
    match node:
        case ast.BinOp(left, ast.Mod(), right) if not isinstance(left, ast.Constant) or isinstance(left.value, str):
            return _call(REMAINDER, node, left, right)
        case ast.Call(ast.Name(kind) as function, [argument], []) if kind in KINDS:
            if not isinstance(argument, ast.Constant | ast.Starred):
                return _call(NUMBER, node, function, argument)
        case ast.Call(ast.Attribute(ast.Name("math")) as function, [_, *_] as arguments, []):
            if not all(isinstance(a, ast.Constant) for a in arguments):
                return _call(NUMBER, node, function, *arguments)
        case ast.Call(ast.Attribute(ast.Name(), "array" | "asarray") as function, [first, *_] as arguments, keywords):
            if not isinstance(first, ast.Starred):
                return _call(GATHERED, node, function, *arguments, keywords=keywords)
        case ast.Subscript(holder, key, ast.Store()) if not isinstance(key, ast.Slice):
            node.value = _call(ITEMS, holder, holder)
    return node


def _call(name: str, like: ast.AST, *arguments: ast.expr, keywords: Sequence[ast.keyword] = ()) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), like)
    return ast.copy_location(ast.Call(function, list(arguments), list(keywords)), like)


def ease(tree: ast.AST) -> None:
    """Replace nodes from the leaves on, without recursion: a sum of a thousand terms is a thousand levels deep."""
    nodes = list(ast.walk(tree))
    others = {id(below) for node in nodes if _is_for_a_compiler(node) for below in ast.walk(node)}
    for parent in reversed([node for node in nodes if id(node) not in others]):
        for field, value in ast.iter_fields(parent):
            setattr(parent, field, [_eased(one) for one in value] if isinstance(value, list) else _eased(value))


def _is_for_a_compiler(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef):
        return False
    named = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return any((one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "")) in COMPILERS for one in named)


def compiled(source: bytes | str, filename: str, eased: bool = True) -> CodeType:
    """Compile a script's source; ``eased``: as the module's documentation says.

    Raises:
        SyntaxError: for what is no Python.
        RecursionError: for what is nested too deeply for Python.
    """
    data = source.encode() if isinstance(source, str) else source
    if (at := data.find(b"\0")) >= 0:  # of which `compile` does not say where it is
        line = data[data.rfind(b"\n", 0, at) + 1 : at].decode(errors="replace")
        raise SyntaxError("source code cannot contain null bytes", (filename, data.count(b"\n", 0, at) + 1, None, line))
    if eased:
        # Python compiles three times as many levels of its own trees as of those that it is given.
        limit = sys.getrecursionlimit()
        try:
            tree: Any = compile(source, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            ease(tree)
            sys.setrecursionlimit(4 * limit)
            return compile(tree, filename, "exec", dont_inherit=True)
        except RecursionError:  # what Python compiles nevertheless runs as it stands
            pass
        finally:
            sys.setrecursionlimit(limit)
    return compile(source, filename, "exec", dont_inherit=True)


class _LocalLoader(importlib.machinery.SourceFileLoader):
    """Loads a module of the script's own; nothing is written beside it."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return compiled(self.get_data(path), path)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(NAMES)
        super().exec_module(module)


class LocalFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of the script's own."""

    def __init__(self, program: Program) -> None:
        """Take the program."""
        self.program = program

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec of a module of the program's own, None for any other."""
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not importlib.machinery.SourceFileLoader or not self.program.owns(spec.origin):
            return None
        spec.loader = _LocalLoader(fullname, str(spec.origin))
        return spec
