"""The page of a report: well-formed, escaped, complete, and, where Chromium is installed, as the browser builds it."""

import itertools
import math
import random
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from wengert.ground.drawing import layout
from wengert.verify.findings import Fault, Row
from wengert.verify.page import page
from wengert.verify.report import Report

VOID = {"meta", "br", "input", "link", "img", "hr"}
HOSTILE = "<script>alert(\"x\")</script> & 'it' </style></title>--> <b onmouseover=alert(1)>"


def sample() -> Report:
    """A report as `wengert check` makes them: orders 1 to 4 of u(x, t), one wrong rule and one saturation."""
    rows = []
    values = {"x": 1.094565373965715, "x x": 2.229792295077678, "x t": -1.3666846950851295, "x x t": -2.034960687376727,
              "x x x x": 196.12635693764773}  # fmt: skip
    for derivative, value in values.items():
        order = len(derivative.split())
        for road in ("reverse", "forward", "series", "taylor"):
            bad = road == "series" and order >= 3
            rows.append(Row("u", derivative, order, road, "exact", "wrong" if bad else "right", value * (0.75 if bad else 1),
                            value, None, ""))  # fmt: skip
        for j, road in enumerate(("tape", "numpy", "xla")):
            for kind, most in (("float64", 15.9), ("float32", 7.1)):
                digits = most - 0.45 * order - 0.21 * j
                bad = road == "xla" and order >= 3
                lost = kind == "float32" and order == 4 and not bad
                digits = 0.6 if bad else 1.3 if lost else digits
                status = "wrong" if bad else "inaccurate" if lost else "right"
                note = "saturated: 7 digits are asked, 1.3 are kept" if lost else ""
                rows.append(Row("u", derivative, order, road, kind, status, value * (1 + 10**-digits), value, digits, note))
    rows.append(Row("u", "t t", 2, "tape", "float64", "undecided", 0.25, None, None, "a kink at t = 0"))
    rows.append(Row("u", "", 0, "forward", "exact", "skipped", None, None, None, "custom_gradient has no rule for forward mode"))
    faults = [
        Fault("wrong rule", "softplus", "/home/ada/heat.py:31", "float64[2] 0.5 … 1", "series, order 3: 0.75, and it is 1"),
        Fault("saturation", "tanh", "/home/ada/heat.py:28", "float32[2] 8.5 … 9",
              "tanh is saturated here: float32 keeps 1 digit of this derivative"),
    ]  # fmt: skip
    return Report(rows, faults, ["not in float16: no executor runs it"], network())


def network() -> list[tuple[int, str, str, list[int]]]:
    """Two branches of layers, a sum that skips some of them, and a loss: 25 operations."""
    found: list[tuple[int, str, str, list[int]]] = []

    def add(operation: str, line: int, *reads: int) -> int:
        found.append((len(found), operation, f"/home/ada/heat.py:{line}", list(reads)))
        return len(found) - 1

    first = add("concat", 20)
    h = first
    for k in range(4):
        h = add("add", 27, add("matmul", 27, h))
        h = add("softplus", 31, h) if k == 2 else add("tanh", 28 if k == 0 else 29, h)
    wave = add("sin", 33, add("multiply", 33))
    decay = add("exp", 34, add("negative", 34))
    product = add("multiply", 35, wave, decay)
    total = add("add", 36, h, product, first)
    square = add("square", 37, total)
    add("reduce_sum", 38, square)
    scaled = add("multiply", 39, total)
    add("subtract", 40, scaled, wave)
    add("divide", 41, len(found) - 1, square)
    add("reduce_mean", 42, len(found) - 1)
    return found


