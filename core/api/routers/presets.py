"""Presets over REST: settings of an order under a name."""

from datetime import datetime
from typing import Self

from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.db.tables import Preset
from core.identity import idempotency as keys
from core.projects import presets
from core.workspaces.access import Member

router = routing.router("presets")


class NewPreset(requests.Body):
    """A preset to save; a shared one can be used by everybody."""

    name: fields.Name
    settings: requests.SettingsBody
    shared: bool = False


class PresetChanges(requests.Changes):
    """What to change of a preset; what is absent or null stays."""

    name: fields.Name | None = None
    settings: requests.SettingsBody | None = None
    shared: bool | None = None


class PresetShape(responses.ApiModel):
    """A preset; `mine` says whether you may change it."""

    id: fields.Id
    name: fields.Name
    shared: bool
    mine: bool
    settings: responses.SettingsShape
    created_at: datetime

    @classmethod
    def of(cls, preset: Preset, member: Member) -> Self:
        """The shape of a row."""
        return cls(
            id=preset.id,
            name=preset.name,
            shared=preset.shared,
            mine=preset.user_id == member.id,
            settings=responses.SettingsShape(**preset.spec.values()),
            created_at=preset.created_at,
        )


class PresetsAnswer(responses.Response):
    """Your own presets by name, then those that others share."""

    presets: list[PresetShape]


class PresetAnswer(responses.Response):
    """One preset."""

    preset: PresetShape


@router.get("/presets")
def list_presets(member: CurrentMember) -> PresetsAnswer:
    """List the presets you can use."""
    with db.read_session() as session:
        visible = presets.list_visible(session, member)
    return PresetsAnswer(presets=[PresetShape.of(preset, member) for preset in visible])


@router.post(
    "/presets",
    status_code=201,
    response_model=PresetAnswer,
    responses=refuses(404, 409)
    | idempotency.says_so(201, {"links": leads_to("changePreset", "deletePreset", id_at="preset/id")}),
)
def create_preset(member: CurrentMember, body: NewPreset, idempotency_key: IdempotencyKey = None) -> Response:
    """Save settings as a preset.

    A repeat tells the preset as it is by then; 404 when it was deleted.
    """
    request = f"preset\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            preset = presets.create(session, member, name=body.name, spec=body.settings.spec(), shared=body.shared)
            keys.remember(session, member.user, idempotency_key, request=request, made_id=preset.id)
        else:
            preset = presets.get(session, member, made_id)
    answer = PresetAnswer(preset=PresetShape.of(preset, member))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.patch("/presets/{id}", responses=refuses(404, 409))
def change_preset(member: CurrentMember, preset_id: PathId, body: PresetChanges) -> PresetAnswer:
    """Rename a preset of yours, share or unshare it, or replace its settings."""
    spec = body.settings.spec() if body.settings else None
    with db.write_session() as session:
        preset = presets.update(session, member, preset_id, name=body.name, shared=body.shared, spec=spec)
    return PresetAnswer(preset=PresetShape.of(preset, member))


@router.delete("/presets/{id}", responses=refuses(404, 409))
def delete_preset(member: CurrentMember, preset_id: PathId) -> responses.Response:
    """Delete a preset of yours."""
    with db.write_session() as session:
        presets.delete(session, member, preset_id)
    return responses.Response()
