"""Settings of the order form under a name: kept by their person, shared with the workspace if they like."""

from collections.abc import Sequence
from typing import Any

from core import audit_log
from core.audit_log import Act
from core.catalog import rules
from core.db import ReadSession, WriteSession
from core.db.tables import Preset
from core.spec import MEDIA_FIELDS, GenerationSpec
from core.workspaces.access import Member
from core.workspaces.named import PRESETS
from core.workspaces.permissions import Action


def list_visible(session: ReadSession, member: Member) -> Sequence[Preset]:
    """A person's own presets by name, then those that others share, by name."""
    return PRESETS.list_visible(session, member)


def get(session: ReadSession, member: Member, preset_id: str) -> Preset:
    """A preset that the person may apply: their own or a shared one; else NotFound."""
    return PRESETS.get(session, member, preset_id)


def create(session: WriteSession, member: Member, *, name: str, spec: GenerationSpec, shared: bool = False) -> Preset:
    """Keep a spec, without its images, under a new name.

    InvalidRequest for one the model cannot make, an empty or overlong name, or too many presets; Conflict for a
    name the person has used.
    """
    member.require(Action.ORDER)
    kept = _kept(spec)
    name = PRESETS.new_name(session, member, name)
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
    preset = PRESETS.own(session, member, preset_id)
    member.require(Action.ORDER, preset.workspace_id)
    if spec is not None:
        preset.settings = _kept(spec)
    if name is not None:
        PRESETS.rename(session, member, preset, name)
    is_news = shared is not None and shared != preset.shared
    if shared is not None:
        preset.shared = shared
    session.flush()
    if is_news:
        _record(session, member, preset)
    return preset


def delete(session: WriteSession, member: Member, preset_id: str) -> None:
    """Forget a preset; NotFound unless it is the person's own."""
    preset = PRESETS.own(session, member, preset_id)
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


def _kept(spec: GenerationSpec) -> dict[str, Any]:
    """What is stored: everything but images, which come with each order, while a preset is for many.

    InvalidRequest unless the model can make it. An empty prompt is fine, and images come with the order.
    """
    rules.require(spec.without_media(), without_images=True)
    return {name: value for name, value in spec.values().items() if name not in MEDIA_FIELDS}
