"""The simulators, as the product meets them: over HTTP, through the real provider classes and the real download."""

import asyncio
import time
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from core import config, errors
from core.files import download
from core.providers import registry
from core.providers.contract import JobState, JobStatus, ProviderJob, SourceImage, VideoRequest, VideoSource
from core.providers.registry import Access
from tests.simulators import running

pytestmark = pytest.mark.process
EVERY_VENDOR = pytest.mark.parametrize(("vendor", "model_id"), [("modelslab", "veo3"), ("edenai", "kling-2.5")])


def _request(model_id: str, prompt: str) -> VideoRequest:
    model = registry.model(model_id)
    return VideoRequest(
        reference=f"ref {prompt}",
        model=model,
        prompt=prompt,
        resolution="720p",
        duration_seconds=model.default_seconds,
        aspect_ratio="16:9",
        start_image=SourceImage(b"\xff\xd8"),
    )


def _call(vendor: str, base_url: str, call: str, argument: Any) -> Any:
    async def run() -> Any:
        async with httpx.AsyncClient(timeout=2) as client:
            provider = registry.connect(vendor, client=client, access=Access(key="key", base_url=base_url))
            return await getattr(provider, call)(argument)

    return asyncio.run(run())


def _finished(vendor: str, base_url: str, job: ProviderJob) -> JobStatus:
    status: JobStatus = _call(vendor, base_url, "check_status", job.id)
    while status.state is JobState.RUNNING:
        time.sleep(0.05)
        status = _call(vendor, base_url, "check_status", job.id)
    return status


@EVERY_VENDOR
def test_jobs_live_and_files_arrive(vendor: str, model_id: str, tmp_path: Path) -> None:
    """A job is made, waits, is done and downloads whole, also where the connection drops or the first link is dead."""
    with running(vendor, seconds=0.2) as base_url:
        allow = frozenset({config.host_port(base_url)})
        fetched = {}
        for kind in ("ok", "drop", "expired"):
            job = _call(vendor, base_url, "generate_video", _request(model_id, f"[sim:{kind}]"))
            link = _finished(vendor, base_url, job).video_url or ""
            if kind == "expired":
                with pytest.raises(errors.OutputExpired):
                    download.fetch(VideoSource(link), tmp_path / kind, allow=allow)
                link = _finished(vendor, base_url, job).video_url or ""
            fetched[kind] = download.fetch(VideoSource(link), tmp_path / kind, allow=allow)
    assert fetched["ok"].sha256 == fetched["drop"].sha256 == fetched["expired"].sha256
    with av.open(str(fetched["drop"].path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.codec_context.pix_fmt) == (1280, 720, "yuv420p")


@EVERY_VENDOR
def test_armed_faults_strike_the_next_submits(vendor: str, model_id: str) -> None:
    """A fault armed over the control route strikes as often as asked, then all is well again."""
    faults = {"429": errors.ProviderRateLimited, "badkey": errors.BadKey, "nocredit": errors.ProviderOutOfCredits}
    with running(vendor) as base_url:
        for kind, expected in faults.items():
            assert httpx.post(f"{base_url}/_sim/faults", json={"kind": kind, "times": 1}).is_success
            with pytest.raises(expected):
                _call(vendor, base_url, "generate_video", _request(model_id, "a lake"))
        _call(vendor, base_url, "generate_video", _request(model_id, "a lake"))
        submits = httpx.get(f"{base_url}/_sim/calls").json()["submits"]
    assert [submit["kind"] for submit in submits] == [*faults, "ok"]
    assert [bool(submit["job_id"]) for submit in submits] == [False, False, False, True]


@EVERY_VENDOR
def test_lost_answers_leave_one_job(vendor: str, model_id: str) -> None:
    """Where the answer is lost the job exists all the same, once, and its reference tells whose it is."""
    with running(vendor) as base_url:
        for kind in ("502html", "reset", "hang"):
            with pytest.raises(errors.SubmitUncertain):
                _call(vendor, base_url, "generate_video", _request(model_id, f"[sim:{kind}]"))
        submits = httpx.get(f"{base_url}/_sim/calls").json()["submits"]
    assert [submit["reference"] for submit in submits] == ["ref [sim:502html]", "ref [sim:reset]", "ref [sim:hang]"]
    assert all(submit["job_id"] for submit in submits)
