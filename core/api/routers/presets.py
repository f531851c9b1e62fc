"""Presets over REST: settings of an order under a name."""

from datetime import datetime
from typing import Self

from pydantic import model_validator

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentUser, PathId
from core.api.schemas import requests, responses
from core.db.tables import Preset, User
from core.projects import presets

router = routing.router("presets")


class NewPreset(requests.Body):
    """A preset to be kept; a shared one is seen by everybody."""

    name: str
    settings: requests.SettingsBody
    shared: bool = False


class PresetChanges(requests.Body):
    """What to change of a preset; what is absent or null stays."""

    name: str | None = None
    settings: requests.SettingsBody | None = None
    shared: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.name is None and self.settings is None and self.shared is None:
            raise ValueError("Give at least one of: name, settings, shared.")
        return self


class PresetShape(responses.ApiModel):
    """A preset; `mine` says whether you may change it."""

    id: str
    name: str
    shared: bool
    mine: bool
    settings: responses.SettingsShape
    created_at: datetime

    @classmethod
    def of(cls, preset: Preset, person: User) -> Self:
        """The shape of a row."""
        return cls(
            id=preset.id,
            name=preset.name,
            shared=preset.shared,
            mine=preset.user_id == person.id,
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
def list_presets(person: CurrentUser) -> PresetsAnswer:
    """The presets you can apply."""
    with db.read_session() as session:
        found = presets.list_visible(session, person)
    return PresetsAnswer(presets=[PresetShape.of(preset, person) for preset in found])


@router.post("/presets", status_code=201)
def create_preset(person: CurrentUser, body: NewPreset) -> PresetAnswer:
    """Keep settings under a new name."""
    with db.write_session() as session:
        preset = presets.create(session, person, name=body.name, spec=body.settings.spec(), shared=body.shared)
    return PresetAnswer(preset=PresetShape.of(preset, person))


@router.patch("/presets/{id}")
def change_preset(person: CurrentUser, preset_id: PathId, body: PresetChanges) -> PresetAnswer:
    """Rename a preset of yours, share it or keep it to yourself, or keep other settings under its name."""
    spec = body.settings.spec() if body.settings else None
    with db.write_session() as session:
        preset = presets.update(session, person, preset_id, name=body.name, shared=body.shared, spec=spec)
    return PresetAnswer(preset=PresetShape.of(preset, person))


@router.delete("/presets/{id}")
def delete_preset(person: CurrentUser, preset_id: PathId) -> responses.Response:
    """Forget a preset of yours."""
    with db.write_session() as session:
        presets.delete(session, person, preset_id)
    return responses.Response()
