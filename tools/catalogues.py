"""Keeps the catalogues in step with the texts that are marked: `python -m tools.catalogues`.

Texts that came in stand untranslated in them, and a test fails until somebody has put them into words; those that are
gone go. Babel finds the texts, by the functions that mark them.
"""

import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import extract, pofile
from babel.messages.catalog import Catalog

ROOT = Path(__file__).parents[1]
CATALOGUES = ROOT / "pages" / "locale"
MARKED = ("core", "pages")
MODELS = "core/providers/adapters"
KEYWORDS = {"_": None, "N_": None, "plural": (1, 2), "count": (2, 3)}
"""Function that marks a text -> which of its arguments are the text or its two forms, the first one where None."""
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
"""In place of today's date, which would make every update a change."""


def extracted() -> Catalog:
    """Every text there is, without translations."""
    catalogue = Catalog()
    for models in sorted((ROOT / MODELS).glob("*.toml")):
        for told in texts_of_models(models):
            catalogue.add(told, locations=[(f"{MODELS}/{models.name}", 1)])
    for folder in MARKED:
        found = extract.extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=KEYWORDS)
        for source, line, text, _comments, _context in found:
            catalogue.add(text, locations=[(f"{folder}/{source}", line)])
    return catalogue


def texts_of_models(path: Path) -> list[str]:
    """What a file of models says to people: descriptions, limits, sentences of rules, sources that are no address."""
    found = []
    for table in tomllib.loads(path.read_text("utf-8"))["model"]:
        found += [
            table["description"],
            *table.get("limits", []),
            *(rule["sentence"] for rule in table.get("rules", [])),
            *(cost["source"] for cost in table.get("costs", []) if "://" not in cost["source"]),
        ]
    return found


def read(tag: str) -> Catalog:
    """The catalogue of a language as it is kept."""
    with (CATALOGUES / f"{tag}.po").open("rb") as file:
        return pofile.read_po(file, locale=tag)


def untranslated(catalogue: Catalog) -> list[str | tuple[str, ...] | list[str]]:
    """The texts of a catalogue that have no words, or only a guess at them."""
    return [
        message.id
        for message in catalogue
        if message.id and (message.fuzzy or not message.string or not all(message.string))
    ]


def update(tag: str) -> int:
    """Bring a catalogue in step with the texts; how many lack words."""
    catalogue = read(tag)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.creation_date = catalogue.revision_date = NO_DATE
    with (CATALOGUES / f"{tag}.po").open("wb") as file:
        pofile.write_po(file, catalogue, width=110, no_location=True, omit_header=False, sort_output=True)
    return len(untranslated(catalogue))


if __name__ == "__main__":
    for found in sorted(CATALOGUES.glob("*.po")):
        sys.stdout.write(f"{found.name}: {update(found.stem)} texts without words\n")
