"""What the documentation names is there, and its formulas parse. Its code runs in `test_examples.py`."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import wengert
from wengert.ops.op import operations

ROOT = Path(__file__).resolve().parents[1]
SOURCES = Path(wengert.__file__).parent
DOCS = sorted(page for page in ROOT.glob("docs/**/*.md") if page != ROOT / "docs/operations.md")  # that one is generated
PAGES = [*DOCS, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "src/wengert/README.md"]
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
DOTTED = re.compile(r"(?<![\w./-])wengert(?:\.[A-Za-z_]\w*)+")
MEMBER = re.compile(r"`([A-Z]\w+)\.([a-z_]\w*)(?:\(.*\))?`")
PATH = re.compile(r"`((?:[\w-][\w.-]*/)*(?:[\w-]+\.(?:py|md|txt|toml|yml)|[\w-]+/))`")
PLACED = re.compile(r"`([\w/]+\.py)`:\s(`\w+`(?:, `\w+`)*)")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?=\S)([^$]+?)(?<=\S)\$", re.DOTALL)
READERS = {"script.py", "model.py", "site/"}
"""Files that a reader of the documentation makes."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    """The text of a page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def resolve(name: str) -> object:
    """What a dotted name stands for.

    Raises:
        AttributeError: if there is nothing of that name.
    """
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    raise AttributeError(name)


@each_page
def test_names_are_there(page: Path):
    missing = []
    for name in sorted(set(DOTTED.findall(page.read_text(encoding="utf-8")))):
        try:
            resolve(name)
        except AttributeError:
            missing.append(name)
    assert not missing


@each_page
def test_paths_are_there(page: Path):
    homes = [ROOT, SOURCES, ROOT / "benchmarks", page.parent]
    named = {path for path in PATH.findall(prose(page)) if path not in READERS}
    assert not [path for path in sorted(named) if not any((home / path).exists() for home in homes)]
    links = {link for link in LINK.findall(prose(page)) if link != "operations.md"}
    assert not [link for link in sorted(links) if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/examples/*.md")), ids=lambda page: page.stem)
def test_what_is_shown_of_an_example_is_in_it(page: Path):
    script = (ROOT / "examples" / page.with_suffix(".py").name).read_text(encoding="utf-8")
    lines = {line.strip() for line in script.splitlines()}
    shown, _, _ = page.read_text(encoding="utf-8").partition("## What it prints")
    blocks = re.findall(r"^```text\n(.*?)^```$", shown, re.DOTALL | re.MULTILINE)
    assert blocks and not [line for block in blocks for line in block.splitlines() if line.strip() not in lines | {""}]


def members() -> dict[str, set[str]]:
    """By the name of each class of the sources: what it has, inherited or not."""
    own: dict[str, set[str]] = defaultdict(set)
    bases: dict[str, set[str]] = defaultdict(set)
    for file in SOURCES.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                own[node.name].update(stored(node))
                bases[node.name].update(ast.unparse(base).rpartition(".")[2] for base in node.bases)
    for _ in range(4):  # deeper than classes are
        for name, above in bases.items():
            own[name].update(*(own[base] for base in above if base in own))
    return own


def stored(tree: ast.AST) -> Iterator[str]:
    """Names that are defined or assigned to somewhere in a part of a source."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass


MEMBERS = members()


@each_page
def test_members_are_there(page: Path):
    named = MEMBER.findall(prose(page))
    assert not sorted(f"{of}.{name}" for of, name in named if of in MEMBERS and name not in MEMBERS[of])


@each_page
def test_what_is_said_to_be_in_a_file_is_in_it(page: Path):
    missing = []
    for path, names in PLACED.findall(prose(page)):
        there = set(stored(ast.parse((SOURCES / path).read_text(encoding="utf-8"))))
        missing += [f"{path}: {name}" for name in re.findall(r"\w+", names) if name not in there]
    assert not missing


def test_a_record_that_is_shown_is_the_source():
    source = (SOURCES / "ops/elementwise.py").read_text(encoding="utf-8")
    shown = re.findall(
        r"^ {4}([A-Z_]+ = unary\(.*)$", (ROOT / "docs/design/operations.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert shown and all(f"\n{record}\n" in source for record in shown)


def test_the_pages_stand_in_the_order_of_the_rooms():
    rooms = (ROOT / "docs/design/rooms.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)/` \| .* \| (\[.*\)) \|$", rooms, re.MULTILINE)
    drawn = re.findall(r"^(\w+)/ ", (ROOT / "src/wengert/README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [room for room, _ in table] == drawn
    pages = re.findall(r"\((\w+\.md)", " ".join(links for _, links in table))
    pages = list(dict.fromkeys(reversed(pages)))[::-1]  # a page about two rooms stands with the upper one
    listed = re.findall(r"design/(\w+\.md)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert listed == ["rooms.md", *pages, "sweep.md", "soak.md"]
    assert sorted(listed) == sorted(page.name for page in ROOT.glob("docs/design/*.md"))


@pytest.mark.parametrize("room", ["ground", "derive", "calculus"])
def test_the_table_of_a_room_has_all_of_its_files(room: str):
    page = (ROOT / f"docs/design/{room}.md").read_text(encoding="utf-8")
    files = {f"{room}/{file.name}" for file in (SOURCES / room).glob("*.py")} - {f"{room}/__init__.py"}
    assert not sorted(file for file in files if f"`{file}`" not in page)


def test_the_table_of_operations_has_each_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("make_operations").page()
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == [op.name for op in operations()]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_formulas_parse(page: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("latex2mathml")
    monkeypatch.syspath_prepend(ROOT / "docs")
    mathml = importlib.import_module("formulas").mathml
    for alone, within in FORMULA.findall(re.sub(r"`+[^`]+`+", "", prose(page))):
        assert mathml(alone or within).startswith("<math")


@pytest.mark.parametrize("formula", [r"\frac{a", r"\frac{a}", "a}", r"\nosuch", "x_{", r"\left( a", "a & b", ""])
def test_a_formula_that_does_not_parse_is_refused(formula: str, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("latex2mathml")
    monkeypatch.syspath_prepend(ROOT / "docs")
    with pytest.raises(ValueError, match="the formula"):
        importlib.import_module("formulas").mathml(formula)
