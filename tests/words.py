"""Gathers every text that a person reads and keeps the catalogues in step: `python -m tests.words` updates them.

Texts of `pages` are those marked with `_`, `N_` and `plural`. `core` marks nothing, so its sentences are recognised by
their form: a string, not a docstring, that begins as a sentence and ends as one, or says what happened (`what=`,
`reason=`). Places in an f-string get names, so that a translation can move them. What stands in these places is
gathered as well, as parts: statuses, lists (`part =`), reasons of a refusal.
"""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog

from core.db.enums import Status

ROOT = Path(__file__).parent.parent
CATALOGUES = ROOT / "pages" / "locale"
KEYWORDS = {"_": (0,), "N_": (0,), "plural": (0, 1), "count": (1, 2)}
"""Function that marks a text -> where among its arguments the text, or its two forms, stand."""
FROM_CORE, PART = "core", "part"
SAID_BY = {"what": FROM_CORE, "reason": FROM_CORE, "part": PART}
"""Keyword or variable that holds a text of core -> what it is."""
NAMED_BY = {"Invariant": FROM_CORE, "AddressRefused": PART, "ConnectError": PART}
"""Call whose first argument is a text of core -> what it is."""
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
NOT_SAID = (
    "db/migrations",
    "admin.py",
    "cli.py",
    "api",
    "config.py",
    "audit/runs.py",
    "audit/__main__.py",
    "worker/local_stack.py",
    "worker/supervisor.py",
)
"""Parts of core whose sentences no page shows: drawing, schema, the command line, REST, the operator's console."""

_SENTENCE = re.compile(r"""[A-Z{"'].*\s.*[.!?]""", re.DOTALL)


def gathered() -> Catalog:
    """Every text there is now, without translations."""
    catalogue = Catalog()
    for path in sorted((ROOT / "pages").rglob("*.py")):
        for line, message in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            catalogue.add(message, locations=[(path.relative_to(ROOT).as_posix(), line)])
    for path in sorted((ROOT / "core").rglob("*.py")):
        place = path.relative_to(ROOT)
        if any(place.is_relative_to(Path("core") / part) for part in NOT_SAID):
            continue
        for line, text, mark in _said(ast.parse(path.read_text(encoding="utf-8"))):
            catalogue.add(text, locations=[(place.as_posix(), line)], auto_comments=[mark])
    for status in Status:
        catalogue.add(status.value, auto_comments=[PART])
    return catalogue


def read(tag: str) -> Catalog:
    """The catalogue of a language as it is kept."""
    with (CATALOGUES / f"{tag}.po").open("rb") as file:
        return pofile.read_po(file, locale=tag)


def update(tag: str) -> int:
    """Bring a catalogue in step: new texts come in untranslated, those that are gone go; how many lack words."""
    catalogue = read(tag)
    catalogue.update(gathered(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.creation_date = catalogue.revision_date = NO_DATE  # a date would make every update a change
    with (CATALOGUES / f"{tag}.po").open("wb") as file:
        pofile.write_po(file, catalogue, width=110, no_location=True, omit_header=False, sort_output=True)
    return sum(not message.string or not any(message.string) for message in catalogue if message.id)


def _marked(tree: ast.Module) -> Iterator[tuple[int, str | tuple[str, ...]]]:
    """What pages mark, also within f-strings, which Babel's own extractor does not look into before Python 3.12."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        places = KEYWORDS.get(node.func.id if isinstance(node.func, ast.Name) else node.func.attr, ())
        given = [node.args[place] for place in places if place < len(node.args)]
        texts = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if texts and len(texts) == len(places):
            yield node.lineno, texts[0] if len(texts) == 1 else tuple(texts)


def _said(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """What core says: line, text, and whether it is a sentence or a part of one."""
    marks = dict(_marks(tree))
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values}
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings are
    for node in ast.walk(tree):
        if id(node) in pieces | bare:
            continue
        text = _text(node)
        if text is not None and " " in text and (id(node) in marks or _SENTENCE.fullmatch(text)):
            yield node.lineno, text, marks.get(id(node), FROM_CORE)  # type: ignore[attr-defined]  # a string has a line


def _marks(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The id of every node that stands where a text of core is said, and what that text is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((id(given.value), SAID_BY[given.arg]) for given in node.keywords if given.arg in SAID_BY)
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in NAMED_BY and node.args:
                yield id(node.args[0]), NAMED_BY[called]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            yield from ((id(node.value), SAID_BY[name]) for name in names if name in SAID_BY)


def _text(node: ast.AST) -> str | None:
    """A string as a template: each place of an f-string by the name of what stands in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    text, names = "", list[str]()
    for piece in node.values:
        if isinstance(piece, ast.Constant):
            text += str(piece.value)
        elif isinstance(piece, ast.FormattedValue):
            words = [word.lower().strip("_") for word in re.findall(r"[A-Za-z_]+", ast.unparse(piece.value))]
            name = words[-1] if words else "value"
            names.append(name)
            text += "{" + name + (str(names.count(name)) if names.count(name) > 1 else "") + "}"
    return text if re.sub(r"{\w+}", "", text).strip(" .,;:") else None


if __name__ == "__main__":
    for found in sorted(CATALOGUES.glob("*.po")):
        sys.stdout.write(f"{found.name}: {update(found.stem)} texts without words\n")
