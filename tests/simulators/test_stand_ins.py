"""The stand-ins of vendors that came later, through their real classes and the real download."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import config, errors
from core.files import download
from core.providers import registry
from core.providers.contract import (
    JobMatches,
    JobState,
    JobStatus,
    MediaKind,
    ReferenceMedia,
    ReportedCost,
    SourceImage,
    VideoRequest,
)
from core.providers.registry import Access
from tests.simulators import MODELS, running

pytestmark = pytest.mark.process
VENDORS = ("openrouter", "byteplus", "gemini", "minimax", "kling")
SILENCE: dict[str, dict[str, object]] = {
    "openrouter": {"generate_audio": False},
    "byteplus": {"generate_audio": False},
    "kling": {"sound": "off"},
}
"""What an order says that shall have no sound, where there is a choice."""
EVERY_VENDOR = pytest.mark.parametrize("vendor", VENDORS)
IMAGE = SourceImage(b"\xff\xd8")
LONG_AGO, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

REFUSED: Mapping[str, type[errors.ProviderError]] = {
    "429": errors.ProviderRateLimited,
    "429header": errors.ProviderRateLimited,
    "badkey": errors.BadKey,
    "nocredit": errors.ProviderOutOfCredits,
    "nsfwsubmit": errors.ContentRefused,
    "gone": errors.ModelUnavailable,
    "badinput": errors.InvalidInput,
    "echorefuse": errors.InvalidInput,
}
UNCERTAIN = ("502html", "reset", "hang", "500bare", "garbage", "noid", "echo502", "500")
ENDS = {
    "ok": (JobState.SUCCEEDED, None),
    "oddword": (JobState.SUCCEEDED, None),
    "early": (JobState.SUCCEEDED, None),
    "echo": (JobState.SUCCEEDED, None),
    "look429": (JobState.SUCCEEDED, None),
    "look500": (JobState.SUCCEEDED, None),
    "lookhtml": (JobState.SUCCEEDED, None),
    "lookreset": (JobState.SUCCEEDED, None),
    "fail": (JobState.FAILED, errors.GenerationFailed),
    "nsfw": (JobState.FAILED, errors.ContentRefused),
    "nsfwdone": (JobState.FAILED, errors.ContentRefused),
    "echofail": (JobState.FAILED, errors.GenerationFailed),
    "nojob": (JobState.FAILED, errors.JobLost),
    "expires": (JobState.FAILED, errors.JobLost),
}
ENDS_AT = {"byteplus": {"expires": (JobState.FAILED, errors.GenerationFailed)}}
"""Where a vendor's words mean something else."""


def order(vendor: str, kind: str, **changed: Any) -> VideoRequest:
    """An order that goes as `kind` says."""
    model = registry.model(MODELS[vendor])
    plain = VideoRequest(
        reference=f"01J{kind}",
        model=model,
        prompt=f"a lake [sim:{kind}]",
        resolution="720p" if "720p" in model.resolutions else model.resolutions[0],
        duration_seconds=model.default_seconds,
        aspect_ratio="16:9",
    )
    return replace(plain, **changed)


def call(vendor: str, base_url: str, name: str, *arguments: Any, **keywords: Any) -> Any:
    """What one coroutine of the vendor's class returns."""

    async def run() -> Any:
        async with httpx.AsyncClient(timeout=1) as client:
            provider = registry.connect(vendor, client=client, access=Access(key="key-4711", base_url=base_url))
            return await getattr(provider, name)(*arguments, **keywords)

    return asyncio.run(run())


def submits(base_url: str) -> list[dict[str, Any]]:
    """What the stand-in was asked to make."""
    found: list[dict[str, Any]] = httpx.get(f"{base_url}/_sim/calls").json()["submits"]
    return found


def look(vendor: str, base_url: str, operation: str, *arguments: Any) -> Any:
    """What a look says; one that broke is made again, as the worker does."""
    while True:
        with contextlib.suppress(errors.ProviderUnavailable, errors.ProviderRateLimited, errors.UnreadableReply):
            return call(vendor, base_url, operation, *arguments)


