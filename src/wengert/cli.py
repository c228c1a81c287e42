"""The command ``wengert``."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from wengert.ground.options import EXECUTORS, SECONDS, Processes, devices_of, options
from wengert.ground.terminal import shown, tell

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status: 120, as Python's, where standard output is a pipe that nobody reads any more."""
    try:
        status = _carried_out(arguments)
    except KeyboardInterrupt:
        tell("interrupted")
        status = 130
    except BrokenPipeError:
        status = 120
    except OSError as error:
        tell(f"wengert: {error}")
        status = 1
    unread = _unread()
    status = status or unread
    if status and options.processes is not None:
        from wengert.execute.processes import fail

        fail(status, f"status {status}" if getattr(sys, "last_value", None) is None else type(sys.last_value).__name__)
    return status


def _unread() -> int:
    """Return 120 if standard output is a pipe that nobody reads any more, 0 else."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python tries again when it ends, and complains
        return 120
    except Exception:  # what else is wrong with it Python says when it ends, and has the status 120 too
        return 0
    return 0


class _Parser(argparse.ArgumentParser):
    """Names what is wrong so that what was typed cannot colour or reorder it."""

    def error(self, message: str) -> NoReturn:
        super().error(shown(message))


def _carried_out(arguments: Sequence[str] | None) -> int:
    parser = _Parser(prog="wengert", description="Differentiate TensorFlow programs, without TensorFlow.")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser("run", help="run a TensorFlow script, a notebook, a module or a program, unchanged")
    run.add_argument("--processes", metavar="N | auto", help="this is one of N that run the script; auto: as Slurm or mpirun say")
    run.add_argument("--process-id", metavar="I", help="which of them, from 0; the first writes the files")
    run.add_argument("--coordinator", metavar="HOST:PORT", help="where the first listens for the others")
    _run_arguments(run)
    started = commands.add_parser("launch", help="run a script in several processes on this machine")
    started.add_argument("-n", dest="count", metavar="N", type=_count, required=True, help="how many")
    _run_arguments(started)
    kernel = commands.add_parser("kernel", help="a kernel for notebooks, in which Wengert is loaded from the start")
    kernel.add_argument("action", choices=["install", "remove"])
    where = kernel.add_mutually_exclusive_group()
    where.add_argument("--user", action="store_true", help="for this user")
    where.add_argument("--sys-prefix", action="store_true", help="for the environment of this Python: what holds in one")
    where.add_argument("--prefix", metavar="P", help="for another environment")
    kernel.add_argument("--name", default="wengert", type=_plain, help="the kernel's name (wengert)")
    why = commands.add_parser("explain", help="run a script, then print how each derivative in it was found")
    why.add_argument("--executor", choices=EXECUTORS, help="who runs graphs and functions")
    why.add_argument("script", metavar="SCRIPT.py")
    why.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="arguments of the script")
    check = commands.add_parser("check", help="prove derivatives: of a function at a point, or all that a script takes")
    _check_arguments(check, sys.argv[1:] if arguments is None else arguments)
    doctor = commands.add_parser("doctor", help="say what is installed and who runs what, or what a program would miss here")
    doctor.add_argument("program", metavar="SCRIPT.py", nargs="?", help="a script or a notebook, which is read, not run")
    told = commands.add_parser("help", help="say what an error or a warning means, and what to do")
    told.add_argument("name", metavar="NAME", nargs="?", help="an error or a warning, such as ShapeError; without it: all names")
    commands.add_parser("demo", help="derivatives of one function in each mode, in a table")
    given = parser.parse_args(arguments)
    if given.version:
        import wengert

        print(f"wengert {wengert.__version__}")
        return 0
    if given.command == "run":
        return _run(given, run)
    if given.command == "launch":
        typed = list(sys.argv[1:] if arguments is None else arguments)
        return _launched(given, typed[typed.index("launch") + 1 :], started)
    if given.command == "kernel":
        from wengert.run import spec

        act = spec.install if given.action == "install" else spec.remove
        return act(given.name, given.user, sys.prefix if given.sys_prefix else given.prefix)
    if given.command == "explain":
        from wengert.run.explain import explain
        from wengert.run.script import run_script

        return explain(lambda: run_script(given.script, given.arguments, None, given.executor))
    if given.command == "check":
        from wengert.verify.command import check_command

        return check_command(given)
    if given.command == "doctor":
        from wengert.run.doctor import doctor as diagnosed

        return diagnosed(given.program)
    if given.command == "help":
        from wengert.run.help import help_on

        return help_on(given.name)
    if given.command == "demo":
        from wengert.run.demo import demo

        demo()
        return 0
    parser.print_help()
    return 2


def _run_arguments(run: argparse.ArgumentParser) -> None:
    """Add how a script is run, and which."""
    style = run.add_mutually_exclusive_group()
    style.add_argument("--tf1", dest="style", action="store_const", const="tf1", help="TensorFlow 1's names, graph mode")
    style.add_argument("--tf2", dest="style", action="store_const", const="tf2", help="TensorFlow 2's names, eagerly")
    run.add_argument("--quiet", action="store_true", help="do not warn where a gradient is None")
    run.add_argument(
        "--executor", choices=EXECUTORS, help="who runs graphs and functions: native (what holds otherwise), numpy, xla, auto"
    )
    run.add_argument(
        "--devices", metavar="N | I,J | all", type=_devices,
        help="spread rows over N devices, over those of these numbers, or over all, under xla; processors count as devices",
    )  # fmt: skip
    run.add_argument("--strict", action="store_true", help="mend nothing that libraries have dropped or the machine lacks")
    run.add_argument("--progress", action="store_true", help="show steps, loss and rate, on a terminal")
    run.add_argument("--save-figures", metavar="DIR", help="write figures that are shown or left open to DIR/figure-1.png ...")
    run.add_argument(
        "--unpickle", metavar="FILE", action="append", default=[],
        help="let np.load unpickle FILE, which runs whatever code is in it; for more files, say it again",
    )  # fmt: skip
    run.add_argument("-i", "--interactive", action="store_true", help="offer a prompt with the script's names in the end")
    run.add_argument(
        "--checkpoint", metavar="FILE", help="start from the variables in FILE, if it is there, and write them to it"
    )
    run.add_argument(
        "--checkpoint-every", metavar="SECONDS", type=_seconds, default=60.0, help="how often the checkpoint is written (60)"
    )
    run.add_argument("--frames", action="store_true", help="show Wengert's own frames in tracebacks")
    run.add_argument("--execute-into", metavar="OUT.ipynb", help="write the notebook, with what its cells gave, to OUT.ipynb")
    run.add_argument(
        "-m", dest="module", metavar="MODULE ...", nargs=argparse.REMAINDER, help="run a module as python -m does, with arguments"
    )
    run.add_argument(
        "script", metavar="SCRIPT.py | NOTEBOOK.ipynb | PROGRAM", nargs="?",
        help="a file, - for standard input, a folder or an archive with a __main__.py; or the name of a program on PATH",
    )  # fmt: skip
    run.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="arguments of the script")


def _launched(given: argparse.Namespace, arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Run a script in several processes: each is told all but how many."""
    from wengert.execute.xla.arrays import check_installed
    from wengert.run.launching import launch

    if given.script is None and not given.module:
        parser.error("name a script, or -m MODULE")
    try:
        check_installed()
    except ImportError as error:
        parser.error(str(error))
    script = len(arguments) - (len(given.module) + 1 if given.module else len(given.arguments) + 1)
    head = list(arguments[:script])
    while any(token.startswith("-n") for token in head):
        at = next(i for i, token in enumerate(head) if token.startswith("-n"))
        del head[at : at + (2 if head[at] == "-n" else 1)]
    return launch(given.count, [*head, *arguments[script:]])


