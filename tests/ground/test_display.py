"""What a notebook shows: HTML that is well formed, without script, escaped, cut; and looking at an object changes nothing."""

import base64
import io
import tracemalloc
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import wengert as tf
from wengert.derive.choice import Choice
from wengert.ground import context, display
from wengert.ground.displayed import displayed
from wengert.run.explain import Explanation
from wengert.tensor.drawn import MOST
from wengert.tensor.tensor import EagerTensor
from wengert.verify import check
from wengert.verify.findings import Fault, Row
from wengert.verify.report import Report

v1 = tf.compat.v1
keras = tf.keras

ALLOWED = set(
    "div style p strong span code pre table thead tbody tr th td details summary svg g title rect text path circle tspan".split()
)
HOSTILE = ["<img src=x onerror=alert(1)>", "\"'></table><script>alert(1)</script>", "\u202eevil\u2069", "a&b;\x1b[31m"]


STILL = "data:image/svg+xml;base64,"


def still(attributes: dict[str, str | None]) -> ElementTree.Element:
    """Return the picture of an `img`, which is whole in its address, has nothing that could act, and asks nobody for anything."""
    assert set(attributes) <= {"class", "alt", "width", "height", "src"} and attributes["class"] == "still"
    source = attributes["src"] or ""
    assert source.startswith(STILL)
    text = base64.b64decode(source.removeprefix(STILL), validate=True).decode()
    found = ElementTree.fromstring(text)
    for element in found.iter():
        space, _, tag = element.tag.rpartition("}")
        assert space == "{http://www.w3.org/2000/svg" and tag in ALLOWED
        assert not [name for name in element.attrib if name.startswith("on") or name in ("href", "src", "id") or "}" in name]
        assert "style" not in element.attrib or element is found
    assert text.count("http") == 1 and "url(" not in text and "@import" not in text
    return found


