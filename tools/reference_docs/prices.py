"""The page of the prices: the list, the surcharges, and examples worked out by the function that charges them."""

from collections.abc import Iterator

from core.billing import pricing
from core.catalog import catalogue, price_list
from core.catalog.catalogue import Entry
from core.catalog.records import PerSecondPrice, PublishedPrice
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
            ("model", "name", "provider", "default s", "longest s", "credits"),
            [line for entry in _entries() for line in _base(entry)],
        ),
        *_by_the_second(),
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


def _entries() -> Iterator[Entry]:
    yield from catalogue.shipped().entries.values()


def _base(entry: Entry) -> Iterator[tuple[str, ...]]:
    """The newest published price of a model, where it has one."""
    model = entry.model
    for price in entry.prices[-1:]:
        if isinstance(price, PublishedPrice):
            seconds = (f"{price.default_seconds}", f"{model.max_seconds}")
            yield f"`{model.id}`", model.name, model.provider, *seconds, f"{price.base_credits:,}"


def _by_the_second() -> Iterator[str]:
    """The models whose price has no surcharges, with the rate of every size; nothing where there are none."""
    rows = [
        (
            f"`{entry.model.id}`",
            entry.model.name,
            entry.model.provider,
            ", ".join(f"{name}: {credits:,}" for name, credits in price.credits_per_second.items()),
            f"{price.minimum_seconds or ''}",
            f"{price.image_credits or ''}",
            f"{price.reference_credits or ''}",
        )
        for entry in _entries()
        for price in entry.prices[-1:]
        if isinstance(price, PerSecondPrice)
    ]
    if rows:
        yield "## Prices by the second"
        yield "These have no surcharges: each second costs what its size costs, with sound or without."
        heads = ("model", "name", "provider", "credits a second", "least s", "an image", "a reference")
        yield markdown.table(heads, rows)


def _example(model_id: str, resolution: str, seconds: int, *, start_image: bool = False) -> tuple[str, ...]:
    priced = pricing.priced(
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
