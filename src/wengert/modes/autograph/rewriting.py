"""The source of a function with its control flow as calls of operators; compiled at the lines of the original."""

from __future__ import annotations
import __future__

import ast
import functools
import importlib
import inspect
import itertools
import sys
import types
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from wengert.ground.context import place
from wengert.ground.locks import lock
from wengert.modes.autograph.leaves import ConversionError

if TYPE_CHECKING:
    from wengert.modes.autograph.operators import Operators

__all__ = ["do_not_convert", "function_of", "instantiate", "is_users", "load_malt"]

_ANALYSES = "activity annos liveness reaching_definitions reaching_fndefs"


@functools.cache
def load_malt() -> types.SimpleNamespace:
    """The modules of Malt that are used, imported at the first conversion."""
    converters = (
        "functions break_statements continue_statements return_statements call_trees control_flow "
        "conditional_expressions logical_expressions variables"
    ).split()
    paths = {name: f"malt.pyct.{name}" for name in "anno ast_util cfg naming origin_info parser qual_names".split()}
    paths |= {name: f"malt.pyct.{name}" for name in "inspect_utils transformer".split()}
    paths |= {name: f"malt.pyct.static_analysis.{name}" for name in _ANALYSES.split()}
    paths |= {name: f"malt.converters.{name}" for name in converters}
    paths |= {"converter": "malt.core.converter", "py_builtins": "malt.operators.py_builtins"}
    try:
        modules = {name: importlib.import_module(path) for name, path in paths.items()}
    except ImportError as error:
        raise ConversionError(f"converting control flow needs the package diastatic-malt: {error}") from error
    malt = types.SimpleNamespace(**modules)
    passes = {name: modules[name].transform for name in converters}
    passes |= {
        "control_flow": functools.partial(_control_flow, malt),
        "conditional_expressions": lambda node, _: _Conditionals(malt).visit(node),
    }
    malt.passes = list(passes.values())
    return malt


def _control_flow(malt: Any, node: ast.AST, ctx: Any) -> ast.AST:
    """Malt's pass of this name, with a liveness that knows of variables shared with functions and lambdas.

    What a nested function or lambda reads may be read whenever it is called; what is declared nonlocal or global is
    read after the function ends.
    """
    graphs = malt.cfg.build(node)
    node = malt.qual_names.resolve(node)
    node = malt.activity.resolve(node, ctx, None)
    node = malt.reaching_definitions.resolve(node, ctx, graphs)
    node = malt.reaching_fndefs.resolve(node, ctx, graphs)
    node = malt.liveness.resolve(node, ctx, graphs)
    anno, whole = malt.anno, malt.annos.NodeAnno.ARGS_AND_BODY_SCOPE
    inner = [each for each in ast.walk(node) if each is not node and isinstance(each, (ast.FunctionDef, ast.Lambda))]
    captured: frozenset[Any] = frozenset()
    for each in inner:
        scope = anno.getanno(each, whole, None)
        captured |= frozenset(scope.read - scope.bound) if scope else frozenset()

    class Transformer(malt.control_flow.ControlFlowTransformer):  # type: ignore[misc]
        def _get_block_vars(self, node: ast.AST, modified: Any) -> Any:
            scope = self.state[malt.control_flow._Function].scope
            live = anno.getanno(node, anno.Static.LIVE_VARS_OUT) | captured | scope.globals | scope.nonlocals
            anno.setanno(node, anno.Static.LIVE_VARS_OUT, frozenset(live))
            return super()._get_block_vars(node, modified)

    rewritten: ast.AST = Transformer(ctx).visit(node)
    return rewritten


class _Conditionals(ast.NodeTransformer):
    """Rewrites conditional expressions, nested ones too, and asserts with any message."""

    def __init__(self, malt: Any) -> None:
        self.malt = malt

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return self._placed(_call_of("if_exp", node.test, _thunk(node.body), _thunk(node.orelse)), node)

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        self.generic_visit(node)
        call = _call_of("assert_stmt", node.test, _thunk(node.msg or ast.Constant(None)))
        return ast.Expr(self._placed(call, node))

    def _placed(self, new: ast.expr, node: ast.AST) -> ast.expr:
        basic = self.malt.anno.Basic.ORIGIN
        if self.malt.anno.hasanno(node, basic):
            self.malt.anno.setanno(new, basic, self.malt.anno.getanno(node, basic))
        return new