class Shown(HTMLParser):
    """What is shown: tags with their attributes, the text outside of styles, and rows of cells."""

    def __init__(self, markup: str | None) -> None:
        super().__init__()
        assert markup is not None
        self.markup, self.open, self.tags, self.text = markup, [], [], ""
        self.rows: list[list[str]] = []
        self.feed(markup)
        self.close()
        assert self.open == []
        assert {tag for tag, _ in self.tags} <= ALLOWED | {"img"}
        self.stills = [still(attributes) for attributes in self.of("img")]
        assert len(self.stills) == len(self.of("svg"))
        for attributes in (attributes for tag, attributes in self.tags if tag != "img"):
            assert not [name for name in attributes if name.startswith("on") or name in ("href", "src", "style", "id")]
        assert "http" not in markup and "\u202e" not in markup and "\x1b" not in markup

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "img":
            return
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data
            if self.open and ("td" in self.open or "th" in self.open):
                self.rows[-1][-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


# --- values -----------------------------------------------------------------------------------------------------------------


def test_a_matrix_is_a_table_with_its_shape_and_dtype():
    shown = Shown(tf.constant([[1.5, -2.0], [float("nan"), 4e-9]])._repr_html_())
    assert "tf.Tensor shape (2, 2) dtype float32" in shown.text
    assert shown.rows == [["", "0", "1"], ["0", "1.5", "-2"], ["1", "nan", "4e-09"]]
    assert [a.get("class") for a in shown.of("td")] == [None, None, "odd", None]


@pytest.mark.parametrize(
    "value, text",
    [(3.14159265358979, "3.1415927"), (True, "True"), (7, "7"), (1 + 2j, "(1+2j)"), ("<b>", "b'<b>'"),
     (np.zeros((0, 3)), "no elements")],
)  # fmt: skip
def test_a_value_without_a_table(value: Any, text: str):
    shown = Shown(tf.constant(value)._repr_html_())
    assert text in shown.text and not shown.rows


def test_a_large_one_is_shown_by_its_corner_and_nothing_else_is_copied():
    tensor = EagerTensor(np.broadcast_to(np.float32(1), (100, 1000, 1000)))
    Shown(tensor._repr_html_())  # what is imported for it is there
    tracemalloc.start()
    try:
        shown = Shown(tensor._repr_html_())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000 and len(shown.markup) < 20_000
    assert "memory 400 MB" in shown.text and "[0, :, :], the first of 100 matrices." in shown.text
    assert shown.rows[0] == ["", "0", "1", "2", "3", "…", "997", "998", "999"]
    assert [row[0] for row in shown.rows[1:]] == ["0", "1", "2", "3", "4", "5", "…", "997", "998", "999"]


def test_what_is_written_for_a_value():
    assert display.number(np.float32(0.1)) == "0.1" and display.number(b"a") == "b'a'" and display.number(np.int8(-3)) == "-3"
    assert display.cut("x" * 300) == "x" * 199 + "…"


def test_a_picture_stands_beside_each_svg_for_where_svg_and_styles_are_taken_away():
    graph = v1.Graph()
    with graph.as_default():
        tf.tanh(v1.placeholder(tf.float32, [None, 2])) + 1.0
    shown = Shown(graph._repr_html_())
    (svg,), (image,), (alone,) = shown.of("svg"), shown.of("img"), shown.stills
    assert image["alt"] == svg["aria-label"] == "The list of operations as a graph, 3 operations"
    assert (image["width"], image["height"]) == (svg["width"], svg["height"])
    words = [element.text for element in alone.iter() if element.get("class") == "operation"]
    assert words == ["placeholder", "tanh", "add"]
    rules = next(alone.iter("{http://www.w3.org/2000/svg}style")).text or ""
    assert ".node rect" in rules and ".wrong" not in rules and "--soft:" in alone.get("style", "")
    assert ".wengert.wengert .still{display:none}" in shown.markup


# --- hostile names ----------------------------------------------------------------------------------------------------------


def hostile(name: str) -> dict[str, Any]:
    """One of each that a user gives names to."""
    graph = v1.Graph()
    with graph.as_default():
        variable = v1.Variable(1.0, name="v")
        variable._name = name
        node = v1.placeholder(tf.float32).op
        node.name = name
    eager = tf.Variable(1.0, name=name)
    with tf.GradientTape() as tape:
        tape.watch(eager)
    explanation = Explanation()
    explanation.choices = [Choice(name, name, "taylor", 2, 1, 3.0, 5.0, name)]
    explanation.notes, explanation.operations = [(name, name)], [3]
    fault = Fault("wrong rule", name, name, name, name)
    row = Row(name, name.replace(" ", "_"), 1, "tape", "float64", "wrong", 1.0, 2.0, 0.0, name)
    layer = keras.layers.Dense(1)
    model = keras.Sequential([keras.layers.Input((2,)), layer])
    layer._name = model._name = name
    history = keras.callbacks.History()
    history.epoch, history.history = [0, 1], {name: [2.0, 1.0]}
    return {
        "text": tf.constant([name]), "variable": eager, "graph variable": variable, "symbolic": node.outputs[0], "tape": tape,
        "explain": explanation, "check": Report([row], [fault], [name], [(0, name, name, [])]),
        "model": model, "history": history, "dataset": tf.data.Dataset.from_tensors({name: 1.0}),
        "sparse": tf.SparseTensor([[0]], [name], [2]), "why": type(tf.why(tf.floor(eager), eager))(name),
    }  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_escaped(name: str):
    for kind, value in hostile(name).items():
        shown = Shown(value._repr_html_())
        assert not shown.of("script"), kind  # and each `img` is one of ours: `still`
        assert "alert(1)" not in name or "alert(1)" in shown.text or "alert(1)" in str(shown.tags), kind


# --- graphs, symbols, tapes -------------------------------------------------------------------------------------------------


def test_a_symbolic_tensor_tells_where_it_was_made():
    with v1.Graph().as_default() as graph:
        y = tf.tanh(v1.placeholder(tf.float32, [None, 2], name="x"), name="y")
        count = len(graph.nodes)
        shown = Shown(y._repr_html_())
        assert len(graph.nodes) == count
    assert "y:0 shape (None, 2) dtype float32" in shown.text
    assert shown.rows[0] == ["operation", "Tanh"] and "test_display.py" in shown.rows[1][1] and 'name="y"' in shown.rows[1][1]
    assert shown.rows[2] == ["reads", "x:0"]


def test_a_graph_is_drawn():
    with v1.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32)
        tf.sin(x) * tf.cos(x) + 1.0
        count = len(graph.nodes)
        shown = Shown(graph._repr_html_())
        assert len(graph.nodes) == count
    assert [a["aria-label"] for a in shown.of("svg")] == ["The list of operations as a graph, 5 operations"]
    assert len(shown.of("rect")) == 5 and len([a for a in shown.of("path") if a.get("class") == "tip"]) == 5
    assert "open" in shown.of("details")[0]


def test_a_large_graph_is_cut_and_folded():
    with v1.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32)
        for _ in range(300):
            x = tf.sin(x)
    shown = Shown(graph._repr_html_())
    assert len(shown.of("rect")) == MOST and "The first 120 of 301 operations are shown." in shown.text
    assert "open" not in shown.of("details")[0]


