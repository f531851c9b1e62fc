"""Models that tests are tried on: fifteen real ones as data, and a demo that takes all there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from core.providers import model_files, registry
from core.providers.adapters.demo import Demo
from core.providers.models import CapabilityRule, Condition, VideoModel

_FILE = Path(__file__).parents[1] / "fixtures" / "models" / "fifteen.toml"

FIFTEEN: tuple[VideoModel, ...] = tuple(record.model for record in model_files.read(_FILE, provider="vendor"))

ABLE = replace(
    Demo.models[0],
    seed=True,
    frame_rates=(24, 50),
    reference_images=3,
    reference_videos=1,
    reference_roles=("subject", "style"),
    rules=(
        CapabilityRule(
            when={"images": Condition(at_least=1)},
            then={"seconds": Condition(at_most=10), "end": Condition(at_most=0)},
            sentence="With references a clip has 10 seconds at most, and no end image.",
            id="short-with-references",
        ),
        CapabilityRule(
            when={"resolution": Condition(("4K",))},
            then={"seconds": Condition(at_most=8)},
            sentence="At 4K a clip has 8 seconds at most.",
            id="short-at-4k",
        ),
    ),
)
"""The demo's model with a seed, frame rates, references and rules."""


class AbleDemo(Demo):
    """The demo as a vendor whose model takes more."""

    models = (ABLE,)


@contextmanager
def able_demo(model: VideoModel = ABLE) -> Iterator[VideoModel]:
    """Let this process have that model in the demo's place."""
    known = registry.make()
    known.put(type("AbleDemo", (AbleDemo,), {"models": (model,)}))
    registry.use(known)
    try:
        yield model
    finally:
        registry.use(None)