def _several(given: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Join the processes of which this is one, if it is."""
    if given.processes is not None:
        try:
            seconds = [os.environ.get(name) or None for name in SECONDS]
            options.processes = Processes.named(given.processes, given.process_id, given.coordinator, *seconds)
        except ValueError as error:
            parser.error(str(error))
    elif given.process_id or given.coordinator:
        parser.error("--process-id and --coordinator go with --processes")
    if options.processes is None or options.processes.count == 1:
        return
    if (given.script or "").endswith(".ipynb") and not given.module:
        parser.error("--processes does not go with a notebook")
    if given.interactive:
        parser.error("--processes does not go with -i")
    given.executor = given.executor or ("xla" if options.executor == "native" else options.executor)
    if given.executor == "auto":
        parser.error(
            "the executor auto keeps the faster one by the clock, which may not be the same in all processes: name xla, native "
            "or numpy"
        )
    from wengert.run.several import begin

    begin()


def _run(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Run what was named: a module, a notebook, a program on PATH, or a script."""
    from wengert.ground.errors import NoGradientWarning
    from wengert.run.launching import hold_on
    from wengert.run.program import found, run_program, serving_started
    from wengert.run.script import run_script
    from wengert.run.started import Chosen

    if given.quiet:
        warnings.simplefilter("ignore", NoGradientWarning)
    if given.frames:
        os.environ["WENGERT_FRAMES"] = "1"
    name, *arguments = given.module or [given.script, *given.arguments]
    hold_on()
    if name is None or (given.module is not None and not given.module):
        parser.error("name a script, a notebook, -m MODULE, or a program")
    _spread(given, parser)
    _several(given, parser)
    how = Chosen(given.style, given.executor, given.strict, given.quiet, frames=given.frames, unpickled=tuple(given.unpickle))
    program = None if given.module else found(name)
    if program is not None or name.endswith(".ipynb"):
        script_only = {
            "--progress": given.progress, "-i": given.interactive, "--checkpoint": given.checkpoint,
            "--save-figures": program and given.save_figures, "--execute-into": program and given.execute_into,
        }  # fmt: skip
        refused = [option for option, value in script_only.items() if value]
        if refused:
            parser.error(f"{refused[0]} does not go with {'a program' if program else 'a notebook'}")
    elif given.execute_into:
        parser.error("--execute-into goes with a notebook")
    if program is not None:
        return run_program(program, arguments, how)
    if name.endswith(".ipynb") and not given.module:
        from wengert.run.notebook import run_notebook

        if arguments:
            parser.error("a notebook takes no arguments")
        return run_notebook(name, how, given.execute_into, given.save_figures)
    with serving_started(how) if given.module else contextlib.nullcontext():
        return run_script(
            name, arguments, given.style, given.executor, strict=given.strict, progress=given.progress,
            figures=given.save_figures, interactive=given.interactive, checkpoint=given.checkpoint, every=given.checkpoint_every,
            unpickled=given.unpickle, module=bool(given.module),
        )  # fmt: skip


def _plain(text: str) -> str:
    """Return a name of a folder that kernels may have."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text) or text.startswith("."):
        raise argparse.ArgumentTypeError(f"letters, digits, and . _ - are wanted, not {text!r}")
    return text


def _devices(text: str) -> str:
    try:
        devices_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _spread(given: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Set the devices, for this process and for those that it starts."""
    if given.devices is None:
        return
    from wengert.surface.config import set_devices

    given.executor = given.executor or "xla"
    if given.executor != "xla":
        parser.error(f"--devices spreads what runs under xla, not what runs under {given.executor}")
    try:
        set_devices(devices_of(given.devices))
    except (ImportError, RuntimeError) as error:
        parser.error(str(error))
    os.environ["WENGERT_DEVICES"] = given.devices


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"a number of processes, 1 or more, is wanted, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"a number of seconds, 0 or more, is wanted, not {text!r}")
    return seconds


def _check_arguments(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Add the arguments of `check`, which stand with the verifier, where they are asked for: it imports much."""
    if "check" in arguments[:1]:
        try:
            from wengert.verify.command import add_arguments
        except ImportError as error:
            parser.error(f"{error}: the verifier needs mpmath: pip install 'wengert[verify]'")
        add_arguments(parser)


if __name__ == "__main__":
    sys.exit(main())
