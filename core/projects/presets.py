"""Settings of the order form under a name: kept by their person, shared with the workspace if they like."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, select

from core import audit_log, errors, normal_form, validation
from core.audit_log import Act
from core.catalog import rules
from core.db import ReadSession, WriteSession
from core.db.tables import Preset
from core.messages import message
from core.spec import MEDIA_FIELDS, GenerationSpec
from core.workspaces.access import Member, in_bound_workspace, in_workspace, visible_to
from core.workspaces.permissions import Action

NAME_LIMIT_CHARS = 80
MAX_PRESETS = 100
"""How many one person can keep in a workspace."""

SHARED_LIMIT = 200
"""How many of other people's a list shows."""


def list_visible(session: ReadSession, member: Member) -> Sequence[Preset]:
    """A person's own presets by name, then those that others share, by name."""
    who = {"workspace_id": member.workspace_id, "user_id": member.id}
    return [*session.scalars(_OWN, who), *session.scalars(_OF_OTHERS, who)]


def get(session: ReadSession, member: Member, preset_id: str) -> Preset:
    """A preset that the person may apply: their own or a shared one; else NotFound."""
    found = session.scalar(
        select(Preset).where(
            Preset.id == preset_id, visible_to(Preset, member), or_(Preset.user_id == member.id, _shared())
        )
    )
    if found is None:
        raise errors.NotFound(message("preset_not_shared"))
    return found


def create(session: WriteSession, member: Member, *, name: str, spec: GenerationSpec, shared: bool = False) -> Preset:
    """Keep a spec, without its images, under a new name.

    InvalidRequest for one the model cannot make, an empty or overlong name, or too many presets; Conflict for a
    name the person has used.
    """
    member.require(Action.ORDER)
    kept = _kept(spec)
    name = _free_name(session, member, name, own_id="")
    count = session.scalar(select(func.count()).select_from(Preset).where(*_own_here(member))) or 0
    if count >= MAX_PRESETS:
        raise errors.InvalidRequest(fields={"name": message("too_many_presets", limit=MAX_PRESETS)})
    preset = Preset(workspace_id=member.workspace_id, user_id=member.id, name=name, shared=shared, settings=kept)
    session.add(preset)
    session.flush()
    if shared:
        _record(session, member, preset)
    return preset


def update(
    session: WriteSession,
    member: Member,
    preset_id: str,
    *,
    name: str | None = None,
    shared: bool | None = None,
    spec: GenerationSpec | None = None,
) -> Preset:
    """Rename, share, or keep another spec under the name; None leaves it. NotFound unless it is the person's own."""
    preset = _own(session, member, preset_id)
    member.require(Action.ORDER, preset.workspace_id)
    if spec is not None:
        preset.settings = _kept(spec)
    if name is not None and name.strip() != preset.name:
        preset.name = _free_name(session, member, name, own_id=preset.id)
    is_news = shared is not None and shared != preset.shared
    if shared is not None:
        preset.shared = shared
    session.flush()
    if is_news:
        _record(session, member, preset)
    return preset


def delete(session: WriteSession, member: Member, preset_id: str) -> None:
    """Forget a preset; NotFound unless it is the person's own."""
    preset = _own(session, member, preset_id)
    member.require(Action.ORDER, preset.workspace_id)
    session.delete(preset)
    session.flush()


def _record(session: WriteSession, member: Member, preset: Preset) -> None:
    """Write down that others see a preset from now on, or that they do not."""
    audit_log.record(
        session,
        member.user,
        Act.PRESET_SHARED if preset.shared else Act.PRESET_UNSHARED,
        target=preset.name,
        target_id=preset.id,
        workspace_id=preset.workspace_id,
    )


def _own(session: ReadSession, member: Member, preset_id: str) -> Preset:
    preset = session.scalar(
        select(Preset).where(Preset.id == preset_id, visible_to(Preset, member), Preset.user_id == member.id)
    )
    if preset is None:
        raise errors.NotFound(message("preset_not_found"))
    return preset


def _own_here(member: Member) -> tuple[ColumnElement[bool], ...]:
    """Those of the person in the workspace where they are at work."""
    return in_workspace(Preset, member), Preset.user_id == member.id


def _shared() -> Any:
    """Shared with the workspace; a literal, because SQLite uses a partial index only for the very same words."""
    return literal_column("presets.shared")


_IS_OWN = and_(in_bound_workspace(Preset), Preset.user_id == bindparam("user_id"))
_OWN = select(Preset).where(_IS_OWN).order_by(Preset.name)
_OF_OTHERS = (
    select(Preset)
    .where(_shared(), in_bound_workspace(Preset), Preset.user_id != bindparam("user_id"))
    .order_by(Preset.name, Preset.id)
    .limit(SHARED_LIMIT)
)


def _free_name(session: ReadSession, member: Member, name: str, *, own_id: str) -> str:
    name = name.strip()
    if not name:
        raise errors.InvalidRequest(fields={"name": message("preset_name_missing")})
    if wrong := validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"name": wrong})
    taken = session.scalars(select(Preset.name).where(*_own_here(member), Preset.id != own_id))
    if normal_form.normal(name) in map(normal_form.normal, taken):
        raise errors.Conflict(message("preset_name_taken", name=name))
    return name


def _kept(spec: GenerationSpec) -> dict[str, Any]:
    """What is stored: everything but images, which come with each order, while a preset is for many.

    InvalidRequest unless the model can make it. An empty prompt is fine, and images come with the order.
    """
    rules.require(spec.without_media(), without_images=True)
    return {name: value for name, value in spec.values().items() if name not in MEDIA_FIELDS}