def _thunk(body: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]), body)


def _call_of(operator: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(ast.Name("ag__", ast.Load()), operator, ast.Load()), list(arguments), [])


class _Prepare(ast.NodeTransformer):
    """Rewrites what Malt does not know into what it knows, and refuses the rest."""

    REFUSED: dict[str, str] = {  # noqa: RUF012
        "NamedExpr": "assignment expressions (:=); assign on a line of its own",
        "Match": "match statements; use if and elif",
        "TryStar": "except*",
        "Yield": "generators",
        "YieldFrom": "generators",
        "Await": "coroutines",
        "AsyncFunctionDef": "coroutines",
        "AsyncFor": "coroutines",
        "AsyncWith": "coroutines",
        "ClassDef": "classes defined inside a function; define them outside",
    }

    def __init__(self, malt: Any, namer: Any, owner: str) -> None:
        self.malt = malt
        self.namer = namer
        self.owner = owner.lstrip("_")

    def visit(self, node: ast.AST) -> Any:
        name = type(node).__name__
        if name in self.REFUSED:
            origin = self.malt.anno.getanno(node, self.malt.anno.Basic.ORIGIN, None)
            line = f"line {origin.loc.lineno}: " if origin else ""
            raise ConversionError(f"{line}cannot rewrite {self.REFUSED[name]}")
        new = super().visit(node)
        if new is not node:
            for each in new if isinstance(new, list) else [new]:
                if not self.malt.anno.hasanno(each, self.malt.anno.Basic.ORIGIN):
                    self._place(each, node)
        return new

    def _place(self, new: ast.AST, node: ast.AST) -> None:
        basic = self.malt.anno.Basic.ORIGIN
        for part in ast.walk(new):
            if not self.malt.anno.hasanno(part, basic) and self.malt.anno.hasanno(node, basic):
                self.malt.anno.setanno(part, basic, self.malt.anno.getanno(node, basic))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        # A variable with an annotation cannot be nonlocal, and the annotation of a local one is never evaluated.
        if node.value is None:
            return ast.Pass()
        self.generic_visit(node)
        return ast.Assign(targets=[node.target], value=node.value, lineno=node.lineno)

    def visit_While(self, node: ast.While) -> Any:
        return self._loop(node)

    def visit_For(self, node: ast.For) -> Any:
        return self._loop(node)

    def _loop(self, node: ast.While | ast.For) -> Any:
        """Writes the `else` of a loop as a flag."""
        self.generic_visit(node)
        if not node.orelse:
            return node
        orelse, node.orelse = node.orelse, []
        flag = self.namer.new_symbol("ag__exhausted", ())
        breaks = _Breaks(flag)
        node.body = list(itertools.chain.from_iterable(_as_list(breaks.visit(part)) for part in node.body))
        if not breaks.found:
            return [node, *orelse]
        test: ast.stmt = ast.If(test=ast.Name(flag, ast.Load()), body=orelse, orelse=[])
        new = [*ast.parse(f"{flag} = True").body, node, test]
        for each in new:
            self._place(each, node)
        return new

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        node.attr = self._mangled(node.attr)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._mangled(node.id)
        return node

    def _mangled(self, name: str) -> str:
        return f"_{self.owner}{name}" if self.owner and name.startswith("__") and not name.endswith("__") else name


class _Breaks(ast.NodeTransformer):
    """Clears a flag before each `break` of one loop."""

    def __init__(self, flag: str) -> None:
        self.flag = flag
        self.found = False

    def visit_Break(self, node: ast.Break) -> list[ast.stmt]:
        self.found = True
        return [*ast.parse(f"{self.flag} = False").body, node]

    def _skip(self, node: ast.AST) -> ast.AST:
        return node

    visit_For = visit_While = visit_FunctionDef = visit_Lambda = _skip


def _as_list(nodes: Any) -> list[Any]:
    return nodes if isinstance(nodes, list) else [nodes]


