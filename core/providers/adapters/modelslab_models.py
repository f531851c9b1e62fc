"""ModelsLab's models, as its public documentation describes them (docs-v2 repository, 2026-05; model pages)."""

from core.messages import N_
from core.providers.contract import VideoModel

ULTRA = "text-to-video-ultra"
ULTRA_FRAMES_PER_SECOND = 16
ULTRA_MOST_LINES = 480
"""text2video_ultra, OpenAPI of the video API: `fps` and `resolution` at most this."""

NO_DURATION = frozenset({"seedance-t2v"})
"""Models whose schema has no field for a length."""

_ONE_SIZE = N_("The vendor documents no choice of size for this model.")
_UNGUARANTEED = N_("Google has retired this model upstream; the vendor may refuse it or serve a successor.")

MODELS = (
    VideoModel(
        id="veo3",
        name="Google Veo 3",
        provider="modelslab",
        upstream_id="veo3",
        # Model pages of Veo: prompt, aspect_ratio, duration, generate_audio, negative_prompt, enhance_prompt, no more.
        description=N_("Film-like clips with sound, from text."),
        default_seconds=8,
        durations=(8,),
        resolutions=("720p",),
        aspect_ratios=("16:9", "9:16"),
        negative_prompt=True,
        audio=True,
        prompt_enhancement=True,
        typical_seconds=120,
        limits=(_ONE_SIZE, _UNGUARANTEED),
    ),
    VideoModel(
        id="veo2",
        name="Google Veo 2",
        provider="modelslab",
        upstream_id="veo2",
        description=N_("Realistic movement without sound, from text."),
        default_seconds=8,
        durations=(8,),
        resolutions=("720p",),
        aspect_ratios=("16:9", "9:16"),
        negative_prompt=True,
        prompt_enhancement=True,
        typical_seconds=120,
        limits=(_ONE_SIZE, _UNGUARANTEED),
    ),
    VideoModel(
        id=ULTRA,
        name="Text-to-Video Ultra",
        provider="modelslab",
        upstream_id="wan2.2",
        description=N_("An open model with any length from 3 to 10 seconds."),
        default_seconds=8,
        durations=tuple(range(3, 11)),
        resolutions=("480p", "720p"),
        aspect_ratios=("16:9", "9:16"),
        negative_prompt=True,
        typical_seconds=150,
        limits=(
            N_("The vendor makes 480 lines at most here: a 720p clip is made at 480 lines."),
            N_("Clips run at 16 frames a second."),
        ),
    ),
    VideoModel(
        id="wan-2.2-t2v",
        name="Wan 2.2 T2V",
        provider="modelslab",
        upstream_id="wan2.2",  # documented by the vendor; its pages name no "wan2.2-t2v"
        description=N_("Lively movement from text."),
        default_seconds=10,
        durations=(5, 10),
        resolutions=("480p", "720p"),
        aspect_ratios=("16:9", "9:16"),
        negative_prompt=True,
        typical_seconds=150,
        limits=(N_("The vendor documents no lengths for this model; a 10-second clip may arrive shorter."),),
    ),
    VideoModel(
        id="seedance-t2v",
        name="Seedance T2V",
        provider="modelslab",
        upstream_id="seedance-t2v",
        description=N_("Quick and inexpensive clips from text."),
        default_seconds=5,
        durations=(5,),  # the vendor's schema has no field for a length
        resolutions=("480p", "720p"),
        aspect_ratios=("16:9", "4:3", "1:1"),  # of the vendor's four; 9:21 has no frame size with us
        typical_seconds=60,
        published_seconds=10,
        limits=(N_("The vendor documents no choice of length for this model."),),
    ),
)
