"""Gathers every text that a person reads and keeps the catalogues in step: `python -m tests.words` updates them.

Texts of `pages` are those marked with `_`, `N_` and `plural`. `core` marks nothing, so its sentences are recognised by
their form: a string, not a docstring, that begins as a sentence and ends as one, or says what happened (`what=`,
`reason=`). Places in an f-string get names, so that a translation can move them.
"""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog

ROOT = Path(__file__).parent.parent
CATALOGUES = ROOT / "pages" / "locale"
KEYWORDS = {"_": (0,), "N_": (0,), "plural": (0, 1), "count": (1, 2)}
"""Function that marks a text -> where among its arguments the text, or its two forms, stand."""
FROM_CORE = "core"
SAID_BY = ("what", "reason")
NAMED_BY = ("Rule",)
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
NOT_SAID = ("studio", "migrations", "admin.py", "api", "config.py", "audit.py", "embedded.py", "supervisor.py")
"""Parts of core whose sentences no page shows: drawing, schema, the command line, REST, the operator's console."""

_SENTENCE = re.compile(r"""[A-Z{"'].*\s.*[.!?]""", re.DOTALL)


def gathered() -> Catalog:
    """Every text there is now, without translations."""
    catalogue = Catalog()
    for path in sorted((ROOT / "pages").glob("*.py")):
        for line, message in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            catalogue.add(message, locations=[(path.relative_to(ROOT).as_posix(), line)])
    for path in sorted((ROOT / "core").rglob("*.py")):
        place = path.relative_to(ROOT)
        if place.parts[1] in NOT_SAID:
            continue
        for line, sentence in _sentences(ast.parse(path.read_text(encoding="utf-8"))):
            catalogue.add(sentence, locations=[(place.as_posix(), line)], auto_comments=[FROM_CORE])
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


def _sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    said = (
        {
            id(argument.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            for argument in node.keywords
            if argument.arg in SAID_BY
        }
        | {
            id(node.args[0])
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMED_BY and node.args
        }
        | {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id in SAID_BY
        }
    )
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values}
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in docstrings | pieces | bare:
            continue
        text = _text(node)
        if text is not None and " " in text and (id(node) in said or _SENTENCE.fullmatch(text)):
            yield node.lineno, text  # type: ignore[attr-defined]  # a string has a line


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
