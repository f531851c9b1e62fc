"""Settings of the order form under a name: kept by their person, shared with everybody if they like."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, literal_column, or_, select

from core import errors, normal_form, validation
from core.catalog import capabilities
from core.db import ReadSession, WriteSession
from core.db.row_access import visible_to, visible_to_bound_user
from core.db.tables import Preset, User
from core.messages import message
from core.spec import IMAGE_FIELDS, GenerationSpec

NAME_LIMIT_CHARS = 80
MAX_PRESETS = 100
"""How many one person can keep."""

SHARED_LIMIT = 200
"""How many of other people's a list shows."""


def list_visible(session: ReadSession, user: User) -> Sequence[Preset]:
    """A person's own presets by name, then those that others share, by name."""
    who = {"user_id": user.id}
    return [*session.scalars(_OWN, who), *session.scalars(_OF_OTHERS, who)]


def get(session: ReadSession, user: User, preset_id: str) -> Preset:
    """A preset that the person may apply: their own or a shared one; else NotFound."""
    found = session.scalar(select(Preset).where(Preset.id == preset_id, or_(visible_to(Preset, user), _shared())))
    if found is None:
        raise errors.NotFound(message("preset_not_shared"))
    return found


def create(session: WriteSession, user: User, *, name: str, spec: GenerationSpec, shared: bool = False) -> Preset:
    """Keep a spec, without its images, under a new name.

    InvalidRequest for one the model cannot make, an empty or overlong name, or too many presets; Conflict for a
    name the person has used.
    """
    kept = _kept(spec)
    name = _free_name(session, user, name, own_id="")
    count = session.scalar(select(func.count()).select_from(Preset).where(visible_to(Preset, user))) or 0
    if count >= MAX_PRESETS:
        raise errors.InvalidRequest(fields={"name": message("too_many_presets", limit=MAX_PRESETS)})
    preset = Preset(user_id=user.id, name=name, shared=shared, settings=kept)
    session.add(preset)
    session.flush()
    return preset


def update(
    session: WriteSession,
    user: User,
    preset_id: str,
    *,
    name: str | None = None,
    shared: bool | None = None,
    spec: GenerationSpec | None = None,
) -> Preset:
    """Rename, share, or keep another spec under the name; None leaves it. NotFound unless it is the person's own."""
    preset = _own(session, user, preset_id)
    if spec is not None:
        preset.settings = _kept(spec)
    if name is not None and name.strip() != preset.name:
        preset.name = _free_name(session, user, name, own_id=preset.id)
    if shared is not None:
        preset.shared = shared
    session.flush()
    return preset


def delete(session: WriteSession, user: User, preset_id: str) -> None:
    """Forget a preset; NotFound unless it is the person's own."""
    session.delete(_own(session, user, preset_id))
    session.flush()


def _own(session: ReadSession, user: User, preset_id: str) -> Preset:
    preset = session.scalar(select(Preset).where(Preset.id == preset_id, visible_to(Preset, user)))
    if preset is None:
        raise errors.NotFound(message("preset_not_found"))
    return preset


def _shared() -> Any:
    """Shared with everybody; written as a literal, because SQLite uses a partial index only for the very same words."""
    return literal_column("presets.shared")


_OWN = select(Preset).where(visible_to_bound_user(Preset)).order_by(Preset.name)
_OF_OTHERS = (
    select(Preset).where(_shared(), ~visible_to_bound_user(Preset)).order_by(Preset.name, Preset.id).limit(SHARED_LIMIT)
)


def _free_name(session: ReadSession, user: User, name: str, *, own_id: str) -> str:
    name = name.strip()
    if not name:
        raise errors.InvalidRequest(fields={"name": message("preset_name_missing")})
    if wrong := validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"name": wrong})
    taken = session.scalars(select(Preset.name).where(visible_to(Preset, user), Preset.id != own_id))
    if normal_form.normal(name) in map(normal_form.normal, taken):
        raise errors.Conflict(message("preset_name_taken", name=name))
    return name


def _kept(spec: GenerationSpec) -> dict[str, Any]:
    """What is stored: everything but images, which belong to a person, while a shared preset belongs to everybody.

    InvalidRequest unless the model can make it. An empty prompt is fine, and images come with the order.
    """
    wrong = capabilities.validate(spec, prompt_required=False)
    if wrong := {
        field: sentence for field, sentence in wrong.items() if field not in capabilities.IMAGE_PATHS.values()
    }:
        raise errors.InvalidRequest(fields=wrong)
    return {name: value for name, value in spec.values().items() if name not in IMAGE_FIELDS}