def _owner(code: types.CodeType) -> str:
    """The class in whose body a function stands, or ''."""
    parts = code.co_qualname.split(".")[:-1]
    while parts and parts[-1] == "<locals>":
        parts = parts[:-2]
    return parts[-1] if parts else ""


def _rewrite(fn: types.FunctionType) -> types.CodeType:
    """Code of a function `inner(ag__)` that returns the converted `fn`, at the lines of the original."""
    malt = load_malt()
    node, source = malt.parser.parse_entity(fn, future_features=())
    malt.origin_info.resolve_entity(node, source, fn)
    namespace = malt.inspect_utils.getnamespace(fn)
    namer = malt.naming.Namer(namespace)
    name = namer.new_symbol("ag__converted", ())
    info = malt.transformer.EntityInfo(name, source, fn.__code__.co_filename, (), namespace)
    ctx = malt.transformer.Context(info, namer, malt.converter.ProgramContext(malt.converter.STANDARD_OPTIONS))

    arguments = node.args  # what defaults and annotations refer to may not be in sight of the new function
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
    arguments.kw_defaults = [default and ast.Constant(None) for default in arguments.kw_defaults]
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if isinstance(node, ast.FunctionDef):
        node.returns = None
        node.decorator_list = []

    node = _Prepare(malt, namer, _owner(fn.__code__)).visit(node)
    graphs = malt.cfg.build(node)
    node = malt.qual_names.resolve(node)
    node = malt.activity.resolve(node, ctx, None)
    node = malt.reaching_definitions.resolve(node, ctx, graphs)
    malt.anno.dup(node, {malt.anno.Static.DEFINITIONS: malt.anno.Static.ORIG_DEFINITIONS})
    for each in malt.passes:
        node = each(node, ctx)
    if isinstance(node, ast.Lambda):
        node = ast.Assign(targets=[ast.Name(name, ast.Store())], value=node)
    else:
        node.name = name
    return _compile(malt, fn, name, node)


def _compile(malt: Any, fn: types.FunctionType, name: str, node: ast.AST) -> types.CodeType:
    # The rewritten tree need not be well formed (contexts of names), its text is: so compile that, at the lines of
    # the nodes that it came from.
    again = ast.parse(ast.unparse(ast.fix_missing_locations(node))).body[0]
    first = fn.__code__.co_firstlineno
    origins = {
        id(after): malt.anno.getanno(before, malt.anno.Basic.ORIGIN, None)
        for before, after in malt.ast_util.parallel_walk(node, again)
    }

    def place(part: ast.AST, line: int) -> None:
        origin = origins.get(id(part))
        line = origin.loc.lineno if origin is not None else line
        if "lineno" in part._attributes:
            located: Any = part
            located.lineno = located.end_lineno = line
            located.col_offset = located.end_col_offset = -1  # not known: a traceback then marks no part of the line
        for child in ast.iter_child_nodes(part):
            place(child, line)

    cells = "".join(f"  {cell} = None\n" for cell in fn.__code__.co_freevars)
    tree = ast.parse(f"def outer():\n{cells}  def inner(ag__):\n    pass\n    return {name}\n  return inner\n")
    outer: Any = tree.body[0]
    inner = outer.body[-2]
    inner.body[0] = again
    place(tree, first)
    if isinstance(again, ast.FunctionDef):
        again.lineno = again.end_lineno = first  # at the first decorator, where inspect looks for the source
    future = functools.reduce(lambda a, b: a | b, (getattr(__future__, f).compiler_flag for f in _FUTURES))
    code = compile(tree, fn.__code__.co_filename, "exec", flags=fn.__code__.co_flags & future, dont_inherit=True)
    scratch: dict[str, Any] = {}
    exec(code, scratch)
    made: types.CodeType = scratch["outer"]().__code__
    return made


_FUTURES = ("annotations", "generator_stop")
_rewritten: weakref.WeakKeyDictionary[types.CodeType, types.CodeType | ConversionError] = weakref.WeakKeyDictionary()
_lock = lock()