def finished(vendor: str, base_url: str, job_id: str) -> JobStatus:
    """The end of a job."""
    while True:
        status: JobStatus = look(vendor, base_url, "check_status", job_id)
        if status.state not in (JobState.QUEUED, JobState.RUNNING):
            return status
        time.sleep(0.02)


@EVERY_VENDOR
def test_refusals_make_no_job(vendor: str) -> None:
    """Each refusal is what it stands for, and the vendor has made nothing."""
    with running(vendor) as base_url:
        for kind, expected in REFUSED.items():
            with pytest.raises(expected) as caught:
                call(vendor, base_url, "generate_video", order(vendor, kind))
            assert type(caught.value) is expected
            assert "key-4711" not in str(vars(caught.value))
        assert not any(each["job_id"] for each in submits(base_url))


@EVERY_VENDOR
def test_lost_answers_are_uncertain_and_leave_one_job(vendor: str) -> None:
    """Nobody knows, so nothing is sent again."""
    with running(vendor) as base_url:
        for kind in UNCERTAIN:
            with pytest.raises(errors.SubmitUncertain):
                call(vendor, base_url, "generate_video", order(vendor, kind))
        assert [each["kind"] for each in submits(base_url)] == list(UNCERTAIN)


@EVERY_VENDOR
def test_jobs_end_as_they_should(vendor: str) -> None:
    """Odd words, early ends, broken looks and refusals in the dress of success."""
    with running(vendor, seconds=0.1) as base_url:
        jobs = {kind: call(vendor, base_url, "generate_video", order(vendor, kind)).id for kind in ENDS}
        for kind, (state, error) in (ENDS | ENDS_AT.get(vendor, {})).items():
            status = finished(vendor, base_url, jobs[kind])
            assert status.state is state, f"{kind}: {status}"
            assert type(status.error) is (error or type(None)), f"{kind}: {status.error!r}"
            assert (status.video_url is not None) is (state is JobState.SUCCEEDED), kind
            assert "key-4711" not in repr(status), f"{kind} keeps the key"


@EVERY_VENDOR
def test_files_arrive_also_where_a_link_has_died(vendor: str, tmp_path: Path) -> None:
    """A link that is dead is asked for again; what needs the key is fetched with it."""
    with running(vendor, seconds=0.1) as base_url:
        allow = frozenset({config.host_port(base_url)})
        fetched = {}
        for kind in ("ok", "drop", "expired"):
            job = call(vendor, base_url, "generate_video", order(vendor, kind))
            link = finished(vendor, base_url, job.id).video_url
            source = call(vendor, base_url, "video_source", job.id, link)
            if kind == "expired":
                with pytest.raises(errors.OutputExpired):
                    download.fetch(source, tmp_path / kind, allow=allow)
                link = call(vendor, base_url, "video_link", job.id)
                source = call(vendor, base_url, "video_source", job.id, link)
            fetched[kind] = download.fetch(source, tmp_path / kind, allow=allow)
    assert fetched["ok"].sha256 == fetched["drop"].sha256 == fetched["expired"].sha256


@EVERY_VENDOR
def test_orders_are_as_the_vendor_takes_them(vendor: str) -> None:
    """Frames or references, never both; silence is said where the vendor makes sound by itself."""
    reference = ReferenceMedia(MediaKind.IMAGE, "", IMAGE)
    with running(vendor) as base_url:
        for changed in ({}, {"start_image": IMAGE}, {"start_image": IMAGE, "end_image": IMAGE}):
            call(vendor, base_url, "generate_video", order(vendor, "ok", **changed))
        if registry.model(MODELS[vendor]).reference_images:
            call(vendor, base_url, "generate_video", order(vendor, "ok", references=(reference, reference)))
        assert all(each["job_id"] for each in submits(base_url))
        if registry.model(MODELS[vendor]).audio:
            assert all(each["body"].items() >= SILENCE[vendor].items() for each in submits(base_url))


