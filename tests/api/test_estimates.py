from typing import Any

import httpx
import pytest

from tests.api.conftest import Client, refusal

VEO3 = {"modelId": "veo3", "resolution": "1080p", "duration": 8}


@pytest.mark.parametrize(
    ("body", "total", "breakdown"),
    [
        ({"modelId": "veo3", "resolution": "720p", "duration": 8}, 2500, {"base": 2500}),
        (VEO3, 3250, {"base": 2500, "resolution": 750}),
        (VEO3 | {"duration": 16}, 5250, {"base": 2500, "resolution": 750, "duration": 2000}),
        (
            {"modelId": "kling-2.5", "resolution": "1080p", "duration": 10, "startImagePath": "any"},
            1000,
            {"base": 500, "resolution": 150, "duration": 250, "startImage": 100},
        ),
        (
            {"modelId": "nova-reel", "resolution": "720p", "duration": 6, "startImagePath": "a", "endImagePath": "b"},
            560,
            {"base": 400, "images": 160},
        ),
        (VEO3 | {"resolution": "720p", "endImagePath": "b"}, 3250, {"base": 2500, "endImage": 750}),
        (
            VEO3 | {"resolution": "720p", "generateAudio": True, "enhancePrompt": True},
            2515,
            {"base": 2500, "audio": 10, "promptEnhancement": 5},
        ),
        ({"modelId": "seedance-t2v", "resolution": "720p"}, 400, {"base": 400}),
        (VEO3 | {"startImagePath": None, "endImagePath": None}, 3250, {"base": 2500, "resolution": 750}),
    ],
)
def test_price(ana: Client, body: dict[str, Any], total: int, breakdown: dict[str, int]) -> None:
    """The published examples hold, and the lines add up to the total."""
    answer = ana.post("/estimate-credits", json=body)

    assert answer.status_code == 200, answer.text
    estimate = answer.json()["estimate"]
    assert (estimate["total"], estimate["breakdown"]) == (total, breakdown)
    assert estimate["totalIdr"] == total * 50


def test_shape(ana: Client) -> None:
    """Names are those that people read; ids stand beside them."""
    answer = ana.post("/estimate-credits", json={"modelId": "kling-2.5", "resolution": "1080p"}).json()

    assert answer == {
        "success": True,
        "estimate": {
            "total": 650,
            "breakdown": {"base": 500, "resolution": 150},
            "totalIdr": 32500,
            "model": "Kling 2.5",
            "modelId": "kling-2.5",
            "provider": "Eden AI",
            "feasible": True,
            "reasons": [],
        },
    }


def test_what_cannot_be_made_is_priced_all_the_same(ana: Client) -> None:
    """A duration and a resolution beyond the model have a price, and the reasons name the fields."""
    answer = ana.post("/estimate-credits", json={"modelId": "veo3", "resolution": "4K", "duration": 16})

    estimate = answer.json()["estimate"]
    assert estimate["total"] == 2500 + 2500 + 2000
    assert estimate["feasible"] is False
    assert [reason["field"] for reason in estimate["reasons"]] == ["resolution", "duration", "modelId"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"modelId": "veo9"}, "modelId"),
        ({"modelId": ""}, "modelId"),
        ({"modelId": 3}, "modelId"),
        ({"modelId": "veo3\0"}, "modelId"),
        ({"modelId": "x" * 201}, "modelId"),
        ({"resolution": "144p"}, "resolution"),
        ({"resolution": None}, "resolution"),
        ({"duration": "8"}, "duration"),
        ({"duration": True}, "duration"),
        ({"duration": 8.5}, "duration"),
        ({"duration": 0}, "duration"),
        ({"duration": -8}, "duration"),
        ({"duration": 1_000_001}, "duration"),
        ({"duration": 10**400}, "duration"),
        ({"duration": [8]}, "duration"),
        ({"startImagePath": ""}, "startImagePath"),
        ({"startImagePath": False}, "startImagePath"),
        ({"generateAudio": 1}, "generateAudio"),
        ({"generateAudio": "true"}, "generateAudio"),
        ({"enhancePrompt": None}, "enhancePrompt"),
        ({"model_id": "veo3"}, "model_id"),
        ({"prompt": "a lake"}, "prompt"),
    ],
)
def test_bad_field(ana: Client, changes: dict[str, Any], field: str) -> None:
    """Each bad field is refused by its name as it was sent, with a sentence; nothing is guessed or ignored."""
    status, code, fields = refusal(ana.post("/estimate-credits", json=VEO3 | changes))

    assert (status, code, list(fields)) == (422, "invalid_request", [field])
    assert fields[field].endswith(".")


