"""Replicate's models and their inputs, as their pages describe them (replicate.com/OWNER/NAME/versions/VERSION/api)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.messages import N_
from core.providers.adapter import END_NEEDS_START
from core.providers.contract import VideoModel

_SHAPE_OF_IMAGE = N_("With a start image the clip takes the image's shape, whatever the aspect ratio says.")
_NO_SIZE = N_("The vendor offers no choice of size: a clip has 720 lines or more, as it decides.")

MODELS = (
    VideoModel(
        id="svd",
        name="Stable Video Diffusion",
        provider="replicate",
        # A community model, so it is asked for by version; the hash is the one public clients name.
        upstream_id="stability-ai/stable-video-diffusion:"
        "3f0457e4619daac51203dedb472816fd4af51f3149fa7a9e0b5ffcf1b8172438",
        description=N_("Brings one still image to life for four seconds."),
        default_seconds=4,
        durations=(4,),
        resolutions=("720p",),
        aspect_ratios=("16:9",),
        text_to_video=False,
        start_image=True,
        typical_seconds=120,
        limits=(
            N_("The prompt is not sent: the model moves the start image by itself."),
            N_("Clips have 25 frames at 6 a second, so 4.17 seconds."),
            N_("The vendor makes 1024 x 576 pixels here; the image is cropped to 16:9."),
        ),
    ),
    VideoModel(
        id="replicate-seedance-1-pro",
        name="Seedance 1 Pro",
        provider="replicate",
        # Model page, version a5fd5508: duration 2 to 12, three resolutions, image and last_frame_image.
        upstream_id="bytedance/seedance-1-pro",
        description=N_("Several shots in one clip, from text or between two frames."),
        default_seconds=5,
        durations=tuple(range(2, 13)),
        resolutions=("480p", "720p", "1080p"),
        aspect_ratios=("16:9", "9:16", "1:1", "4:3"),  # of the vendor's; 21:9 and others have no frame size with us
        start_image=True,
        end_image=True,
        end_image_needs_start=True,
        typical_seconds=90,
        limits=(END_NEEDS_START, _SHAPE_OF_IMAGE),
    ),
    VideoModel(
        id="replicate-kling-2.5-turbo-pro",
        name="Kling 2.5 Turbo Pro",
        provider="replicate",
        # Model page, version 18f41bfc: duration 5 or 10, three ratios, start_image and end_image, no resolution.
        upstream_id="kwaivgi/kling-v2.5-turbo-pro",
        description=N_("Smooth motion and camera moves, from text or between two frames."),
        default_seconds=5,
        durations=(5, 10),
        resolutions=("720p",),
        aspect_ratios=("16:9", "9:16", "1:1"),
        start_image=True,
        end_image=True,
        end_image_needs_start=True,
        negative_prompt=True,
        typical_seconds=150,
        limits=(END_NEEDS_START, _SHAPE_OF_IMAGE, _NO_SIZE),
    ),
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """How one model names what it takes ("" where it takes none), and what is always sent with it."""

    prompt: str = "prompt"
    start_image: str = ""
    end_image: str = ""
    always: Mapping[str, Any] = field(default_factory=dict)


INPUTS: Mapping[str, Inputs] = {
    "svd": Inputs(
        prompt="",
        start_image="input_image",
        always={
            "video_length": "25_frames_with_svd_xt",
            "frames_per_second": 6,
            "sizing_strategy": "crop_to_16_9",
        },
    ),
    "replicate-seedance-1-pro": Inputs(start_image="image", end_image="last_frame_image"),
    "replicate-kling-2.5-turbo-pro": Inputs(start_image="start_image", end_image="end_image"),
}