@EVERY_VENDOR
def test_keys_are_tried(vendor: str) -> None:
    """A good key is told from one that is not."""
    with running(vendor) as base_url:
        call(vendor, base_url, "check_key")


@pytest.mark.parametrize(
    ("kind", "cost"), [("ok", "0.4573"), ("costtext", "0.4573"), ("costnull", None), ("costnumber", None)]
)
def test_openrouter_reports_what_a_clip_has_cost(kind: str, cost: str | None) -> None:
    """A cost that is null or missing is none, so that the estimate stays."""
    with running("openrouter", seconds=0.1) as base_url:
        job = call("openrouter", base_url, "generate_video", order("openrouter", kind))
        reported = finished("openrouter", base_url, job.id).cost
    assert reported == (ReportedCost(Decimal(cost), "USD") if cost else None)


def test_kling_knows_a_lost_order_by_our_own_id() -> None:
    """Whether or not an image came along; an order that never arrived is nowhere."""
    with running("kling") as base_url:
        for changed in ({}, {"start_image": IMAGE}):
            sent = replace(order("kling", "reset", **changed), reference=f"01J{len(changed)}")
            with pytest.raises(errors.SubmitUncertain):
                call("kling", base_url, "generate_video", sent)
            found = call("kling", base_url, "find_submitted_job", sent, since=LONG_AGO, until=LATER)
            assert [job.id.partition(":")[2] for job in found.exact] == [submits(base_url)[-1]["job_id"]]
            assert call("kling", base_url, "check_status", found.exact[0].id).state is JobState.RUNNING
        never = order("kling", "never sent")
        found = call("kling", base_url, "find_submitted_job", never, since=LONG_AGO, until=LATER)
        assert (found.exact, found.candidates, found.complete) == ((), (), True)


def test_openrouter_lists_its_models() -> None:
    """A price name that is not known leaves its model without one."""
    with running("openrouter") as base_url:
        found = {model.upstream_id: model.cost for model in call("openrouter", base_url, "live_models")}
    assert found["bytedance/seedance-2.0-fast"] is not None
    assert found["kwaivgi/kling-v3.0-std"] is None


def searched(base_url: str, request: VideoRequest) -> JobMatches:
    """What the vendor's own list has of an order that was sent just now."""
    now = datetime.now(UTC)
    found: JobMatches = call("byteplus", base_url, "find_submitted_job", request, since=now, until=now)
    return found


def test_byteplus_shows_the_job_of_a_lost_answer() -> None:
    """A job that was begun is found among others by its mark, and one that was not is surely not there."""
    with running("byteplus") as base_url:
        for kind in ("reset", "500bare"):
            with pytest.raises(errors.SubmitUncertain):
                call("byteplus", base_url, "generate_video", order("byteplus", kind))
        with pytest.raises(errors.SubmitUncertain):
            call("byteplus", base_url, "generate_video", order("byteplus", "500"))
        begun = {each["kind"]: each["job_id"] for each in submits(base_url)}
        found, none = searched(base_url, order("byteplus", "reset")), searched(base_url, order("byteplus", "500"))
    assert [job.id for job in found.exact] == [begun["reset"]]
    assert (none.exact, none.candidates, none.complete) == ((), (), True)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("late", JobState.CANCELLED), ("never", JobState.RUNNING), ("ok", JobState.SUCCEEDED)],
)
def test_byteplus_stops_only_what_waits(kind: str, state: JobState) -> None:
    """What runs goes on, and what has ended keeps its clip: a stop would remove it."""
    with running("byteplus", seconds=0.1) as base_url:
        job = call("byteplus", base_url, "generate_video", order("byteplus", kind))
        if kind == "ok":
            finished("byteplus", base_url, job.id)
        assert call("byteplus", base_url, "cancel", job.id).state is state
        assert call("byteplus", base_url, "check_status", job.id).state is state
