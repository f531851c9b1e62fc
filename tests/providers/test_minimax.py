"""What only MiniMax does: frames or references, a list of the last week, links that a look renews, a challenge."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.catalog import catalogue
from core.catalog.records import Cost, PerSecondPrice
from core.providers import callbacks, registry
from core.providers.contract import JobMatches, JobState, MediaKind, ReferenceMedia, ReportedCost, SourceImage
from tests.providers import calls

ORDERS = "https://api.minimax.io/v2/video_generation"
TASKS = "https://api.minimax.io/v2/query/video_generation"
IMAGE, OTHER = SourceImage(b"\xff\xd8 one"), SourceImage(b"\xff\xd8 two")
SENT_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TASK: dict[str, Any] = {
    "id": "4240",
    "model": "MiniMax-H3",
    "resolution": "2K",
    "duration": 5,
    "ratio": "16:9",
    "status": "succeeded",
}


def ordered(**changed: Any) -> dict[str, Any]:
    """The body of an order."""
    route = respx.post(ORDERS).respond(json={"task_id": "4240"})
    wanted = {"resolution": "2K"} | changed
    assert calls.run("minimax", "generate_video", calls.request("minimax-h3", **wanted)).id == "4240"
    body: dict[str, Any] = json.loads(route.calls.last.request.content)
    return body


def pictures(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Role and address of each image."""
    return [(each["role"], each["image_url"]["url"]) for each in body["content"] if each["type"] == "image_url"]


@respx.mock
def test_an_order_of_text() -> None:
    """The size by the vendor's name, and a shape, without which text is refused."""
    assert ordered(resolution="768p", aspect_ratio="21:9", duration_seconds=15) == {
        "model": "MiniMax-H3",
        "content": [{"type": "text", "text": "a lake"}],
        "resolution": "768P",
        "duration": 15,
        "ratio": "21:9",
    }


@respx.mock
def test_an_order_with_frames() -> None:
    """Each image by its role; the shape is the first one's, so that none is asked for."""
    body = ordered(start_image=IMAGE, end_image=OTHER)
    assert pictures(body) == [("first_frame", IMAGE.data_url), ("last_frame", OTHER.data_url)]
    assert "ratio" not in body


@respx.mock
def test_an_order_with_references() -> None:
    """In their order, with the shape that was chosen."""
    body = ordered(references=tuple(ReferenceMedia(MediaKind.IMAGE, "", each) for each in (OTHER, IMAGE)))
    assert pictures(body) == [("reference_image", OTHER.data_url), ("reference_image", IMAGE.data_url)]
    assert body["ratio"] == "16:9"


@respx.mock
def test_a_lost_answer_is_not_sent_again() -> None:
    """It is searched for instead."""
    route = respx.post(ORDERS).mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(errors.SubmitUncertain):
        calls.run("minimax", "generate_video", calls.request("minimax-h3", resolution="2K"))
    assert route.call_count == 1


@respx.mock
def test_a_link_is_renewed_by_a_look() -> None:
    """A clip that was not fetched in time has another address now."""
    answers = [{"task": TASK | {"content": {"url": f"https://cdn.example/a.mp4?sign={turn}"}}} for turn in (1, 2)]
    respx.get(f"{TASKS}/4240").mock(side_effect=[httpx.Response(200, json=each) for each in answers])
    assert calls.run("minimax", "check_status", "4240").video_url == "https://cdn.example/a.mp4?sign=1"
    assert calls.run("minimax", "video_link", "4240") == "https://cdn.example/a.mp4?sign=2"


@respx.mock
def test_a_stop_asks_only_for_what_is_queued() -> None:
    """A stop of a finished task would delete its record, and the way to the clip with it."""
    removed = respx.delete(f"{ORDERS}/4240").respond(json={"task_id": "4240", "status": "cancelled"})
    look = respx.get(f"{TASKS}/4240")
    for word, expected, asked in (
        ("running", JobState.RUNNING, 0),
        ("succeeded", JobState.SUCCEEDED, 0),
        ("queued", JobState.CANCELLED, 1),
    ):
        look.respond(json={"task": TASK | {"status": word, "content": {"url": "https://cdn.example/a.mp4"}}})
        assert calls.run("minimax", "cancel", "4240").state is expected
        assert removed.call_count == asked


def searched(items: list[dict[str, Any]], total: int) -> JobMatches:
    """What a search makes of a list."""
    respx.get(TASKS).respond(json={"items": items, "total": total})
    wanted = calls.request("minimax-h3", resolution="2K")
    found: JobMatches = calls.run(
        "minimax", "find_submitted_job", wanted, since=SENT_AT, until=SENT_AT + timedelta(seconds=30)
    )
    return found


