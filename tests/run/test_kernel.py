"""`%load_ext wengert`, in one real kernel that all tests here share; and the kernel's spec in another."""

import importlib
import os
import re
import sys
import time
from typing import NamedTuple

import pytest

manager = pytest.importorskip("jupyter_client.manager", reason="kernels are started by jupyter_client")
pytest.importorskip("ipykernel", reason="the kernel is ipykernel's")

import wengert as tf  # noqa: E402
from wengert import cli  # noqa: E402
from wengert.run.served import Served, serve, serve_no_more  # noqa: E402

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Told(NamedTuple):
    out: str
    error: str
    """What stands on standard error, and the traceback."""
    result: str
    number: int


class Cells:
    """A kernel, given cell after cell."""

    def __init__(self, folder, name="python3", specs=()):
        keywords = {}
        if specs:
            spec = importlib.import_module("jupyter_client.kernelspec").KernelSpecManager(kernel_dirs=list(specs))
            keywords["kernel_spec_manager"] = spec
        transport = "tcp" if os.name == "nt" else "ipc"
        self.manager = manager.KernelManager(
            kernel_name=name, transport=transport, connection_file=str(folder / "kernel.json"), **keywords
        )
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=100)

    def __call__(self, cell, during=None, answers=()):
        out, error, result, answers = [], [], [], list(answers)

        def take(message):
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    (out if content["name"] == "stdout" else error).append(content["text"])
                    if during is not None:
                        during(content["text"])
                case "execute_result" | "display_data":
                    result.append(content["data"]["text/plain"])
                case "error":
                    error.append("\n".join(content["traceback"]))

        reply = self.client.execute_interactive(
            cell, output_hook=take, timeout=100, allow_stdin=bool(answers), stdin_hook=lambda _: self.client.input(answers.pop(0))
        )
        shown = COLOURS.sub("", "".join(error))
        return Told("".join(out), shown, "\n".join(result), reply["content"]["execution_count"])

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    cells = Cells(tmp_path_factory.mktemp("kernel"))
    try:
        told = cells("%load_ext wengert")
        assert not told.error
        yield cells
    finally:
        cells.end()


@pytest.fixture
def cell(kernel):
    """The kernel as it is when the extension has just been loaded."""
    told = kernel("%reload_ext wengert\nimport tensorflow as tf, numpy as np\nfrom tensorflow import keras")
    assert not told.error
    return kernel


SESSION = "x = tf.placeholder(tf.float32, [None])\nwith tf.Session() as s: print(s.run(tf.gradients(x * x, x), {x: [3.0]}))"


def test_a_cell_of_tensorflow_1_switches_before_anything_is_computed(cell):
    told = cell(SESSION)
    assert "[6.]" in told.out and "TensorFlow 1's names, in graph mode" in told.error and "%wengert tf2" in told.error
    assert cell("print(tf.executing_eagerly())").out == "False\n"


def test_afterwards_it_is_said_what_to_type_and_names_follow(cell):
    cell("v = tf.constant(1.0)")
    told = cell(SESSION)
    assert "%wengert tf1" in told.error and "tensorflow.compat.v1.placeholder" in told.error
    assert "clean" in cell("%wengert tf1").out
    assert "[6.]" in cell(SESSION).out
    cell("%wengert tf2")
    found = "print(tf.executing_eagerly(), len(tf.compat.v1.get_default_graph().get_operations()), keras.layers.Dense(1).name)"
    assert cell(found).out == "True 0 dense\n"


def test_a_version_is_asked_for_as_in_colab(cell):
    assert "TensorFlow 1's" in cell("%tensorflow_version 1.x").out
    assert "UsageError" in cell("%tensorflow_version x").error


def test_gradients_eagerly(cell):
    told = cell("x = tf.constant([1.0, 2.0])\nprint(tf.gradients(x * x, x)[0].numpy())")
    assert (told.out, told.error) == ("[2. 4.]\n", "")


NONE = "x = tf.constant(2.0)\nwith tf.GradientTape() as t:\n    t.watch(x)\n    y = tf.floor(x)\ng = t.gradient(y, x)"


@pytest.mark.parametrize("head", ["", "%%time\n", "%%time\n\n", "%%capture --no-stderr\n"])
def test_places_are_cells(cell, head):
    told = cell(head + NONE)
    above = head.count("\n")
    assert f"cell {told.number}, line {5 + above}: NoGradientWarning" in told.error
    assert f"passes through it at cell {told.number}, line {4 + above}." in told.error
    assert "ipykernel" not in told.error
    why = f"cell {told.number}, line {4 + above}."
    assert cell("print(tf.why(y, x))").out.rstrip().endswith(why)


