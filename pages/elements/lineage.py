"""How a clip came to be and what came of it, as strips of small pictures; a press opens one of them."""

from collections.abc import Sequence

from core.db.enums import Status
from core.generations.lineage import Lineage, Relation, Relative
from pages.ui import components, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

RELATIONS = TranslatedLabels(
    {
        Relation.RETRY: N_("Tried again"),
        Relation.EXTENSION: N_("Goes on"),
        Relation.FRAME: N_("From a picture"),
        Relation.DRAFT: N_("Final of a draft"),
        Relation.TAKE: N_("Take"),
    }
)
"""What the step from one clip to the next was."""

_element = custom_element(__file__, "clip_lineage", html='<div class="strips"></div>', triggers=("open",))


def show(found: Lineage, generation_id: str, *, key: str) -> str | None:
    """Draw it for the clip `generation_id`; the id of the clip that was just pressed."""
    strips = [
        _strip(_("Made from"), found.ancestors, generation_id),
        _strip(_("Takes"), found.takes, generation_id),
        _strip(_("Led to"), found.successors, generation_id),
    ]
    more = _("There are more, which are in the library.") if found.is_cut else ""
    result = _element(key=key, data={"strips": [strip for strip in strips if strip["clips"]], "more": more})
    return str(result.open) if result.open else None


def _strip(title: str, clips: Sequence[Relative], generation_id: str) -> dict[str, object]:
    return {
        "title": title,
        "clips": [
            {
                "id": each.id,
                "poster": components.media_link(each.thumbnail_key),
                "label": _label(each, number),
                "note": each.model_name,
                "state": "" if each.status is Status.COMPLETED else wording.STATUS[each.status],
                "here": each.id == generation_id,
            }
            for number, each in enumerate(clips, start=1)
        ],
    }


def _label(clip: Relative, number: int) -> str:
    if clip.relation is Relation.TAKE:
        return _("Take {number}").format(number=number)
    return RELATIONS[clip.relation]