class Page(HTMLParser):
    """Reads a page: its tags are closed in order, ids, rows, what it refers to, text."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [attrs[name] for _, attrs in self.tags if name in attrs]


def hostile() -> Report:
    row = Row(HOSTILE, f"{HOSTILE.replace(' ', '')} t", 2, HOSTILE, HOSTILE, HOSTILE, math.nan, math.inf, None, HOSTILE)
    rows = [
        row,
        row._replace(status="wrong", digits=-3.0),
        row._replace(arithmetic="exact"),
        row._replace(status="right", digits=99.0),
    ]
    graph = [(0, HOSTILE, HOSTILE, []), (7, HOSTILE, HOSTILE, [0, 0, 99]), (9, "", "", [9, 7])]
    return Report(rows, [Fault(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE + "\x00\ud800")], [HOSTILE], graph)


REPORTS = {
    "sample": sample(),
    "hostile": hostile(),
    "nothing": Report([]),
    "undecided": Report([Row("", "x", 1, "reverse", "exact", "undecided", 0.5, None, None, "kink")], [], [], []),
    "one": Report([Row("", "x", 1, "grad", "float64", "right", 0.5, 0.5, 16.0, "")]),
}


@pytest.mark.parametrize("name", REPORTS)
def test_is_well_formed(name: str):
    read = Page(page(REPORTS[name], HOSTILE))
    ids = read.values("id")
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in read.values("href")} <= set(ids)
    assert [a["lang"] for t, a in read.tags if t == "html"] == ["en"]
    assert [a["charset"] for t, a in read.tags if "charset" in a] == ["utf-8"]
    assert "viewport" in read.values("name")
    assert [t for t, _ in read.tags].count("h1") == 1


@pytest.mark.parametrize("name", REPORTS)
def test_loads_nothing(name: str):
    text = page(REPORTS[name], "f")
    read = Page(text)
    assert not re.search(r"https?://|//\w+\.|@import|url\((?!#)", text)
    assert not [t for t, _ in read.tags if t in ("link", "img", "iframe", "object", "embed", "base")]
    assert read.values("src") == read.values("xlink:href") == []
    assert all(target.startswith("#") for target in read.values("href"))


def test_user_text_is_escaped():
    text = page(hostile(), HOSTILE)
    read = Page(text)
    assert [t for t, _ in read.tags].count("script") == 1
    assert not [t for t, a in read.tags if t == "b" or "onmouseover" in a]
    shown = "".join(read.text)
    assert shown.count(HOSTILE) > 10
    text.encode("utf-8")
    assert "\x00" not in text


def test_every_row_and_fault_and_note_is_there():
    report = sample()
    read = Page(page(report, "u(x, t)"))
    shown = "".join(read.text)
    assert read.values("data-status") == [r.status for _, group in grouped(report).items() for r in group]
    for f in report.faults:
        for part in (f.kind, f.operation, f.where, f.inputs, f.text):
            assert part in shown
    assert all(note in shown for note in report.notes)
    values = [a["data-v"] for t, a in read.tags if t == "td" and a["class"] == "value number"]
    assert sorted(values) == sorted("" if r.value is None else repr(float(r.value)) for r in report.rows)
    assert len([a for t, a in read.tags if t == "th" and a.get("scope") == "rowgroup"]) == len(grouped(report))
    assert "Wrong." in shown and "6 of 50 comparisons with the oracle disagree" in shown


def grouped(report: Report) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for r in report.rows:
        groups.setdefault((r.function, r.derivative), []).append(r)
    return groups


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        (["right"], "The one comparison with the oracle agrees."),
        (["right", "inaccurate"], "Each of 2 comparisons with the oracle agrees. 1 keeps few digits"),
        (["wrong", "right"], "1 of 2 comparisons with the oracle disagrees."),
        (["undecided"], "No derivative could be judged."),
        ([], "Nothing was compared."),
    ],
)
def test_verdict_in_words(statuses: list[str], said: str):
    rows = [Row("", "x", 1, "tape", "float64", s, 1.0, 1.0, 15.0, "") for s in statuses]
    assert said in "".join(Page(page(Report(rows), "f")).text)


def test_the_picture_has_a_mark_for_each_row_with_its_status():
    rows = [r for r in sample().rows if r.order and r.arithmetic != "exact"]
    legends = 3 + 3 + 2  # of two panels: three roads, and the cross
    marks = [a["class"].split()[1] for _, a in Page(page(sample(), "u")).tags if a.get("class", "").startswith("mark ")]
    assert len(marks) == len(rows) + legends
    assert {s: marks.count(s) for s in ("wrong", "inaccurate", "undecided")} == {
        s: sum(r.status == s for r in rows) + (2 if s == "wrong" else 0) for s in ("wrong", "inaccurate", "undecided")
    }


def test_marks_lie_at_the_height_of_their_error():
    rows = [Row("", "x", 1, "tape", "float64", "right", 1.0, 1.0, d, "") for d in (0.0, 4.0, 8.0)]
    text = page(Report(rows), "f")
    heights = [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)" r="2.9"/></g>', text)][:3]
    lines = [float(y) for y in re.findall(r'class="grid" d="M\d+ ([\d.]+)H', text)][:3]  # 1, 1e-4, 1e-8
    assert heights == lines


def test_the_source_line_is_shown_where_the_file_can_be_read(tmp_path: Path):
    file = tmp_path / "model.py"
    file.write_text("import math\ny = x < 1  # the line\n")
    text = page(Report([], [Fault("wrong rule", "less", f"{file}:2", "", "wrong")]), "f")
    assert "<pre><code>y = x &lt; 1  # the line</code></pre>" in text
    assert "<pre>" not in page(Report([], [Fault("wrong rule", "less", f"{tmp_path / 'gone.py'}:2", "", "wrong")]), "f")


def test_faulty_operations_are_marked_in_the_graph():
    read = Page(page(sample(), "u"))
    nodes = {a["id"]: a["class"] for _, a in read.tags if a.get("class", "").startswith("node")}
    graph = network()
    assert len(nodes) == len(graph) == 25
    wrong = [k for k, node in enumerate(graph) if node[1] == "softplus"]
    dull = [k for k, node in enumerate(graph) if node[1:3] == ("tanh", "/home/ada/heat.py:28")]
    assert [k for k in range(25) if "wrong" in nodes[f"node-{k}"]] == wrong and len(wrong) == 1
    assert [k for k in range(25) if "inaccurate" in nodes[f"node-{k}"]] == dull and len(dull) == 1
    titles = re.search(rf'id="node-{wrong[0]}".*?<title>(.*?)</title>', page(sample(), "u"), re.DOTALL)
    assert titles is not None and "wrong rule: series, order 3" in titles[1]


@pytest.mark.parametrize("kind", ["chain", "fan", "random", "network"])
def test_boxes_do_not_touch_and_edges_point_down(kind: str):
    draw = random.Random(0)
    reads = {
        "chain": [[k - 1] if k else [] for k in range(200)],
        "fan": [[] for _ in range(100)] + [list(range(100))],
        "random": [sorted({draw.randrange(k) for _ in range(draw.randrange(3))}) if k else [] for k in range(200)],
        "network": [node[3] for node in network()],
    }[kind]
    at, edges, width, height = layout(reads, [36] * len(reads))
    ends = [(x, lower) for _, _, x, upper, lower in edges if lower == upper]
    assert sorted(ends) == sorted(at[k] for k, sources in enumerate(reads) for _ in sources)
    assert all(y < upper for _, y, _, upper, _ in edges)
    for (x, y), sources in zip(at, reads, strict=True):
        assert 74 <= x <= width - 74 and 0 <= y <= height - 36
        assert all(at[s][1] + 36 < y for s in sources)
    boxes = sorted((y, x) for x, y in at)
    assert all(b[0] - a[0] > 36 or b[1] - a[1] > 148 for a, b in itertools.pairwise(boxes))
    for _, _, x, upper, lower in edges:  # no edge runs through a box that it does not join
        assert lower == upper or not [1 for a, y in at if abs(a - x) < 74 and y < lower and y + 36 > upper]
    if kind == "chain":
        assert len({x for x, _ in at}) == 1


# --- in a browser -----------------------------------------------------------------------------------------------------------

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
browser = pytest.mark.skipif(BROWSER is None, reason="needs a browser: Chromium is not installed")


def run(folder: Path, text: str, *options: str, fragment: str = "") -> str:
    file = folder / "check.html"
    file.write_text(text, encoding="utf-8")
    assert BROWSER is not None
    quiet = (
        "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    )
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", *quiet.split(), f"--user-data-dir={folder / 'profile'}", *options,
         file.as_uri() + fragment],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    return done.stdout


def rows_of(dom: str) -> list[dict[str, str]]:
    return [attrs for tag, attrs in Page(dom).tags if tag == "tr" and "data-status" in attrs]


@browser
def test_the_browser_shows_all_rows(tmp_path: Path):
    dom = run(tmp_path, page(sample(), "u(x, t)"), "--dump-dom")
    assert "52 of 52 rows" in dom
    assert not [r for r in rows_of(dom) if "hidden" in r]
    assert [a for t, a in Page(dom).tags if t == "form"] == [{"id": "filter"}]  # shown by the script


@browser
def test_the_address_filters_and_sorts(tmp_path: Path):
    dom = run(tmp_path, page(sample(), "u(x, t)"), "--dump-dom", fragment="#status=wrong&find=float64&sort=digits")
    shown = [r for r in rows_of(dom) if "hidden" not in r]
    wanted = [r for r in sample().rows if r.status == "wrong" and r.arithmetic == "float64"]
    assert len(shown) == len(wanted) > 0 and {r["data-status"] for r in shown} == {"wrong"}
    assert f"{len(wanted)} of 52 rows" in dom
    digits = [float(v) if v else math.inf for v in re.findall(r'class="digits number" data-v="(.*?)"', dom)]
    assert digits == sorted(digits) and digits[-1] == math.inf  # what has no digits is last


@browser
def test_clicks_filter_sort_and_group_again(tmp_path: Path):
    click = "document.querySelector({!r}).click();"
    clicks = [click.format(s) for s in ("#choose button[value=inaccurate]", "th.value button", "th.value button")]
    text = page(sample(), "u(x, t)")
    dom = run(tmp_path, text.replace("</body>", f"<script>{''.join(clicks)}</script></body>"), "--dump-dom")
    shown = [r for r in rows_of(dom) if "hidden" not in r]
    assert [r["data-status"] for r in shown] == ["inaccurate"] * sum(r.status == "inaccurate" for r in sample().rows)
    assert 'data-key="value" aria-sort="descending"' in dom and 'aria-pressed="true">inaccurate' in dom
    values = [float(v) if v else -math.inf for v in re.findall(r'class="value number" data-v="(.*?)"', dom)]
    assert values == sorted(values, reverse=True)
    clicks += [click.format("#regroup"), click.format('#choose button[value=""]')]
    dom = run(tmp_path, text.replace("</body>", f"<script>{''.join(clicks)}</script></body>"), "--dump-dom")
    assert rows_of(dom) == rows_of(text)
    assert not [a for _, a in Page(dom).tags if "aria-sort" in a]


@browser
@pytest.mark.parametrize("width", [1200, 400])
def test_the_page_is_no_wider_than_the_window(tmp_path: Path, width: int):
    """In a frame, as the browser's own window is never narrower than 500; the page tells its width."""
    tell = "<script>parent.postMessage(`${document.documentElement.scrollWidth} of ${innerWidth}`, '*')</script>"
    (tmp_path / "framed.html").write_text(page(sample(), "u(x, t)").replace("</body>", tell + "</body>"), encoding="utf-8")
    frame = (
        "<!doctype html><title>frame</title><p id='told'></p>"
        "<script>onmessage = event => document.getElementById('told').textContent = event.data</script>"
        f"<iframe src='framed.html' style='width:{width}px;height:900px;border:0'></iframe>"
    )
    dom = run(tmp_path, frame, "--dump-dom", "--virtual-time-budget=2000")
    told = re.search(r"(\d+) of (\d+)", dom)
    assert told is not None and told[2] == str(width) and int(told[1]) <= width


@browser
def test_hostile_text_runs_nothing_in_the_browser(tmp_path: Path):
    dom = run(tmp_path, page(hostile(), HOSTILE), "--dump-dom")
    assert [t for t, _ in Page(dom).tags].count("script") == 1
    assert "4 of 4 rows" in dom


@browser
def test_the_page_is_painted(tmp_path: Path):
    run(
        tmp_path,
        page(sample(), "u(x, t)"),
        f"--screenshot={tmp_path / 'page.png'}",
        "--window-size=1200,2400",
        "--hide-scrollbars",
    )
    image = (tmp_path / "page.png").read_bytes()
    assert image[:8] == b"\x89PNG\r\n\x1a\n" and len(image) > 50_000  # an empty page of this size has less than 20,000 bytes
