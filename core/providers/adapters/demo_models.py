"""The demo studio's model."""

from core.messages import N_
from core.providers.contract import VideoModel

MODELS = (
    VideoModel(
        id="demo-film",
        name="Demo Film",
        provider="demo",
        upstream_id="demo-film",
        description=N_("Drawn on this computer from words of the prompt, not by an AI. Needs no key, takes seconds."),
        default_seconds=5,
        durations=tuple(range(1, 17)),
        resolutions=("720p", "1080p", "4K"),
        aspect_ratios=("16:9", "9:16", "1:1"),
        start_image=True,
        end_image=True,
        ignores_negative_prompt=True,
        audio=True,
        typical_seconds=10,
        deadline_seconds=1800,
        limits=(
            N_("The negative prompt is ignored."),
            N_("Lakes, mountains, the sea, space and silk are drawn; anything else is shown by its own words."),
        ),
    ),
)