WRONG = "def f(a):\n    return tf.matmul(a, a)\nf(tf.zeros([2, 3]))"


def test_our_frames_are_folded(cell):
    told = cell(WRONG)
    assert "return tf.matmul(a, a)" in told.error and "frames of Wengert: %wengert frames on" in told.error
    assert f"cell {told.number}, line 2" in told.error and "tensor.py" not in told.error
    cell("%wengert frames on")
    assert "tensor.py" in cell(WRONG).error


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("from tensorflow import nothing", "tensorflow.nothing is not in Wengert"),
        ("from tensorflow.keras.layers import Dence", "the nearest is tensorflow.keras.layers.Dense"),
        ("import tensorflow.keras.layerz as L", "the nearest is tensorflow.keras.layers"),
        ("from tensorflow import placeholder", "here as tensorflow.compat.v1.placeholder"),
    ],
)
def test_an_import_of_what_is_not_there_says_what_is(cell, line, words):
    cell("v = tf.constant(1.0)")  # so that TensorFlow 1's names do not turn the kernel to it
    error = cell(line).error
    assert words in error and "unknown location" not in error and line in error


def test_a_restart(cell):
    cell("%wengert tf1")
    cell.client.stop_channels()
    cell.manager.restart_kernel(now=False)
    cell.client = cell.manager.client()
    cell.client.start_channels()
    cell.client.wait_for_ready(timeout=100)
    assert "ModuleNotFoundError" in cell("import tensorflow").error
    told = cell("%load_ext wengert\nimport tensorflow as tf\nprint(tf.constant(1.0).numpy())")
    assert (told.out, told.error, told.number) == ("1.0\n", "", 2)


def test_debug_has_the_users_frame(cell):
    cell(WRONG)
    told = cell("%debug", answers=["u", "u", "p a.shape", "q"])
    assert "(2, 3)" in told.out or "TensorShape([2, 3])" in told.out


def test_what_is_mended(cell):
    told = cell("print(np.product([2, 3]), '%.1f' % np.array([1.5]))")
    assert told.out == "6 1.5\n"
    assert f"wengert: np.product is gone, np.prod serves it (cell {told.number}, line 1)" in told.error
    assert cell("%reset -f\nimport numpy as np\nprint('%.1f' % np.array([2.5]))").out == "2.5\n"


def test_a_cell_that_is_run_again_counts_anew(cell):
    first, second = (
        cell("@tf.function\ndef g(x):\n    return x if x > 0.0 else -x\nprint(g(tf.constant(-2.0)).numpy())") for _ in "ab"
    )
    assert first.out == second.out == "2.0\n" and second.number == first.number + 1
    again = cell(NONE), cell(NONE)
    assert f"cell {again[1].number}, line 4" in again[1].error


def test_an_interrupt(cell):
    struck = []

    def strike(text):
        if not struck:
            struck.append(text)
            time.sleep(0.2)
            cell.manager.interrupt_kernel()

    told = cell("print('begun', flush=True)\nv = tf.Variable(0.0)\nwhile True: v.assign_add(1.0)", during=strike)
    assert "KeyboardInterrupt" in told.error
    assert cell("print(float(v) == int(v))").out == "True\n"


def test_threads_and_processes(cell):
    thread = "import threading\nt = threading.Thread(target=lambda: print(tf.add(1.0, 2.0).numpy()))\nt.start(); t.join()"
    assert cell(thread).out == "3.0\n"


def test_autoreload(cell):
    path = os.path.join(cell("import os; print(os.getcwd())").out.strip(), "beside.py")
    source = "import tensorflow as tf\ndef f(x): return %s * tf.square(x)\n"
    with open(path, "w") as file:
        file.write(source % "1.0")
    told = cell("%load_ext autoreload\n%autoreload 2\nfrom beside import f\nprint(f(3.0).numpy())")
    assert (told.out, told.error) == ("9.0\n", "")
    with open(path, "w") as file:
        file.write(source % "2.0")
    os.utime(path, (time.time() + 10,) * 2)
    told = cell("print(f(3.0).numpy())")
    assert (told.out, told.error) == ("18.0\n", "")
    assert not cell("%wengert tf1").error and not cell("%wengert tf2").error
    cell("%autoreload 0")


