"""fal's models, as their pages describe them (fal.ai/models/MODEL/llms.txt), and how their endpoints differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.messages import N_
from core.providers.adapter import END_NEEDS_START
from core.providers.contract import VideoModel

IMAGE_MAX_BYTES = 2_000_000
"""Images go along as data URIs, in a JSON body for which the vendor's pages name no limit."""
_SHAPE_OF_IMAGE = N_("With a start image the clip takes the image's shape, whatever the aspect ratio says.")
_NO_SIZE = N_("The vendor offers no choice of size: a clip has 720 lines or more, as it decides.")

MODELS = (
    VideoModel(
        id="fal-kling-2.5-turbo",
        name="Kling 2.5 Turbo Pro (fal)",
        provider="fal",
        # fal.ai/docs kling-video-v2.5-turbo-pro: duration "5" or "10", three ratios, tail_image_url, no resolution.
        upstream_id="fal-ai/kling-video/v2.5-turbo/pro",
        description=N_("Fluid motion and close obedience to the prompt."),
        default_seconds=5,
        durations=(5, 10),
        resolutions=("720p",),
        aspect_ratios=("16:9", "9:16", "1:1"),
        start_image=True,
        image_max_bytes=IMAGE_MAX_BYTES,
        end_image=True,
        end_image_needs_start=True,
        negative_prompt=True,
        typical_seconds=150,
        limits=(END_NEEDS_START, _SHAPE_OF_IMAGE, _NO_SIZE),
    ),
    VideoModel(
        id="fal-veo-3.1-fast",
        name="Google Veo 3.1 Fast",
        provider="fal",
        # fal.ai/docs veo3.1-fast: duration "4s", "6s" or "8s", 720p to 4k, 16:9 or 9:16, sound on unless switched off.
        upstream_id="fal-ai/veo3.1/fast",
        description=N_("Google's quick model with sound, up to 4K."),
        default_seconds=8,
        durations=(4, 6, 8),
        resolutions=("720p", "1080p", "4K"),
        aspect_ratios=("16:9", "9:16"),
        start_image=True,
        image_max_bytes=IMAGE_MAX_BYTES,
        negative_prompt=True,
        audio=True,
        typical_seconds=90,
        limits=(N_("A start image of another shape than the aspect ratio is cropped."),),
    ),
    VideoModel(
        id="fal-hailuo-2.3",
        name="MiniMax Hailuo 2.3",
        provider="fal",
        # Model page, hailuo-2.3/standard: duration "6" or "10", prompt_optimizer, no ratio and no resolution.
        upstream_id="fal-ai/minimax/hailuo-2.3/standard",
        description=N_("Expressive people and physical motion."),
        default_seconds=6,
        durations=(6, 10),
        resolutions=("720p",),
        aspect_ratios=("16:9",),
        start_image=True,
        image_max_bytes=IMAGE_MAX_BYTES,
        prompt_enhancement=True,
        typical_seconds=180,
        limits=(N_("The vendor makes 768 lines here: a 720p clip arrives a little larger."), _SHAPE_OF_IMAGE),
    ),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How one model differs from the others at the vendor; paths follow its `upstream_id`."""

    text_path: str = "/text-to-video"
    image_path: str = "/image-to-video"
    duration_unit: str = ""
    ratio_with_image: bool = False
    end_image: str = ""
    enhancement: str = ""
    always_with_text: Mapping[str, bool] = field(default_factory=dict)


ENDPOINTS: Mapping[str, Endpoint] = {
    "fal-kling-2.5-turbo": Endpoint(end_image="tail_image_url"),
    "fal-veo-3.1-fast": Endpoint(
        text_path="",
        duration_unit="s",
        ratio_with_image=True,
        always_with_text={"auto_fix": False},  # on at the vendor: it would rewrite prompts that fail its policy check
    ),
    "fal-hailuo-2.3": Endpoint(enhancement="prompt_optimizer"),
}

FIELDS: Mapping[str, str] = {
    "prompt": "prompt",
    "negative_prompt": "negativePrompt",
    "duration": "duration",
    "resolution": "resolution",
    "aspect_ratio": "aspectRatio",
    "image_url": "startImagePath",
    "tail_image_url": "endImagePath",
    "generate_audio": "generateAudio",
    "prompt_optimizer": "enhancePrompt",
}
"""What they take, and our names for it."""
