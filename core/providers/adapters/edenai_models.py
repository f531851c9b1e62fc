"""Eden AI's models, as its documentation and public adapters name them (docs repository, 2026-06 to 2026-08)."""

from core.messages import N_
from core.providers.contract import VideoModel

_NOT_LISTED = N_("The vendor's present list of video models does not name this one; it may be refused.")
_SIZE_IS_A_WISH = N_("Size and length are passed on as a wish; the clip may arrive in the nearest the model makes.")
_NO_NEGATIVE_PROMPT = N_("Takes no negative prompt: the vendor's request has no field for one.")

MODELS = (
    VideoModel(
        id="runway-gen3",
        name="Runway Gen-3",
        provider="edenai",
        # Uncertain: named by earlier clients of the vendor, found in no revision of its list of video models.
        upstream_id="runwayml/gen3a_turbo",
        description=N_("Stylised, film-like movement."),
        default_seconds=10,
        durations=(5, 10),
        resolutions=("720p",),
        aspect_ratios=("16:9", "9:16"),
        start_image=True,
        prompt_limit_chars=1000,
        typical_seconds=120,
        limits=(_NOT_LISTED, _SIZE_IS_A_WISH, _NO_NEGATIVE_PROMPT),
    ),
    VideoModel(
        id="kling-2.5",
        name="Kling 2.5",
        provider="edenai",
        # Uncertain: the vendor's list of video models has no Kling; the name is Kling's own for this model.
        upstream_id="kling/kling-v2-5-turbo",
        description=N_("Strong motion and faces, from text or from a first frame."),
        default_seconds=5,
        durations=(5, 10),
        resolutions=("720p", "1080p"),
        aspect_ratios=("16:9", "9:16", "1:1"),
        start_image=True,
        typical_seconds=150,
        limits=(_NOT_LISTED, _SIZE_IS_A_WISH, _NO_NEGATIVE_PROMPT),
    ),
    VideoModel(
        id="nova-reel",
        name="Amazon Nova Reel",
        provider="edenai",
        upstream_id="amazon/amazon.nova-reel-v1:0",
        description=N_("Calm product shots and landscapes."),
        default_seconds=6,
        durations=(6,),
        resolutions=("720p",),
        aspect_ratios=("16:9",),
        start_image=True,
        image_exact=True,  # Amazon: exactly 1280 x 720, which is the one frame of this model
        prompt_limit_chars=512,  # Amazon's own limit for a single shot
        typical_seconds=120,
        limits=(N_("A start image of another shape than the aspect ratio is cropped."), _NO_NEGATIVE_PROMPT),
    ),
)
