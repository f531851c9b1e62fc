"""Placeholder until the real one is written."""
from core.providers.base import Provider
from core.video import JobStatus, ProviderJob, VideoModel, VideoRequest


class Demo(Provider):
    """Placeholder."""

    name = "demo"
    display_name = "Demo Studio"
    default_base_url = "http://127.0.0.1:8710"
    needs_key = False
    can_cancel = True
    can_find = True
    min_poll_seconds = 0.5
    models = (
        VideoModel(
            id="demo-film", name="Demo Film", provider="demo",
            description="Drawn on this computer, not by an AI.", default_seconds=5, durations=tuple(range(1, 17)),
            resolutions=("720p", "1080p", "4K"), aspect_ratios=("16:9", "9:16", "1:1"), start_image=True, end_image=True,
            audio=True, typical_seconds=10, limits=("The negative prompt is ignored.",),
        ),
    )

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        raise NotImplementedError

    async def check_status(self, job_id: str) -> JobStatus:
        raise NotImplementedError
