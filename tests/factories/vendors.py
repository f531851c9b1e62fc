"""Further models for a test, added as an installation adds them: by a file of vendors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import vendors_file
from core.providers import registry


@contextmanager
def further_models(folder: Path, text: str) -> Iterator[None]:
    """Let this process have what a VENDORS_FILE with `text` says, while the block runs."""
    file = folder / "vendors.toml"
    file.write_text(text, "utf-8")
    known = registry.make()
    vendors_file.add(known, file)
    registry.use(known)
    try:
        yield
    finally:
        registry.use(None)


def model_of_demo(model_id: str, *, prices: str, costs: str = "") -> str:
    """The text of a file with one more model of the demo; prices and costs are inline tables of TOML."""
    return f"""
[[vendor.demo.model]]
id = "{model_id}"
name = "Model {model_id}"
upstream_id = "film"
description = "Made on our own machine."
default_seconds = 5
durations = {{ from = 3, to = 10 }}
resolutions = ["720p", "1080p"]
aspect_ratios = ["16:9"]
audio = true
prices = [{prices}]
costs = [{costs}]
"""
