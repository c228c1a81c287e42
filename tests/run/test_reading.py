"""A script is taken from wherever Python takes one, and what Python compiles is run."""

import os
import subprocess
import sys
import zipfile

import pytest

RUN = [sys.executable, "-m", "wengert", "run"]
TF1 = "import tensorflow as tf\nx = tf.placeholder(tf.float32)\n"
WHERE = "import sys\nprint(__name__, sys.argv, globals().get('__file__'), sys.path[0])\n"


def shell(folder, words, *arguments, text=None):
    """Run a shell's words, of which "$@" is the command; return status, output, errors."""
    done = subprocess.run(["bash", "-c", words, "bash", *arguments], cwd=folder, capture_output=True, text=True, timeout=100,
                          check=False, input=text)  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("words", [
    '"$@" - one two < script.py', 'cat script.py | "$@" - one', '"$@" /dev/stdin one < script.py',
    '"$@" ./pipe & cat script.py > pipe; wait $!',
    '"$@" "" one', '"$@" folder one', '"$@" archive one', '"$@" empty', '"$@" none.py',
])  # fmt: skip
def test_as_python_finds_it(tmp_path, words):
    for place in (tmp_path, tmp_path / "folder"):
        place.mkdir(exist_ok=True)
        (place / "beside.py").write_text("print('beside', __name__)\n")
    (tmp_path / "script.py").write_text(WHERE)
    (tmp_path / "folder" / "__main__.py").write_text(WHERE + "import beside\nprint(__spec__.name, __package__ == '')\n")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.write(tmp_path / "folder" / "__main__.py", "__main__.py")
        archive.write(tmp_path / "beside.py", "beside.py")
    ours, pythons = shell(tmp_path, words, *RUN), shell(tmp_path, words, sys.executable)
    if pythons[0] == 0:
        assert ours == pythons
    else:
        assert ours[0] == 2 and len(ours[2].splitlines()) == 1 and "there is no script" in ours[2], ours


def test_style_and_mending_of_a_pipe(tmp_path):
    source = TF1 + "import numpy as np\nwith tf.Session() as s: print('%.1f' % s.run(x * np.product([2.0]), {x: [3.0]}))\n"
    (tmp_path / "script.py").write_text(source)
    for words in ('"$@" <(cat script.py)', 'cat script.py | "$@" -'):
        status, out, told = shell(tmp_path, words, *RUN)
        assert (status, out, told.count("np.product is gone")) == (0, "6.0\n", 1), told


def test_marks_and_codings(tmp_path):
    for text in ("\ufeffprint('ä')\n".encode(), "# -*- coding: latin-1 -*-\nprint('ä')\n".encode("latin-1")):
        (tmp_path / "script.py").write_bytes(text)
        for style in ("--tf1", "--tf2"):
            assert shell(tmp_path, '"$@" script.py', *RUN, style)[:2] == (0, "ä\n")


def test_a_working_directory_that_is_gone(tmp_path):
    (tmp_path / "script.py").write_text(TF1 + "with tf.Session() as s: print(s.run(x, {x: 3.0}))\n")
    words = f'mkdir gone; cd gone; rmdir ../gone; "$@" {tmp_path}/script.py'
    assert shell(tmp_path, words, *RUN)[:2] == (0, "3.0\n")
    for options, wanted in (("--checkpoint c", "c.safetensors cannot be written"), ("--save-figures f", "f")):
        status, out, told = shell(tmp_path, words.replace('"$@"', f'"$@" {options}'), *RUN)
        assert (status, out) == (2, "") and wanted in told.splitlines()[-1] and "Traceback" not in told
    status, out, told = shell(tmp_path, words.replace(f"{tmp_path}/", ""), *RUN)
    assert (status, out) == (2, "") and "there is no script" in told


@pytest.mark.parametrize("terms", [900, 1500, 2900, 20_000])
def test_long_expressions(tmp_path, terms):
    (tmp_path / "script.py").write_text("x = 7\nprint(" + " + ".join(["x % 4"] * terms) + ")\n")
    (tmp_path / "mended.py").write_text(
        "import numpy as np\nx = 7\ny = " + " + ".join(["x % 4"] * terms) + "\nprint(np.product([y]))\n"
    )
    pythons = shell(tmp_path, '"$@"', sys.executable, "script.py")
    assert shell(tmp_path, '"$@"', *RUN, "--tf2", "script.py")[:2] == pythons[:2]
    ours = shell(tmp_path, '"$@"', *RUN, "--tf1", "mended.py")
    assert ours[:2] == pythons[:2]
    if pythons[0]:
        assert ours[2] == pythons[2] == "RecursionError: maximum recursion depth exceeded during compilation\n"


def test_long_expressions_of_tensorflow_1_are_mended_too(tmp_path):
    source = (
        TF1
        + "import numpy as np\ny = "
        + " + ".join(["x"] * 1500)
        + "\nwith tf.Session() as s: print('%d' % s.run(y, {x: [1.0]}))\n"
    )
    (tmp_path / "script.py").write_text(source)
    assert shell(tmp_path, '"$@" script.py', *RUN)[:2] == (0, "1500\n")


def test_a_script_that_cannot_be_read(tmp_path):
    (tmp_path / "script.py").write_text("")
    for words in ('"$@" "a\x1b[31mb"', '"$@" $"\u202e.py"', '"$@" - <&-'):
        status, out, told = shell(tmp_path, words, *RUN)
        assert (status, out, len(told.splitlines())) == (2, "", 1) and "\x1b" not in told and "\u202e" not in told
