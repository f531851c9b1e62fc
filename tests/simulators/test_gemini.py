"""Google's stand-in in what only Google does: files that come late or not at all, and clips inside the answer."""

from decimal import Decimal
from pathlib import Path

import pytest

from core import config, errors
from core.files import download
from core.providers.contract import LINK_AT_PROVIDER, JobState, ReportedCost, VideoSource
from tests.simulators import running
from tests.simulators.gemini import LARGE_BYTES
from tests.simulators.test_stand_ins import call, finished, look, order, submits

pytestmark = pytest.mark.process


@pytest.mark.parametrize("kind", ["inline", "bigvideo"])
def test_a_clip_inside_the_answer_arrives(kind: str, tmp_path: Path) -> None:
    """Also 30 MB of base64: it is not kept, asked for again, and written to disk as the file it is."""
    with running("gemini", seconds=0.1) as base_url:
        job = call("gemini", base_url, "generate_video", order("gemini", kind))
        status = finished("gemini", base_url, job.id)
        assert status.video_url == LINK_AT_PROVIDER
        assert len(repr(status)) < 5000
        link = look("gemini", base_url, "video_link", job.id)
        source = look("gemini", base_url, "video_source", job.id, link)
        inside = download.fetch(source, tmp_path / "inside")
        plain = call("gemini", base_url, "generate_video", order("gemini", "ok"))
        usual = call("gemini", base_url, "video_source", plain.id, finished("gemini", base_url, plain.id).video_url)
        file = download.fetch(usual, tmp_path / "file", allow=frozenset({config.host_port(base_url)}))
    assert source.headers == {}
    assert inside.size_bytes == file.size_bytes + (LARGE_BYTES + 8 if kind == "bigvideo" else 0)
    assert inside.path.read_bytes().startswith(file.path.read_bytes())


def test_a_late_file_is_waited_for(tmp_path: Path) -> None:
    """The job is completed before its file is there, and its file is fetched with the key and not without."""
    with running("gemini", seconds=0.01) as base_url:
        job = call("gemini", base_url, "generate_video", order("gemini", "latefile"))
        states = [call("gemini", base_url, "check_status", job.id).state for _ in range(2)]
        while states[-1] is not JobState.SUCCEEDED:
            states.append(call("gemini", base_url, "check_status", job.id).state)
        source = call("gemini", base_url, "video_source", job.id, finished("gemini", base_url, job.id).video_url)
        allow = frozenset({config.host_port(base_url)})
        with pytest.raises(errors.DownloadFailed):
            download.fetch(VideoSource(source.url), tmp_path / "bare", allow=allow, max_tries=1)
        fetched = download.fetch(source, tmp_path / "clip", allow=allow)
    assert states[-2] is JobState.RUNNING
    assert fetched.size_bytes > 1000


@pytest.mark.parametrize(
    ("kind", "expected"), [("filegone", errors.ExpiredAtProvider), ("toobusy", errors.GenerationFailed)]
)
def test_a_job_that_came_to_nothing(kind: str, expected: type[errors.ProviderError]) -> None:
    """A file that Google has thrown away, and a job that was accepted and then found no room."""
    with running("gemini", seconds=0.05) as base_url:
        job = call("gemini", base_url, "generate_video", order("gemini", kind))
        status = finished("gemini", base_url, job.id)
    assert (status.state, type(status.error)) == (JobState.FAILED, expected)


@pytest.mark.parametrize(
    ("kind", "cost"),
    [("ok", "0.568216"), ("costtext", "0.568216"), ("costnull", None), ("fail", "0.00018"), ("nsfw", "0.00018")],
)
def test_what_a_job_has_cost(kind: str, cost: str | None) -> None:
    """Tokens at the model's rates, also of a job that failed; without a count there is no figure."""
    with running("gemini", seconds=0.05) as base_url:
        job = call("gemini", base_url, "generate_video", order("gemini", kind))
        reported = finished("gemini", base_url, job.id).cost
    assert reported == (ReportedCost(Decimal(cost), "USD") if cost else None)


def test_a_stop_takes_hold_while_the_clip_is_made() -> None:
    """A job on its way is stopped for good; one that is done stays as it is."""
    with running("gemini", seconds=0.2) as base_url:
        job = call("gemini", base_url, "generate_video", order("gemini", "slow"))
        assert call("gemini", base_url, "cancel", job.id).state is JobState.CANCELLED
        assert finished("gemini", base_url, job.id).state is JobState.CANCELLED
        done = call("gemini", base_url, "generate_video", order("gemini", "ok"))
        finished("gemini", base_url, done.id)
        assert call("gemini", base_url, "cancel", done.id).state is JobState.SUCCEEDED


def test_its_models_are_listed() -> None:
    """Of all of Google's models only those that make video."""
    with running("gemini") as base_url:
        found = [model.upstream_id for model in call("gemini", base_url, "live_models")]
    assert found == ["gemini-omni-1.2-flash", "gemini-omni-1.1-flash"]


def test_an_order_says_where_to_call() -> None:
    """Google is told the order's own address and our reference, and only where we can be reached."""
    with running("gemini") as base_url:
        call("gemini", base_url, "generate_video", order("gemini", "ok", webhook_url="https://studio.example/h/1/s"))
        call("gemini", base_url, "generate_video", order("gemini", "ok"))
        told = [each["body"].get("webhook_config") for each in submits(base_url)]
    assert told == [{"uris": ["https://studio.example/h/1/s"], "user_metadata": {"reference": "01Jok"}}, None]
