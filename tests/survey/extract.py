"""Write names.json: the names and call forms that the survey of published programs counted.

Run it by hand, `python tests/survey/extract.py SURVEY.md`; the tests read names.json alone.
"""

import json
import re
import sys
from pathlib import Path

# Methods that the reader of the survey saw on a tensor's name and that are of what NumPy or a list put under that name.
CHANCE = {
    "append": "a list of results; tensors have no append",
    "extend": "a list of results; tensors have no extend",
    "flatten": "an array fetched by Session.run or numpy() under the tensor's name",
    "max": "an array fetched by Session.run under the tensor's name",
    "min": "an array fetched by Session.run under the tensor's name",
    "reshape": "an array under the tensor's name; tensors have no reshape",
}
CHANCE_NAMES = {"tf.GradientTape().numpy": "numpy() of the gradient that the tape gave, under the tape's name"}
SECTION = re.compile(r"^=+ (?:(KW|methods) )?(TF1|TF2|tf1|tf2)\b")
COUNT = re.compile(r"^\s*(\d+)\s+(\d+)\s+(\S+)$")
FORMS = re.compile(r"^\s*(\d+)\s+(\S+): (.*)$")
FORM = re.compile(r"\(([^)]*)\)x(\d+)")


def extract(text: str) -> dict[str, dict[str, dict]]:
    """The survey's tables: style -> name -> programs, repositories, forms, and why it is a chance hit where it is one."""
    tables: dict[str, dict[str, dict]] = {"tf1": {}, "tf2": {}}
    style, kind = "", ""
    for line in text.splitlines():
        if heading := SECTION.match(line):
            kind, style = heading[1] or "counts", heading[2].lower()
        elif kind == "counts" and (count := COUNT.match(line)):
            tables[style][count[3]] = {"programs": int(count[1]), "repositories": int(count[2]), "forms": []}
        elif kind == "KW" and (forms := FORMS.match(line)):
            row = tables[style].setdefault(forms[2], {"programs": int(forms[1]), "repositories": None, "forms": []})
            row["forms"] = [form[1] for form in FORM.finditer(forms[3])]
    for table in tables.values():
        for name, row in table.items():
            method = name.rpartition("().")[2] if "()." in name else ""
            if reason := CHANCE.get(method) or CHANCE_NAMES.get(name):
                row["chance"] = reason
    return tables


def main() -> None:
    tables = extract(Path(sys.argv[1]).read_text())
    lines = []
    for style, table in tables.items():
        rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(table.items()))
        lines.append(f"  {json.dumps(style)}: {{\n{rows}\n  }}")
    Path(__file__).with_name("names.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
