"""The page of the prices: the list, the surcharges, and examples worked out by the function that charges them."""

from core.billing.quote import quote
from core.catalog import price_list
from core.providers import registry
from core.providers.contract import VideoModel
from core.spec import GenerationSpec
from tools.reference_docs import markdown


def page() -> str:
    """The page as it must stand in docs/reference."""
    shares = [(f"resolution {name}", f"+{percent} %") for name, percent in price_list.RESOLUTION_PERCENT.items()]
    shares += [
        ("each second beyond the default length", f"+{price_list.DURATION_PERCENT_PER_SECOND} %"),
        ("start image", f"+{price_list.START_IMAGE_PERCENT} %"),
        ("end image", f"+{price_list.END_IMAGE_PERCENT} %"),
        ("both images", f"+{price_list.BOTH_IMAGES_PERCENT} %"),
        ("sound", f"+{price_list.AUDIO_CREDITS} credits"),
        ("prompt enhancement", f"+{price_list.PROMPT_ENHANCEMENT_CREDITS} credits"),
    ]
    return markdown.page(
        "Prices",
        f"Price list {price_list.VERSION}. Prices are whole credits; 1 credit is Rp {price_list.IDR_PER_CREDIT}. "
        "An order keeps the price it was made at. How it is held and charged: [money](../explanation/money.md).",
        "## Base prices",
        "For 720p and up to the default length; a shorter clip costs the same.",
        markdown.table(
            ("model", "name", "provider", "default s", "longest s", "credits"), map(_base, registry.models())
        ),
        "## Surcharges",
        "Shares are of the base price: they add up, do not compound, and each is rounded half up to a whole credit.",
        markdown.table(("for", "surcharge"), shares),
        "## Examples",
        markdown.table(
            ("order", "lines", "credits"),
            [
                _example("veo3", "720p", 8),
                _example("veo3", "1080p", 16),
                _example("kling-2.5", "1080p", 10, start_image=True),
            ],
        ),
        "`POST /estimate-credits` prices any order without making it, also one that the model cannot make.",
    )


def _base(model: VideoModel) -> tuple[str, ...]:
    price = price_list.price(model.id)
    seconds = (f"{price.default_seconds}", f"{model.max_seconds}")
    return f"`{model.id}`", model.name, model.provider, *seconds, f"{price.base_credits:,}"


def _example(model_id: str, resolution: str, seconds: int, *, start_image: bool = False) -> tuple[str, ...]:
    priced = quote(
        GenerationSpec(
            model_id=model_id,
            resolution=resolution,
            duration_seconds=seconds,
            aspect_ratio="16:9",
            start_image_key="any" if start_image else None,
        )
    )
    order = f"`{model_id}`, {resolution}, {seconds} s" + (", with a start image" if start_image else "")
    lines = ", ".join(f"{line.kind} {line.credits:,}" for line in priced.lines)
    return order, lines, f"{priced.total_credits:,}"