def test_a_cell_is_explained_and_checked(cell):
    slope = "@tf.function\ndef slope(x):\n    with tf.GradientTape() as t:\n        t.watch(x)\n        y = tf.tanh(x)\n"
    slope += "    return t.gradient(y, x)\nslope(tf.constant(0.5))"
    told = cell("%%wengert explain\n" + slope)
    assert "0.786" in told.result and told.out == ""
    assert told.result.count("taylor") == 1 and told.result.count(f"cell {told.number}, line 7") == 1  # shown once
    told = cell("%%wengert check\n" + NONE.replace("floor", "tanh"))
    assert "right" in told.out + told.result and f"cell {told.number}, line 6" in told.out + told.result
    assert "ZeroDivisionError" in cell("%%wengert check\n1 / 0").error
    assert "explain or check" in cell("%%wengert nothing\n1").error


def test_what_a_summary_is_told_to_print_is_not_shown_instead(cell):
    told = cell("said = []\nkeras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).summary(print_fn=said.append)")
    assert (told.out, told.result) == ("", "")
    assert "Total params: 3" in cell("print('\\n'.join(said))").out


def test_off_and_what_is_no_command(cell):
    assert "no more" in cell("%wengert off").out
    assert "ModuleNotFoundError" in cell("import tensorflow").error
    assert "not served" in cell("%wengert").out
    assert "UsageError: 'tf3' is none of these" in cell("%wengert tf3").error


def test_the_kernel_is_installed_and_removed(tmp_path, capsys):
    where = ["--prefix", str(tmp_path)]
    assert cli.main(["kernel", "install", *where]) == 0
    folder = tmp_path / "share" / "jupyter" / "kernels"
    cells = Cells(tmp_path, "wengert", [str(folder)])
    try:
        told = cells("import tensorflow as tf\nprint(tf.constant(1.0).numpy())")
        assert (told.out, told.error, told.number) == ("1.0\n", "", 1)
    finally:
        cells.end()
    assert cli.main(["kernel", "remove", *where]) == 0
    assert not (folder / "wengert").exists()
    assert cli.main(["kernel", "remove", *where]) == 2
    (folder / "mine").mkdir()
    (folder / "mine" / "kernel.json").write_text("{}")
    assert cli.main(["kernel", "install", *where, "--name", "mine"]) == 2
    assert cli.main(["kernel", "remove", *where, "--name", "mine"]) == 2
    with pytest.raises(SystemExit):
        cli.main(["kernel", "install", *where, "--name", "../mine"])
    capsys.readouterr()


# --- what is served, without a kernel -------------------------------------------------------------------------------------


@pytest.fixture
def served():
    serve("tf2")
    yield importlib.import_module("tensorflow")
    serve_no_more()


def test_a_served_module_is_loaded_anew(served):
    vars(served).clear()  # as IPython's autoreload does
    vars(served)["__name__"] = "tensorflow"
    assert importlib.reload(served) is served
    assert served.__version__.startswith("2.") and served.constant is tf.constant


def test_each_style_begins_with_a_clean_slate(served):
    keras = importlib.import_module("tensorflow.keras")
    serve("tf1")
    assert sys.modules["tensorflow"] is served and not tf.executing_eagerly()
    served.placeholder(tf.float32)
    serve("tf2")
    assert tf.executing_eagerly() and not hasattr(served, "placeholder") and sys.modules["tensorflow.keras"] is keras
    assert not tf.compat.v1.get_default_graph().get_operations()


NEAR = {
    "placehoder_with_default": "and no name there is near; tensorflow has the modules",
    "redcue_mean": "the nearest is tensorflow.reduce_mean.",
    "kears": "the nearest is tensorflow.keras.",
    "Zzz": "no name there is near",
    "placeholder": "here as tensorflow.compat.v1.placeholder.",
}


@pytest.mark.parametrize("name", NEAR)
def test_a_near_name_is_said_only_where_it_is_near(served, name):
    with pytest.raises(AttributeError, match=re.escape(NEAR[name])):
        getattr(served, name)


def test_what_an_area_offers(served):
    with pytest.raises(AttributeError, match=r"of tensorflow\.random there are Generator, .*uniform"):
        served.random.zzz  # noqa: B018
    assert isinstance(served.random, Served)