def instantiate(fn: types.FunctionType, operators: Operators) -> types.FunctionType:
    """The conversion of `fn`, with its globals, closure and defaults; source is rewritten once per code object."""
    code = fn.__code__
    with _lock:
        inner = _rewritten.get(code)
        if inner is None:
            inner = _rewritten[code] = _try_rewrite(fn)
    if isinstance(inner, ConversionError):
        raise ConversionError(*inner.args) from inner.__cause__
    cells = dict(zip(code.co_freevars, fn.__closure__ or (), strict=True))
    factory = types.FunctionType(inner, fn.__globals__, closure=tuple(cells[name] for name in inner.co_freevars))
    made: types.FunctionType = factory(operators)
    made.__code__ = made.__code__.replace(co_name=code.co_name, co_qualname=code.co_qualname)
    made.__defaults__, made.__kwdefaults__ = fn.__defaults__, fn.__kwdefaults__
    functools.update_wrapper(made, fn)
    del made.__dict__["__wrapped__"]
    do_not_convert(made)
    return made


def _try_rewrite(fn: types.FunctionType) -> types.CodeType | ConversionError:
    kind = "coroutine" if inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn) else ""
    kind = kind or ("generator" if inspect.isgeneratorfunction(fn) else "")
    where = f"{fn.__qualname__} ({place(fn.__code__.co_filename, fn.__code__.co_firstlineno)})"
    if kind:
        return ConversionError(f"cannot convert the control flow of {where}: it is a {kind}")
    # The copy has no __wrapped__, by which inspect would go on to another function.
    bare = types.FunctionType(fn.__code__, fn.__globals__, fn.__name__, None, fn.__closure__)
    try:
        inspect.findsource(bare)
    except (OSError, TypeError) as error:
        return ConversionError(
            f"cannot convert the control flow of {where}: its source is not available; define it in a file, or use "
            f"cond and while_loop in it ({error})"
        )
    try:
        return _rewrite(bare)
    except Exception as error:
        failure = ConversionError(f"cannot convert the control flow of {where}: {error}")
        failure.__cause__ = error
        return failure


_MARK = "__wengert_converted__"
_CALLS = "__wengert_calls__"
F = TypeVar("F", bound=Callable[..., Any])
_SKIPPED = frozenset({"wengert", "numpy", "scipy", "malt", *sys.stdlib_module_names})


def do_not_convert(fn: Callable[..., Any]) -> Any:
    """Marks a function so that `convert` and converted code leave it as it is.

    >>> @do_not_convert
    ... def double(x):
    ...     return x + x
    >>> is_users(double)
    False
    """
    setattr(fn, _MARK, fn.__code__)  # by its code: functools.wraps copies attributes onto other functions
    return fn


def calls(parameter: str) -> Callable[[F], F]:
    """Mark a function of this library that calls a user's function in its place: converted code hands it the converted one.

    Args:
        parameter: its name; it is the first one.
    """

    def mark(fn: F) -> F:
        setattr(fn, _CALLS, parameter)
        return fn

    return mark


def called_by(fn: Callable[..., Any]) -> str | None:
    """Return the name of the parameter that a function calls in its place, None for all but those that `calls` marks."""
    found = getattr(fn, _CALLS, None)
    return found if isinstance(found, str) else None  # of what answers to every name, too


def is_users(fn: types.FunctionType) -> bool:
    """Whether a function is the user's, and not marked to stay as it is."""
    top = str(fn.__globals__.get("__name__", "")).partition(".")[0]
    return top not in _SKIPPED and getattr(fn, _MARK, None) is not fn.__code__


def function_of(fn: Callable[..., Any]) -> tuple[types.FunctionType | None, Any]:
    """The Python function behind a callable, and the object that it is bound to, or None."""
    if isinstance(fn, types.FunctionType):
        return fn, None
    if isinstance(fn, types.MethodType):
        return (fn.__func__, fn.__self__) if isinstance(fn.__func__, types.FunctionType) else (None, None)
    if isinstance(fn, (type, types.BuiltinFunctionType, types.MethodWrapperType)):
        return None, None
    call = type(fn).__call__ if callable(fn) else None
    return (call, fn) if isinstance(call, types.FunctionType) else (None, None)
