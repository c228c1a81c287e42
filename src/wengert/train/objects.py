"""What an object holds, by name: the picture of a program's objects that a checkpoint keeps beside their values.

A node of a picture says what one object is called by the objects that hold it, under which key its value stands in the file (a
variable), its name, and, for an optimizer, which variable each of its slots belongs to. So a value finds its variable by any
of the roads that led to it, and a slot by its variable rather than by its place.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from wengert.modes.module import Module
from wengert.modes.variable import Variable

__all__ = [
    "OBJECTS",
    "VALUE",
    "Node",
    "checked",
    "child",
    "children",
    "named",
    "picture",
    "picture_of_keys",
    "slot_names",
    "slots",
    "trackable",
    "walk",
]

OBJECTS = "wengert.objects"
"""The entry of a file's metadata that holds a picture of objects, as JSON."""
Node = dict[str, Any]
"""A node of a picture."""
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
"""What TensorFlow's names of values end in."""
SLOT = "/.OPTIMIZER_SLOT/"
"""What stands between the variable's name and the optimizer's in TensorFlow's names of slots."""


def _is_nest(item: Any) -> bool:
    return isinstance(item, Mapping | list | tuple)


def trackable(item: Any) -> bool:
    """Whether an object is a variable, or may lead to some."""
    if isinstance(item, type):
        return False
    return isinstance(item, Variable | Module) or _is_nest(item) or hasattr(item, "_trackable_children")


def children(item: Any) -> dict[str, Any]:
    """Return what an object holds, by name."""
    own = getattr(item, "_trackable_children", None)
    if own is not None and not isinstance(item, type):
        return dict(own())
    if isinstance(item, Mapping):
        return {str(k): v for k, v in item.items()}
    if isinstance(item, list | tuple):
        return {str(i): v for i, v in enumerate(item)}
    return dict(vars(item)) if isinstance(item, Module) else {}


def child(item: Any, name: str) -> Any:
    """Return what an object holds under a name, None if nothing."""
    if isinstance(item, list | tuple):
        return item[int(name)] if name.isdecimal() and int(name) < len(item) else None
    if isinstance(item, Module) and not hasattr(item, "_trackable_children") and name in vars(item):
        return vars(item)[name]
    return named(item).get(name)


def named(item: Any) -> dict[str, Any]:
    """Return what an object holds by every name that a file may have for it, its own names first."""
    others = getattr(item, "_trackable_aliases", None)
    aliases = {} if others is None or isinstance(item, type) else others()
    return {**aliases, **slot_names(item), **children(item)}


def slot_names(item: Any) -> dict[str, Any]:
    """Return an optimizer's slots by the names of their variables, for those that no other object leads to.

    Variables of one name are told apart by their order.
    """
    found: dict[str, Any] = {}
    for variable, slot, kept in slots(item):
        label = name = f"slots/{variable._name}/{slot}"
        count = 1
        while name in found:
            name, count = f"{label}#{count}", count + 1
        found[name] = kept
    return found


def slots(item: Any) -> Any:
    """Return an optimizer's slots as (variable, name of the slot, slot)."""
    own = getattr(item, "_trackable_slots", None)
    return () if own is None or isinstance(item, type) else own()


def _escaped(name: str) -> str:
    return name.replace(".", "..").replace("/", ".S")


def _plain(part: str) -> str:
    return re.sub(r"\.([.S])", lambda found: "." if found[1] == "." else "/", part)


def walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over (path, object), nearest first, each object once; slots last."""
    return iter(_numbered(root)[0])


def _numbered(root: Any) -> tuple[list[tuple[str, Any]], list[dict[str, Any]]]:
    """Return (path, object) and the node of each object, nearest first."""
    found: list[tuple[str, Any]] = [("", root)]
    numbers = {id(root): 0}
    nodes: list[dict[str, Any]] = []

    def enter(path: str, item: Any) -> int:
        at = numbers.setdefault(id(item), len(found))
        if at == len(found):
            found.append((path, item))
        return at

    def finish() -> None:
        while len(nodes) < len(found):
            path, item = found[len(nodes)]
            node: dict[str, Any] = {"children": {}}
            nodes.append(node)
            if isinstance(item, Variable):
                node |= {"value": path + VALUE, "name": item._name}
                continue
            for name, held in sorted(children(item).items()):
                if trackable(held):
                    node["children"][name] = enter(f"{path}/{_escaped(name)}" if path else _escaped(name), held)

    finish()
    for at in range(len(found)):
        path, item = found[at]
        names = {id(kept): name for name, kept in slot_names(item).items()}
        for variable, slot, kept in slots(item):
            of = numbers.get(id(variable))
            if of is None:
                name = names[id(kept)]
                nodes[at]["children"][name] = enter(f"{path}/{_escaped(name)}", kept)
            else:
                there = enter(f"{found[of][0]}{SLOT}{path}/{_escaped(slot)}", kept)
                nodes[at].setdefault("slots", []).append([of, slot, there])
    finish()
    return found, nodes


def picture(root: Any) -> tuple[dict[str, Variable], list[dict[str, Any]]]:
    """Return the variables reached from an object by the keys of a file, and the nodes of all objects, the root first."""
    found, nodes = _numbered(root)
    return {path + VALUE: item for path, item in found if isinstance(item, Variable)}, nodes


def picture_of_keys(keys: Iterable[str]) -> list[dict[str, Any]]:
    """Return the nodes that the keys of a file without a picture tell of."""
    nodes: list[dict[str, Any]] = [{"children": {}}]
    for key in keys:
        at = 0
        for part in key.removesuffix(VALUE).split("/") if key != VALUE else ():
            held = nodes[at]["children"]
            name = _plain(part)
            if name not in held:
                held[name] = len(nodes)
                nodes.append({"children": {}})
            at = held[name]
        nodes[at]["value"] = key
    return nodes


def checked(nodes: Any, keys: Container[str]) -> list[dict[str, Any]]:
    """Return the nodes that a file holds, if each is one and names none but nodes and these keys.

    Raises:
        ValueError: if not.
    """
    if not isinstance(nodes, list) or not nodes:
        raise ValueError("it is no list of nodes")
    for number, node in enumerate(nodes):
        if not isinstance(node, dict) or not isinstance(node.get("children"), dict):
            raise ValueError(f"node {number} has no children")
        held = node.get("slots", [])
        if not isinstance(held, list) or not all(isinstance(s, list) and len(s) == 3 and isinstance(s[1], str) for s in held):
            raise ValueError(f"the slots of node {number} are none")
        for to in (*node["children"].values(), *(s[0] for s in held), *(s[2] for s in held)):
            if type(to) is not int or not 0 <= to < len(nodes):
                raise ValueError(f"node {number} leads to {to!r:.40}, which is no node")
        if "value" in node and not (isinstance(node["value"], str) and node["value"] in keys):
            raise ValueError(f"node {number} has the value {node['value']!r:.40}, which the file has not")
        if not isinstance(node.get("name", ""), str):
            raise ValueError(f"the name of node {number} is none")
    return nodes
