"""Models and providers over REST."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.installed import CurrentCatalogue, CurrentInstallation
from core.api.schemas import fields, responses
from core.api.schemas.abilities import Abilities, abilities
from core.billing import pricing
from core.catalog import in_force, offered
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.records import LifeState
from core.clock import utc_now
from core.insights import provider_status
from core.installation import Installation

router = routing.router("models")


class Model(Abilities):
    """What a model makes and what it costs at its default duration in 720p.

    `state` is `available` or `withdrawn`; a withdrawn one cannot be ordered, `reason` says why and `successor` is the
    id of the model to order instead, if there is one.
    """

    id: fields.ModelId
    name: fields.ModelName
    provider: fields.ProviderName
    description: Annotated[str, Field(examples=["A cinematic model with sound."])]
    default_duration: fields.ClipSeconds
    max_duration: fields.ClipSeconds
    durations: Annotated[list[int], Field(examples=[[8]])]
    resolutions: Annotated[list[str], Field(examples=[["720p", "1080p"]])]
    aspect_ratios: Annotated[list[str], Field(examples=[["16:9", "9:16", "1:1"]])]
    supports_text_to_video: bool
    supports_image_to_video: bool
    supports_end_image: bool
    supports_negative_prompt: bool
    supports_audio_generation: bool
    supports_prompt_enhancement: bool
    prompt_limit_chars: int
    limits: list[str]
    base_credits: Annotated[int, Field(examples=[2500])]
    configured: Annotated[bool, Field(examples=[True])]
    state: LifeState
    since: Annotated[datetime | None, Field(examples=[None])]
    successor: Annotated[str | None, Field(examples=[None])]
    reason: Annotated[str, Field(examples=[""])]


class ModelsAnswer(responses.Response):
    """All models."""

    models: list[Model]


class Provider(responses.ApiModel):
    """A vendor; `cancelNote` says what cancelling costs once it has a job.

    `state` is `ok`, `trouble` or `not_configured`. `keyWorks` is null while the key was never tried for free; the
    success rate and the median time are those of the last seven days, null before there are any.
    """

    name: fields.ProviderName
    display_name: Annotated[str, Field(examples=["ModelsLab"])]
    configured: Annotated[bool, Field(examples=[True])]
    state: str
    sentence: str
    key_works: bool | None
    in_flight: int
    success_rate_week: float | None
    median_seconds_week: float | None
    models: list[str]
    can_cancel: bool
    cancel_note: str


class ProvidersAnswer(responses.Response):
    """All providers."""

    providers: list[Provider]


@router.get("/models")
async def list_models(installation: CurrentInstallation, known: CurrentCatalogue) -> ModelsAnswer:
    """List models: what each can make, what it costs, whether its provider is configured, and whether it has ended."""
    now = utc_now()
    shown = [entry for entry in known.entries.values() if entry.prices and entry.state(now) is not LifeState.HIDDEN]
    with in_force.seen(known):
        return ModelsAnswer(models=[_model(known, entry, now, installation) for entry in shown])


def _model(known: Catalogue, entry: Entry, now: datetime, installation: Installation) -> Model:
    model, life = entry.model, entry.life(now)
    after = offered.successor(known, entry, now) if entry.state(now) is LifeState.WITHDRAWN else None
    return Model(
        id=model.id,
        name=model.name,
        provider=model.provider,
        description=model.description,
        default_duration=model.default_seconds,
        max_duration=model.max_seconds,
        durations=list(model.durations),
        resolutions=list(model.resolutions),
        aspect_ratios=list(model.aspect_ratios),
        supports_text_to_video=model.text_to_video,
        supports_image_to_video=model.start_image,
        supports_end_image=model.end_image,
        supports_negative_prompt=model.negative_prompt,
        supports_audio_generation=model.audio,
        supports_prompt_enhancement=model.prompt_enhancement,
        prompt_limit_chars=model.prompt_limit_chars,
        limits=list(model.limits),
        base_credits=pricing.base_credits(model, now),
        state=entry.state(now),
        since=life.since if life else None,
        successor=after.id if after else None,
        reason=life.reason if life else "",
        configured=model.provider in installation.configured,
        **abilities(model),
    )


@router.get("/providers")
def list_providers(installation: CurrentInstallation, known: CurrentCatalogue) -> ProvidersAnswer:
    """List providers: whether each is configured and working, and how it did this week."""
    with db.read_session() as session:
        statuses = provider_status.statuses(session, installation.settings)
    return ProvidersAnswer(
        providers=[
            Provider(
                name=status.provider.name,
                display_name=status.provider.display_name,
                configured=status.state != provider_status.NOT_CONFIGURED,
                state=status.state,
                sentence=str(status.trouble or ""),
                key_works=status.key_works,
                in_flight=status.week.in_flight,
                success_rate_week=status.week.success_rate,
                median_seconds_week=status.week.median_seconds,
                models=[model.id for model in known.of_provider(status.provider.name)],
                can_cancel=status.provider.can_cancel,
                cancel_note=status.provider.cancel_note,
            )
            for status in statuses
        ]
    )
