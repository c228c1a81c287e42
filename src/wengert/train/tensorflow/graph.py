"""TensorFlow's graph of objects, as a picture of objects (`wengert.train.objects`).

Both say the same: what an object is called by the objects that hold it, under which key its value stands, and which variable each
slot of an optimizer belongs to. Keras' optimizers say the last by places in lists, and are told here as the others are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wengert.train.objects import Node, checked
from wengert.train.tensorflow.table import reading
from wengert.train.tensorflow.wire import Record

__all__ = ["KEY", "picture"]

KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The name of the string that holds it."""
SLOTS = {"m": "momentum", "u": "norm"}
"""What Keras calls the slots that its lists of them are not called after."""


def picture(data: bytes, keys: Sequence[str], source: str) -> list[Node]:
    """Return the nodes of a picture; ``keys``: those of the values that the file has.

    Raises:
        DataLossError: if it is none.
    """
    nodes: list[Node] = []
    with reading(source):
        for one in Record(data).records(1):
            node: Node = {"children": {held.text(2): held.integer(1) for held in one.records(1)}}
            for value in one.records(2):
                if value.text(1) == "VARIABLE_VALUE":
                    node |= {"value": value.text(3), "name": value.text(2)}
            slots = [[held.integer(1), held.text(2), held.integer(3)] for held in one.records(3)]
            if slots:
                node["slots"] = slots
            nodes.append(node)
        checked(nodes, keys)
    for node in nodes:
        if "_iterations" in node["children"] and "_variables" in node["children"]:
            _optimizer(node, nodes)
    _pruned(nodes)
    return nodes


def _optimizer(node: Node, nodes: Sequence[Node]) -> None:
    """Tell the slots of one of Keras' optimizers by their variables."""
    held = node["children"]
    slots = []
    listed = {int(at): to for at, to in _list(nodes, held, "_trainable_variables")}
    names: dict[str, list[int]] = {}
    for at, one in enumerate(nodes):
        names.setdefault(one.get("name", ""), []).append(at)
    for name in [name for name in held if name not in ("_variables", "_trainable_variables")]:
        for place, to in _list(nodes, held, name):
            # Keras 3 lists the variables. Keras 2 calls a slot after its variable: Adam/m/dense/kernel.
            named = names.get(nodes[to].get("name", "").partition("/")[2].partition("/")[2], ())
            of = listed.get(int(place)) if listed else named[0] if len(named) == 1 else None
            if of is not None and "value" in nodes[to]:
                slots.append([of, _singular(name.lstrip("_")), to])
    told = {to for _, _, to in slots} | {held[name] for name in held}
    if all(to in told for _, to in _list(nodes, held, "_variables")):
        del held["_variables"]
        node["slots"] = [*node.get("slots", []), *slots]
    for name in ("iteration", "learning_rate"):
        others = [other for other in (f"_{name}", f"_{name}s") if other in held]
        if others:
            held[name] = held.pop(others[0])


def _list(nodes: Sequence[Node], held: dict[str, int], name: str) -> Iterator[tuple[str, int]]:
    """Iterate over the places and the nodes of a list that an object holds."""
    children = nodes[held[name]]["children"] if name in held else {}
    if all(place.isdecimal() for place in children):
        yield from children.items()


def _singular(name: str) -> str:
    """Return the name of a slot whose list has this name.

    >>> _singular("velocities"), _singular("accumulated_grads"), _singular("u")
    ('velocity', 'accumulated_grad', 'norm')
    """
    return SLOTS.get(name) or (name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s"))


def _pruned(nodes: Sequence[Node]) -> None:
    """Forget the names that lead to no value: nothing is to wait for them."""
    holders: dict[int, list[int]] = {}
    for at, node in enumerate(nodes):
        for to in (*node["children"].values(), *(slot[2] for slot in node.get("slots", ()))):
            holders.setdefault(to, []).append(at)
    pending = [at for at, node in enumerate(nodes) if "value" in node]
    leading = set(pending)
    while pending:
        for at in holders.get(pending.pop(), ()):
            if at not in leading:
                leading.add(at)
                pending.append(at)
    for node in nodes:
        node["children"] = {name: to for name, to in node["children"].items() if to in leading}
