"""What clips that are compared were ordered with, side by side: all of it, or only what is not the same for all.

And in a few words, what of one order was changed for the next.
"""

import html
from collections.abc import Sequence
from itertools import takewhile

import streamlit as st

from core.catalog import in_force
from core.db.tables import Generation
from core.generations import queries
from core.generations.presses import Take
from pages.ui import wording
from pages.ui.language import _

CONTEXT_WORDS = 2
"""So many words stand before those that were changed, where a bare `3` would say little."""

Fact = tuple[str, Sequence[str]]
"""What it is called, and a value of each clip."""


def differing(rows: Sequence[Generation]) -> list[Fact]:
    """What is not the same for all."""
    return [(label, values) for label, values in _all(rows) if len(set(values)) > 1]


def since(before: Take, after: Take) -> str:
    """What was changed from one order to the next, in a few words: of the prompt only that, then settings.

    Empty where nothing was, or where the prompt is another one altogether and says by itself what is new.
    """
    words = _changed_words(before.prompt, after.prompt)
    if words is None:
        return ""
    pairs = (
        (before.model_name, after.model_name),
        (before.resolution, after.resolution),
        (before.aspect_ratio, after.aspect_ratio),
        (_length(before), _length(after)),
    )
    return " · ".join(filter(None, (words, *(now for was, now in pairs if was != now))))


def _length(take: Take) -> str:
    return _("{seconds} s").format(seconds=take.duration_seconds)


def _changed_words(before: str, after: str) -> str | None:
    """What stands in the place of other words, or what was left out; None where less than half of it is the same."""
    old, new = before.split(), after.split()
    begins = _same(old, new)
    rest = min(len(old), len(new)) - begins
    ends = min(rest, _same(old[::-1], new[::-1]))
    if 2 * (begins + ends) < max(len(old), len(new)):
        return None
    changed, gone = new[begins : len(new) - ends], old[begins : len(old) - ends]
    if changed:
        lead = max(0, begins - CONTEXT_WORDS)
        return f"{'… ' if lead else ''}{' '.join(new[lead : len(new) - ends])}{' …' if ends else ''}"
    return _("without “{words}”").format(words=" ".join(gone)) if gone else ""


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def show(rows: Sequence[Generation]) -> None:
    """All of it, what differs marked and first."""
    facts = sorted(_all(rows), key=lambda fact: len(set(fact[1])) == 1)
    heads = [_("Clip {number}").format(number=place) for place in range(1, len(rows) + 1)]
    head = "".join(f'<th scope="col" style="{_CELL}">{html.escape(text)}</th>' for text in (_("Setting"), *heads))
    body = "".join(_line(label, values) for label, values in facts)
    st.html(
        '<div style="overflow-x:auto" tabindex="0"><table style="width:100%;border-collapse:collapse;font-size:.85rem;'
        f'font-variant-numeric:tabular-nums"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


_CELL = "padding:6px 8px;vertical-align:top;text-align:left;border-bottom:1px solid rgb(128 140 140 / 22%);"
_WORDS = "overflow-wrap:anywhere;min-width:6rem;"


def _line(label: str, values: Sequence[str]) -> str:
    differs = len(set(values)) > 1
    weight = "font-weight:600;" if differs else "font-weight:400;"
    mark = f'<br><span style="font-size:.75rem">{html.escape(_("differs"))}</span>' if differs else ""
    cells = "".join(f'<td style="{_CELL}{_WORDS}{weight}">{html.escape(value)}</td>' for value in values)
    return f'<tr><th scope="row" style="{_CELL}{weight}">{html.escape(label)}{mark}</th>{cells}</tr>'


def _all(rows: Sequence[Generation]) -> list[Fact]:
    facts = [_facts(row) for row in rows]
    return [(label, [fact[label] for fact in facts]) for label in facts[0]]


def _facts(row: Generation) -> dict[str, str]:
    return {
        _("Prompt"): row.prompt,
        _("Negative prompt"): row.negative_prompt or _("none"),
        _("Model"): row.model_name,
        _("Resolution"): f"{row.resolution}, {row.aspect_ratio}",
        _("Length"): _("{seconds} s").format(seconds=row.duration_seconds),
        _("Sound"): wording.sound(row.generate_audio, in_force.find_model(row.model_id)),
        _("Prompt enhancement"): _("on") if row.enhance_prompt else _("off"),
        _("Start image"): _("yes") if row.start_image_key else _("no"),
        _("End image"): _("yes") if row.end_image_key else _("no"),
        _("References"): ", ".join(wording.reference(each.role) for each in row.references) or _("none"),
        _("Seed"): _("left to chance") if row.seed is None else str(row.seed),
        _("Frames a second"): str(row.fps or _("left to the model")),
        _("Price"): wording.priced(row.credits),
        _("File size"): wording.size(queries.file_bytes(row)),
    }
