"""Models and providers over REST."""

from fastapi import APIRouter

from core import access, config, pricing
from core.api import answers
from core.providers import registry

router = APIRouter(tags=["models"])


@router.get("/models")
def list_models() -> answers.ModelsAnswer:
    """Every model: what it makes, what it costs, and whether its provider is configured here."""
    configured = access.configured(config.settings())
    return answers.ModelsAnswer(
        models=[
            answers.Model(
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
def list_providers() -> answers.ProvidersAnswer:
    """Every provider, and whether it is configured here."""
    configured = access.configured(config.settings())
    return answers.ProvidersAnswer(
        providers=[
            answers.Provider(
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