@pytest.mark.parametrize("written", ["8.0", "8e0", "80E-1", "0.8e1", "8.000"])
def test_whole_number_however_it_is_written(ana: Client, written: str) -> None:
    """A number without a fraction is a whole one; one with the least of a fraction is none."""

    def priced(duration: str) -> httpx.Response:
        body = f'{{"modelId": "veo3", "resolution": "720p", "duration": {duration}}}'
        return ana.post("/estimate-credits", content=body, headers={"Content-Type": "application/json"})

    assert priced(written).json() == priced("8").json()
    assert refusal(priced("8.0000000000000000001"))[0] == 422


@pytest.mark.parametrize("missing", ["modelId", "resolution"])
def test_missing_field(ana: Client, missing: str) -> None:
    """What is required and absent is named."""
    body = {name: value for name, value in VEO3.items() if name != missing}

    assert refusal(ana.post("/estimate-credits", json=body)) == (
        422,
        "invalid_request",
        {missing: "This field is required."},
    )


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b'"veo3"', 422, "invalid_request"),
        (b"{", 400, "invalid_json"),
        (b"{'modelId': 'veo3'}", 400, "invalid_json"),
        (b'{"modelId": "veo3", "modelId": "demo-film", "resolution": "720p"}', 400, "invalid_json"),
        (b'{"modelId": "veo3", "resolution": "720p", "other": {"a": 1, "a": 1}}', 400, "invalid_json"),
        ('{"modelId": "veo3", "resolution": "720p"}'.encode("utf-16"), 400, "invalid_body"),
        ('{"modelId": "veo3", "resolution": "720p"}'.encode("utf-16-le"), 400, "invalid_json"),
        ('{"modelId": "veo3", "resolution": "720p"}'.encode("utf-32"), 400, "invalid_body"),
        ('{"modelId": "veo3é"}'.encode("latin-1"), 400, "invalid_body"),
        (b'{"\xff": 1}', 400, "invalid_body"),
        (b"[" * 100_000, 400, "invalid_body"),
        (b'{"modelId": "veo3", "resolution": "720p", "duration": NaN}', 422, "invalid_request"),
        (b'{"modelId": "veo3", "resolution": "720p", "duration": Infinity}', 422, "invalid_request"),
        (b'{"modelId": "veo3", "resolution": "720p", "duration": 1e400}', 422, "invalid_request"),
        (b'{"modelId": "veo3", "resolution": "720p", "duration": ' + b"9" * 5000 + b"}", 400, "invalid_body"),
        (b'{"modelId": "\\ud800", "resolution": "720p"}', 422, "invalid_request"),
        (b'{"modelId": "veo3", "resolution": "\\udfff"}', 422, "invalid_request"),
        (b'{"modelId": "veo3", "resolution": "720p", "\\ud800": 1}', 422, "invalid_request"),
    ],
)
def test_bad_body(ana: Client, content: bytes, status: int, code: str) -> None:
    """Whatever comes as a body, the answer is a refusal of the one shape and never an error of ours."""
    answer = ana.post("/estimate-credits", content=content, headers={"Content-Type": "application/json"})

    assert refusal(answer)[:2] == (status, code)


def test_body_that_is_not_json(ana: Client) -> None:
    """A form instead of JSON is told what to send."""
    answer = ana.post("/estimate-credits", data={"modelId": "veo3"})

    assert refusal(answer) == (422, "invalid_request", {})
    assert "application/json" in answer.json()["error"]["message"]
