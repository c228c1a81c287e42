"""The public names, compared with a list; and each is what it says.

After a wanted change: `python tests/surface/test_surface.py` writes the list anew, and the difference is read.
"""

import importlib
import inspect
import types
from pathlib import Path

import pytest

import wengert
import wengert.compat.python as python
from wengert.surface.table import TABLE, Names, names, parts
from wengert.tensor.tensor import Tensor

LIST = Path(__file__).parents[1] / "tables" / "public_names.txt"
SUBMODULES = [name for name in parts("") if name not in ("keras", "train")]
PARTS = {"wengert": wengert, "wengert.compat.v1": wengert.compat.v1} | {
    f"wengert.{name}": getattr(wengert, name) for name in SUBMODULES
}


def public(module: object) -> list[str]:
    """The names of a module that are its own: no underscore, and no module that happens to lie in it."""
    given = getattr(module, "__all__", None)
    if given is not None:
        return sorted(given)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name not in ("annotations", "Any", "TYPE_CHECKING")
    )


def listed() -> list[str]:
    return [f"{part}.{name}" for part, module in sorted(PARTS.items()) for name in public(module)]


def test_public_names_are_those_of_the_list():
    expected = LIST.read_text().split()
    assert sorted(set(listed()) - set(expected)) == [], "new: add them by python tests/surface/test_surface.py"
    assert sorted(set(expected) - set(listed())) == [], "gone"


@pytest.mark.parametrize("part", PARTS)
def test_every_listed_name_is_there_and_says_what_it_is(part: str):
    for name in public(PARTS[part]):
        value = getattr(PARTS[part], name)
        if isinstance(value, type) or inspect.isfunction(value):
            assert value.__doc__, f"{part}.{name} has no docstring"


@pytest.mark.parametrize("name", SUBMODULES)
def test_submodules_are_modules(name: str):
    assert isinstance(getattr(wengert, name), types.ModuleType)


@pytest.mark.parametrize(
    "name", ["function", "gradients", "why", "hessian", "jacobian", "print", "abs", "range", "map_fn", "cond"]
)
def test_functions_hide_the_modules_of_their_names(name: str):
    assert inspect.isfunction(getattr(wengert, name))


@pytest.mark.parametrize("name", ["Tensor", "Variable", "GradientTape", "Graph", "Module", "TensorArray", "TensorShape"])
def test_classes(name: str):
    assert isinstance(getattr(wengert, name), type)


def test_names_that_shadow_builtins_are_tensorflows():
    assert wengert.bool.name == "bool"
    assert wengert.compat.v1.Session is wengert.compat.python.session.Session
    assert wengert.compat.v2.function is wengert.function
    assert isinstance(wengert.range(3), Tensor)


@pytest.mark.parametrize("old", ["placeholder", "Session", "log", "matrix_inverse", "AUTO_REUSE", "to_float", "random_normal"])
def test_old_names_are_not_at_the_top(old: str):
    assert not hasattr(wengert, old)
    assert hasattr(wengert.compat.v1, old)


def test_internal_modules():
    for name, table in python._TABLE.items():
        module = python.module(name.split("."))
        for key in table:
            if not key.startswith("_"):
                getattr(module, key)
    assert python.module(["nothing"]) is None
    ops = python.module(["framework", "ops"])
    assert ops.convert_to_tensor([1.0]).dtype == "float32"
    assert python.module(["ops", "math_ops"]).reduce_sum([1.0, 2.0], 0).numpy() == 3.0
    assert python.module(["ops", "gen_math_ops"]).mat_mul([[1.0]], [[2.0]]).numpy() == [[2.0]]


if __name__ == "__main__":
    LIST.write_text("\n".join(listed()) + "\n")


def test_a_public_module_is_where_the_table_says():
    for name, row in TABLE.items():
        public = importlib.import_module(f"wengert.{name}".rstrip("."))
        if name:
            assert getattr(importlib.import_module(f"wengert.{name}".rpartition(".")[0]), name.rpartition(".")[2]) is public
        if isinstance(row, Names):
            assert public.__name__ == f"wengert.{name}".rstrip(".") and public.__doc__
            made = {public: importlib.import_module(f"wengert.{module}") for public, (module, _, _) in names(name).items()}
            for called, (_, inner, call) in names(name).items():
                assert call is not None or getattr(public, called) is getattr(made[called], inner)
        else:
            assert public is importlib.import_module(f"wengert.{row}")
            assert public.__spec__ is not None and public.__spec__.name == f"wengert.{row}"
    importlib.import_module("wengert.compat.contrib.layers")
    assert importlib.import_module("wengert.graph").Graph is wengert.Graph
    for missing in ("math.nothing", "compat.contrib.nothing", "compat.v1.nothing", "nothing"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"wengert.{missing}")


@pytest.mark.parametrize("name", ["wengert", "wengert.math", "wengert.compat.v1"])
def test_what_is_not_there(name: str):
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nothing'"):
        importlib.import_module(name).nothing  # noqa: B018