def test_a_tape_tells_what_it_watches_and_is_not_told_of_the_look():
    x, v = tf.constant([1.0, 2.0]), tf.Variable(2.0, name="v")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sin(x) * 3.0
        before = len(tape.entries), len(context.left), len(context.recent), set(tape.live)
        Shown(v._repr_html_())
        Shown(x._repr_html_())
        assert "state recording" in Shown(tape._repr_html_()).text
        assert (len(tape.entries), len(context.left), len(context.recent), set(tape.live)) == before
        assert tape.watched_variables() == ()
        y = y * v
    shown = Shown(tape._repr_html_())
    assert "persistent no operations 3" in shown.text
    assert ["variable", "v:0", "()", "float32"] in shown.rows and ["tensor", "", "(2,)", "float32"] in shown.rows
    assert ["Sin", "1"] in shown.rows
    assert tape.gradient(y, x) is not None
    assert "state used up" in Shown(tape._repr_html_()).text


def test_a_value_that_waits_to_be_restored_waits_on(monkeypatch: pytest.MonkeyPatch):
    from wengert.modes import variable

    v = tf.Variable([1.0])
    asked: list[str] = []

    class Waiting:
        def look(self) -> None:
            asked.append("look")

    monkeypatch.setattr(variable, "awaited", [Waiting()])
    Shown(v._repr_html_())
    assert asked == []
    assert v.storage is not None and asked == ["look"]


def test_what_cannot_be_shown_is_shown_as_text():
    class Broken:
        @displayed
        def _repr_html_(self) -> str:
            raise ValueError("no")

    assert Broken()._repr_html_() is None


# --- results ----------------------------------------------------------------------------------------------------------------


def test_explain_shows_the_plan_of_each_derivative():
    with Explanation() as explanation, tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 1])
        u_xx = tf.gradients(tf.gradients(tf.sin(x), x)[0], x)[0]
        with v1.Session() as sess:
            sess.run(u_xx, {x: [[0.5], [1.0]]})
    shown = Shown(explanation._repr_html_())
    assert "found 2 by Taylor mode 2 by reverse mode 0" in shown.text
    assert [row[2:5] for row in shown.rows] == [["order", "method", "passes"], ["1", "taylor", "2"], ["2", "taylor", "3"]]
    boxes = [a for a in shown.of("rect") if a.get("width") == "10"]
    assert len(boxes) == 1 + 2  # one for each order
    assert "eager tapes go by reverse mode" in Shown(Explanation()._repr_html_()).text


def test_check_shows_the_verdict_and_the_rule():
    @tf.custom_gradient
    def cube(x: Any) -> Any:
        return x * x * x, lambda g: g * 2.0 * x * x

    wrong = Shown(check(cube, 2.0, order=1)._repr_html_())
    assert "✗ Wrong." in wrong.text and "custom gradient" in wrong.text and "test_display.py" in wrong.text
    assert "wrong" in [a.get("class") for a in wrong.of("tr")]
    right = Shown(check(tf.tanh, 0.5, order=2)._repr_html_())
    assert "✓ Right." in right.text and ["∂²/∂x²", "2", "right"] in [row[:3] for row in right.rows]
    assert len(right.of("svg")) == 4  # exact, float64, float32, and the list
    assert "? Undecided." in Shown(check(tf.abs, 0.0, order=1)._repr_html_()).text


def test_why_is_a_text_that_is_shown_sentence_by_sentence():
    x = tf.constant(2.0)
    why = tf.why(tf.floor(x), x)
    assert isinstance(why, str) and why.startswith("Floor has no derivative")
    assert why in Shown(why._repr_html_()).text
    assert Shown(type(why)("One. Besides: two.")._repr_html_()).text.split("\n") == [
        "",
        "Why the gradient is NoneOne.Besides: two.",
        "",
    ]


def test_a_model_is_its_summary(capsys: pytest.CaptureFixture[str]):
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(8, name="hidden"), keras.layers.Dense(1, name="out")])
    shown = Shown(model._repr_html_())
    assert shown.rows[1:] == [["hidden (Dense)", "(None, 8)", "40"], ["out (Dense)", "(None, 1)", "9"]]
    assert "Total params: 49 (196.00 B)" in shown.text
    model.summary()
    assert " Total params: 49 (196.00 B)" in capsys.readouterr().out


def test_a_history_is_a_line_and_a_table():
    history = keras.callbacks.History()
    history.epoch = list(range(100))
    history.history = {"loss": [1.0 / (k + 1) for k in range(100)], "val_loss": [1.0] * 10, "bad": [float("nan")] * 100}
    shown = Shown(history._repr_html_())
    assert "epochs 100" in shown.text and len(shown.of("svg")) == 2
    epochs = [row for row in shown.rows if len(row) == 3]
    assert epochs[0] == ["epoch", "loss", "bad"] and epochs[1] == ["1", "1", "nan"] and epochs[6] == ["…", "…", "…"]
    assert epochs[-1] == ["100", "0.01", "nan"] and len(epochs) == 12
    assert "Nothing was logged yet." in Shown(keras.callbacks.History()._repr_html_()).text


