"""A picture beside each SVG, where SVG and styles are taken away, as JupyterLab does in notebooks that are not trusted.

An `img` stays there, and so do the bytes in its address; where styles are kept, the style sheet hides it. It takes no colours
from what is around it, and is dark on white.
"""

from __future__ import annotations

import base64
import html
import re

__all__ = ["beside"]

SVG = re.compile(r"<svg [^>]*>.*?</svg>", re.DOTALL)
ENTITIES = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;)[A-Za-z]\w*;")
"""Those that XML does not know."""
VARIABLES = re.compile(r"\.wengert\{(.*?)font-size", re.DOTALL)


def beside(body: str, colours: str, pictures: str) -> str:
    """Return HTML with an `img` after each SVG, of the same size and label.

    ``colours``, ``pictures``: the style sheets that have the variables and the rules of SVGs.
    """
    found = VARIABLES.search(colours)
    variables = found[1].replace("\n", "") if found else ""
    rules = [one.strip() for one in pictures.split("}") if one.strip()]

    def both(svg: re.Match[str]) -> str:
        text = svg[0]
        classes = set(" ".join(re.findall(r'class="([^"]*)"', text)).split())
        wanted = "".join(f"{one}}}" for one in rules if classes.issuperset(re.findall(r"\.([a-z][\w-]*)", one.partition("{")[0])))
        head, _, rest = text.partition(">")
        box = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', head)
        label = re.search(r'aria-label="([^"]*)"', head)
        looks = f"background:#fff;color:#222;font-family:sans-serif;{variables}"
        alone = f'{head} xmlns="http://www.w3.org/2000/svg" style="{looks}"><style>{wanted}</style>{rest}'
        alone = ENTITIES.sub(lambda one: html.unescape(one[0]), alone)
        data = base64.b64encode(alone.encode()).decode()
        size = f' width="{float(box[1]):.0f}" height="{float(box[2]):.0f}"' if box else ""
        return f'{text}<img class="still" alt="{label[1] if label else "picture"}"{size} src="data:image/svg+xml;base64,{data}">'

    return SVG.sub(both, body)
