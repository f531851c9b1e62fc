"""Where a clip comes from, its takes, and what was made from it; nothing for one that stands alone."""

from collections.abc import Callable

from core.db import Reader
from core.generations import lineage as lineages
from core.generations.lineage import Lineage
from core.workspaces.access import Member
from pages.elements import lineage as strips


def of(reader: Reader, person: Member, generation_id: str) -> Lineage | None:
    """The lineage of a clip they see; None for one that stands alone, so that its tab can be left out."""
    found = lineages.of(reader, person, generation_id)
    return found if found.ancestors or found.takes or found.successors else None


def show(found: Lineage, generation_id: str, *, on_open: Callable[[str], None]) -> None:
    """Draw it, and open what is pressed."""
    if pressed := strips.show(found, generation_id, key=f"clip_lineage_{generation_id}"):
        on_open(pressed)
