"""Models and providers over REST."""

from fastapi import APIRouter

from core import access, config, pricing
from core.api import answers
from core.providers import registry

router = APIRouter(tags=["models"])


class Model(answers.Part):
    """What a model makes and what it costs at its default duration in 720p."""

    id: str
    name: str
    provider: str
    description: str
    default_duration: int
    max_duration: int
    durations: list[int]
    resolutions: list[str]
    aspect_ratios: list[str]
    supports_text_to_video: bool
    supports_image_to_video: bool
    supports_end_image: bool
    supports_negative_prompt: bool
    supports_audio_generation: bool
    supports_prompt_enhancement: bool
    prompt_limit_chars: int
    limits: list[str]
    base_credits: int
    configured: bool


class ModelsAnswer(answers.Envelope):
    """All models."""

    models: list[Model]


class Provider(answers.Part):
    """A vendor; `cancelNote` says what cancelling costs once it has a job."""

    name: str
    display_name: str
    configured: bool
    models: list[str]
    can_cancel: bool
    cancel_note: str


class ProvidersAnswer(answers.Envelope):
    """All providers."""

    providers: list[Provider]


@router.get("/models")
def list_models() -> ModelsAnswer:
    """Every model: what it makes, what it costs, and whether its provider is configured here."""
    configured = access.configured(config.settings())
    return ModelsAnswer(
        models=[
            Model(
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
                base_credits=pricing.price(model.id).base_credits,
                configured=model.provider in configured,
            )
            for model in registry.models()
        ]
    )


@router.get("/providers")
def list_providers() -> ProvidersAnswer:
    """Every provider, and whether it is configured here."""
    configured = access.configured(config.settings())
    return ProvidersAnswer(
        providers=[
            Provider(
                name=provider.name,
                display_name=provider.display_name,
                configured=provider.name in configured,
                models=[model.id for model in provider.models],
                can_cancel=provider.can_cancel,
                cancel_note=provider.cancel_note,
            )
            for provider in registry.providers()
        ]
    )