@respx.mock
@pytest.mark.parametrize(
    ("hours_ago", "complete"),
    [([], False), ([1, 2, 3], True), ([3, 2, 1], False), ([2, 3, 1], False), ([-5, 1], True), ([0.01, 0.02], False)],
)
def test_an_absence_is_proved_by_order_alone(hours_ago: list[float], complete: bool) -> None:
    """A part of the list shows that nothing was made only if it is newest first and reaches back far enough."""
    made = [int((SENT_AT - timedelta(hours=each)).timestamp()) for each in hours_ago]
    items = [TASK | {"id": str(place), "created_at": at, "duration": 9} for place, at in enumerate(made)]
    assert searched(items, total=476) == JobMatches(complete=complete)


@respx.mock
def test_a_task_that_tells_little_may_be_ours() -> None:
    """What a list leaves out does not say that a task is another's."""
    items: list[dict[str, Any]] = [{"id": "1", "status": "running"}, TASK | {"id": "2", "task_type": "h3_context_ir"}]
    found = searched(items, total=2)
    assert ([job.id for job in found.candidates], found.complete) == (["1"], True)


@respx.mock
@pytest.mark.parametrize(
    ("changed", "cost"),
    [
        ({"usage": {"output_seconds": 5}}, "0.65"),
        ({"usage": {"output_seconds": 5, "input_seconds": 3}}, "1.04"),
        ({"usage": {"output_seconds": 5, "input_image_count": 9}}, "0.81"),
        ({"usage": {"output_seconds": 5}, "resolution": "768P"}, "0.4"),
        ({"usage": {"output_seconds": 5}, "resolution": "8K"}, None),
        ({"usage": {"output_seconds": 5}, "model": "MiniMax-H9"}, None),
        ({"usage": {"output_seconds": 0}}, None),
        ({"usage": {"output_seconds": "soon"}}, None),
        ({"usage": None}, None),
        ({"usage": {"output_seconds": 0}, "status": "failed", "content": None}, "0"),
    ],
)
def test_cost_of_a_task(changed: dict[str, Any], cost: str | None) -> None:
    """By the seconds it counts; a count or a size that is not known gives no figure, so that the estimate stays."""
    task = TASK | {"content": {"url": "https://cdn.example/a.mp4"}} | changed
    respx.get(f"{TASKS}/4240").respond(json={"task": task})
    reported = calls.run("minimax", "check_status", "4240").cost
    assert reported == (ReportedCost(Decimal(cost), "USD") if cost else None)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"challenge": "c-4711"}', {"challenge": "c-4711"}),
        (b'{"challenge": "c-4711", "task": {"id": "4240"}}', {"challenge": "c-4711"}),
        (b'{"challenge": ""}', None),
        (b'{"challenge": 5}', None),
        (b'{"challenge": "a\\nb"}', None),
        (json.dumps({"challenge": "x" * 501}).encode(), None),
        (b'{"task": {"id": "4240"}}', None),
        (b"<html>", None),
        (b"[]", None),
        (b"[" * 10_000, None),
    ],
)
def test_a_challenge_is_given_back(body: bytes, answer: dict[str, str] | None) -> None:
    """Without that MiniMax does not call; what is no challenge is answered like any call."""
    told = callbacks.received(body, headers={}, query={}).body
    assert registry.provider_class("minimax").callback_answer(told) == answer
    assert registry.provider_class("replicate").callback_answer(told) is None


@pytest.mark.parametrize(
    ("options", "is_right"),
    [
        ({}, True),
        ({"second": {"2K": 1}, "image": 2, "free_images": 3}, True),
        ({"second": {"2K": 1}}, False),
        ({"second": {"2K": "1"}, "image": 2, "free_images": 3}, False),
        ({"second": 1, "image": 2, "free_images": 3}, False),
        ({"image": 2, "free_images": 3}, False),
    ],
)
def test_rates_that_a_file_gives(options: dict[str, Any], is_right: bool) -> None:
    """A part of the rates would make a part of the cost."""
    model = replace(registry.model("minimax-h3"), options=options)
    assert (registry.provider_class("minimax").model_error(model) is None) is is_right


def test_prices_cover_the_costs() -> None:
    """Each size is sold at 2.75 times what MiniMax takes for it, rounded up to whole credits of Rp 50."""
    entry = catalogue.shipped().entries["minimax-h3"]
    price, cost = entry.prices[0], entry.costs[0]
    assert isinstance(price, PerSecondPrice)
    assert isinstance(cost, Cost)
    pairs = [(price.credits_per_second[size], cost.per_second[size]) for size in entry.model.resolutions]
    for credits, micro in [*pairs, (price.reference_credits, cost.per_reference)]:
        assert 0 <= credits - Decimal(micro) * 16_500 * Decimal("2.75") / 50 / 10**6 < 1
    assert price.free_references == cost.free_references
