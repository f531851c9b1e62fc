"""What a vendor's own call tells of a job; shapes as on the vendors' webhook pages."""

from typing import Any

import pytest

from core.providers import registry
from core.providers.vendor_calls import JobNotice, VendorCall

CLIP = "https://cdn.example/clips/a.mp4"
EDEN_ID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(
    ("model_id", "body", "told"),
    [
        (
            "fal-veo-3.1-fast",
            {"request_id": "764cabcf-b745", "status": "OK", "payload": {"video": {"url": CLIP}}},
            JobNotice("fal-ai/veo3.1|764cabcf-b745", CLIP),
        ),
        (
            "fal-veo-3.1-fast",
            {"request_id": "764cabcf-b745", "status": "ERROR", "payload": {"detail": "no"}},
            JobNotice("fal-ai/veo3.1|764cabcf-b745"),
        ),
        (
            "replicate-seedance-1-pro",
            {"id": "gm3qorzdhgbf", "status": "succeeded", "output": CLIP},
            JobNotice("gm3qorzdhgbf", CLIP),
        ),
        ("replicate-seedance-1-pro", {"id": "gm3qorzdhgbf", "status": "failed"}, JobNotice("gm3qorzdhgbf")),
        ("veo3", {"status": "success", "id": 155, "output": [CLIP]}, JobNotice("155", CLIP)),
        ("text-to-video-ultra", {"status": "processing", "id": 155}, JobNotice("v6:155")),
        (
            "nova-reel",
            {"public_id": EDEN_ID, "status": "success", "output": {"video_resource_url": CLIP}},
            JobNotice(EDEN_ID, CLIP),
        ),
        ("nova-reel", {"public_id": EDEN_ID, "status": "fail"}, JobNotice(EDEN_ID)),
        (
            "openrouter-wan-2.7",
            {"type": "video.generation.completed", "data": {"id": "job-1", "status": "completed", "urls": [CLIP]}},
            JobNotice("job-1", CLIP),
        ),
        (
            "openrouter-wan-2.7",
            {"type": "video.generation.failed", "data": {"id": "job-1", "status": "failed", "error": "no"}},
            JobNotice("job-1"),
        ),
        (
            "byteplus-seedance-2.0",
            {"id": "cgt-1", "status": "succeeded", "content": {"video_url": CLIP}},
            JobNotice("cgt-1", CLIP),
        ),
        (
            "byteplus-seedance-2.0",
            {"id": "cgt-1", "status": "failed", "content": {"video_url": CLIP}},
            JobNotice("cgt-1"),
        ),
        ("byteplus-seedance-2.0", {"id": "cgt-1", "status": "succeeded", "content": CLIP}, JobNotice("cgt-1")),
        (
            "gemini-omni-1.2-flash",
            {"type": "interaction.completed", "version": "v1", "data": {"id": "v1_ChdQdHU2"}},
            JobNotice("v1_ChdQdHU2"),
        ),
        (
            "minimax-h3",
            {"task": {"id": "424010985738629", "status": "succeeded", "content": {"url": CLIP}}},
            JobNotice("424010985738629", CLIP),
        ),
        (
            "minimax-h3",
            {"task": {"id": "424010985738629", "status": "queued", "content": {"url": CLIP}}},
            JobNotice("424010985738629"),
        ),
        ("demo-film", {"id": "x"}, None),
    ],
)
def test_notice(model_id: str, body: dict[str, Any], told: JobNotice | None) -> None:
    """The job as a look would ask about it, and the link only of one that is done."""
    model = registry.model(model_id)
    assert registry.provider_class(model.provider).parse_notice(VendorCall(body), model) == told


@pytest.mark.parametrize(
    "model_id",
    [
        "fal-veo-3.1-fast",
        "replicate-seedance-1-pro",
        "veo3",
        "nova-reel",
        "openrouter-wan-2.7",
        "byteplus-seedance-2.0",
        "gemini-omni-1.2-flash",
        "minimax-h3",
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": None, "request_id": 5, "public_id": [], "data": "job-1", "task": "4240"},
        {"id": {}, "request_id": "a/../b", "public_id": "", "data": {"id": "a/../b"}, "task": {"id": "a/../b"}},
    ],
)
def test_notice_that_names_no_job(model_id: str, body: dict[str, Any]) -> None:
    """What cannot be read tells nothing and breaks nothing."""
    model = registry.model(model_id)
    assert registry.provider_class(model.provider).parse_notice(VendorCall(body), model) is None


@pytest.mark.parametrize("place", ["t2v", "i2v"])
def test_notice_of_a_vendor_that_does_not_say_where_a_task_is(place: str) -> None:
    """The place stands in the address that the order gave; a call to another one tells no job."""
    model = registry.model("kling-3.0")
    body = {"task_id": "867", "task_status": "succeed", "task_result": {"videos": [{"url": CLIP}]}}
    parse = registry.provider_class("kling").parse_notice
    assert parse(VendorCall(body, query={"place": place}), model) == JobNotice(f"{place}:867", CLIP)
    assert parse(VendorCall(body | {"task_status": "failed"}, query={"place": place}), model) == JobNotice(
        f"{place}:867"
    )
    for call in (
        VendorCall(body),
        VendorCall(body, query={"place": "v2v"}),
        VendorCall({"task_id": "a/../b"}, query={"place": place}),
    ):
        assert parse(call, model) is None
