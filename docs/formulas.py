"""A hook of MkDocs: formulas between dollar signs become MathML when the pages are built, so that a reader needs no script."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

from latex2mathml.converter import convert

SPAN = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
"""What `pymdownx.arithmatex` makes of a formula: within a line a span, standing alone a div."""
PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "msubsup": 3, "munderover": 3}


def mathml(formula: str, display: str = "inline") -> str:
    r"""Return a formula of LaTeX as MathML.

    Raises:
        ValueError: where it does not parse. The converter lets pass what is left over (`a}`, an unknown `\command`, a lone `&`)
            and what is not there (`\frac{a}`), so its answer is looked at.
    """
    try:
        found = convert(formula, display=display)
        elements = [(e.tag.rpartition("}")[2], e) for e in ElementTree.fromstring(found).iter()]
    except Exception as error:
        raise ValueError(f"the formula {formula!r} does not parse: {type(error).__name__}") from error
    for tag, element in elements:
        if PARTS.get(tag, len(element)) != len(element):
            raise ValueError(f"the formula {formula!r} does not parse: a part is missing")
        if tag == "mi" and (element.text or "")[:1] in ("\\", "{", "}", "&"):
            raise ValueError(f"the formula {formula!r} does not parse at {element.text}")
    return found


def on_page_content(content: str, **_: object) -> str:
    """Set the formulas of a page."""

    def typeset(found: re.Match[str]) -> str:
        return mathml(html.unescape(found[2]), "inline" if found[1] == "span" else "block")

    return SPAN.sub(typeset, content)