def test_a_sparse_tensor_and_a_dataset():
    shown = Shown(tf.SparseTensor([[0, 0], [1, 2]], [1.0, 5.0], [2, 3])._repr_html_())
    assert shown.rows == [["index", "value"], ["0, 0", "1"], ["1, 2", "5"]]
    data = tf.data.Dataset.from_tensor_slices({"x": np.zeros((10, 3)), "y": np.arange(10)}).batch(4)
    shown = Shown(data._repr_html_())
    assert shown.rows[1:] == [["['x']", "(None, 3)", "float64"], ["['y']", "(None,)", "int64"]] and "elements 3" in shown.text


# --- progress in a notebook -------------------------------------------------------------------------------------------------


class Kernel(io.StringIO):
    """What stands for a kernel's output."""

    __module__ = "ipykernel.iostream"


def trained(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, **keywords: Any) -> str:
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    monkeypatch.setattr("sys.stdout", stream)
    model.fit(np.ones((8, 2), "f"), np.ones((8, 1), "f"), batch_size=2, **keywords)
    return stream.getvalue()


def test_few_epochs_have_a_line_each_in_a_notebook(monkeypatch: pytest.MonkeyPatch):
    lines = trained(monkeypatch, Kernel(), epochs=3).split("\n")
    assert lines[::2][:3] == ["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]
    assert [line.rpartition("\r")[2][:3] for line in lines[1::2]] == ["4/4"] * 3


def test_many_epochs_share_one_line_in_a_notebook(monkeypatch: pytest.MonkeyPatch):
    text = trained(monkeypatch, Kernel(), epochs=50)
    assert text.count("\n") == 1 and text.endswith("\n")
    assert text.rpartition("\r")[2].startswith("Epoch 50/50 - 4/4 [====")


def test_the_line_ends_where_training_stops_early(monkeypatch: pytest.MonkeyPatch):
    stop = keras.callbacks.LambdaCallback()
    stop.on_epoch_end = lambda epoch, logs=None: setattr(stop.model, "stop_training", epoch == 3)  # type: ignore[method-assign]
    text = trained(monkeypatch, Kernel(), epochs=50, callbacks=[stop])
    assert text.count("\n") == 1 and text.rpartition("\r")[2].startswith("Epoch 4/50 - 4/4")


def test_verbose_2_and_a_file_have_a_line_for_each(monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as inside:
        assert trained(inside, Kernel(), epochs=30, verbose=2).count("4/4 - ") == 30
    with monkeypatch.context() as inside:
        text = trained(inside, io.StringIO(), epochs=30)
    assert text.count("\n") == 60 and "\r" not in text
    with monkeypatch.context() as inside:
        assert trained(inside, Kernel(), epochs=30, verbose=0) == ""


def test_an_optimizer_of_scipy_shows_one_output_in_a_notebook(monkeypatch: pytest.MonkeyPatch):
    from IPython import display as ipython

    from wengert.ground import progress

    shown: list[str] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            shown.append(data["text/plain"])

    def show(data: dict[str, str], raw: bool, display_id: bool) -> Handle:
        shown.append("new: " + data["text/plain"])
        return Handle()

    monkeypatch.setattr(ipython, "display", show)
    with progress.line("L-BFGS-B") as told:
        told(1.0)
    assert shown == []  # no notebook
    monkeypatch.setattr("sys.stdout", Kernel())
    with progress.line("L-BFGS-B") as told:
        for k in range(1000):
            told(1.0 / (k + 1))
    assert shown[0] == "new: L-BFGS-B: iteration 1, loss 1" and shown[-1] == "L-BFGS-B: iteration 1,000, loss 0.001"
    assert len(shown) < 100


# --- errors in layers -------------------------------------------------------------------------------------------------------


def test_an_error_in_a_layer_names_the_layers_innermost_first():
    class Block(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="block")
            self.inner = keras.layers.Dense(3, name="inner")

        def call(self, x: Any) -> Any:
            return self.inner(x) @ tf.ones((4, 4))

    with pytest.raises(ValueError) as bare:
        tf.ones((2, 3)) @ tf.ones((4, 4))
    with pytest.raises(type(bare.value), match="inner sizes 3 and 4 differ") as caught:
        keras.Sequential([Block()], name="net")(np.ones((2, 5), "f"))
    assert caught.value.__notes__[1:] == [  # the first says where to read of errors of this class
        "in layer block (Block), called with shape (None, 5)", "in layer net (Sequential), called with shape (2, 5)"
    ]  # fmt: skip


def test_keywords_and_several_inputs_are_told_too():
    class Two(keras.layers.Layer):
        def call(self, pair: Any, scale: Any = None) -> Any:
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        Two(name="t\u202e")([tf.ones((2,)), tf.ones((3, 1))], scale=tf.constant(1.0))
    assert str(caught.value) == "'mine'"
    assert caught.value.__notes__ == ["in layer t\\u202e (Two), called with shapes [(2,), (3, 1)], scale: shape ()"]
