"""How long the rules of models take: all choices of a form, and the nearest order that can be made.

`python -m benchmarks.rules [NUMBER]` tries so many random orders (300 by default) of each of the fifteen models that
the tests know, and prints a line a model. A redraw of the form asks for all choices once; 16 ms are allowed for them.
"""

import random
import sys
import time
from collections.abc import Callable
from statistics import median

from core.catalog import rules
from core.providers.models import VideoModel
from core.spec import GenerationSpec, Reference
from tests.factories.models import FIFTEEN

ORDERS = 300
IMAGE = "images/ab/x.jpg"


def any_order(model: VideoModel, chance: random.Random) -> GenerationSpec:
    """An order of a model's own values, most often not makeable together."""
    role = model.reference_roles[0] if model.reference_roles else ""
    return GenerationSpec(
        model_id=model.id,
        prompt="a lake",
        negative_prompt=chance.choice(["", "rain"]),
        resolution=chance.choice(model.resolutions),
        duration_seconds=chance.randint(1, 35),
        aspect_ratio=chance.choice(model.aspect_ratios),
        generate_audio=chance.random() < 0.5,
        seed=chance.choice([None, 7]),
        fps=chance.choice([None, 24, 30]),
        start_image_key=chance.choice([None, IMAGE]),
        end_image_key=chance.choice([None, IMAGE]),
        references=(Reference("image", role, IMAGE),) * chance.randint(0, 40),
    )


def milliseconds(act: Callable[[], object]) -> float:
    """How long one call computes."""
    start = time.thread_time()
    act()
    return (time.thread_time() - start) * 1000


def main(number: int) -> None:
    """Measure and print."""
    chance = random.Random(7)
    print(f"{'model':<20}{'choices ms':>12}{'worst':>8}{'adapt ms':>10}{'worst':>8}")
    for model in sorted(FIFTEEN, key=lambda known: known.id):
        offered, adapted = [], []
        for _order in range(number):
            spec = any_order(model, chance)
            adapted.append(milliseconds(lambda: rules.adapt(spec, model)))  # noqa: B023 -- called at once
            made = rules.adapt(spec, model).spec
            offered.append(milliseconds(lambda: rules.choices(model, made)))  # noqa: B023 -- called at once
        figures = f"{median(offered):>12.2f}{max(offered):>8.2f}{median(adapted):>10.2f}{max(adapted):>8.2f}"
        print(f"{model.id:<20}{figures}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS)
