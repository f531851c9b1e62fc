from typing import Any

from tests.api.conftest import Client, refusal


def test_batch_when_all_can_be_made(ana: Client) -> None:
    """All of them are ordered with one call, at the sum of their prices; a repeat gives the same ones."""
    project_id = ana.project()
    body = {"generations": [ana.order(projectId=project_id), ana.order(projectId=project_id, resolution="1080p")]}
    headers = {"Idempotency-Key": "one"}
    answers = [ana.post("/generate-batch", json=body, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    made = answers[0].json()
    assert made["total"] == 115
    assert made["batchId"]
    assert [(one["status"], one["creditUsed"]) for one in made["generations"]] == [("pending", 50), ("pending", 65)]
    assert ana.get("/credits").json()["credits"]["available"] == 9_885


def test_batch_when_one_cannot_be_made(ana: Client) -> None:
    """The refusal names the one and its field, and nothing is ordered."""
    project_id = ana.project()
    body = {"generations": [ana.order(projectId=project_id), ana.order(projectId=project_id, duration=99)]}
    status, code, fields = refusal(ana.post("/generate-batch", json=body))

    assert (status, code, list(fields)) == (422, "invalid_request", ["generations.1.duration"])
    assert ana.get("/generations").json()["generations"] == []


def test_batch_when_it_cannot_be_paid(ana: Client) -> None:
    """Not enough for all is not enough."""
    project_id = ana.project()
    body = {"generations": [ana.order(projectId=project_id, resolution="4K", duration=16)] * 20}
    drained = ana.post("/generate-batch", json=body)
    assert drained.status_code == 202
    answers = [ana.post("/generate-batch", json=body) for _ in range(3)]

    assert refusal(answers[-1])[:2] == (402, "insufficient_credits")
    held = [answer.json()["total"] for answer in (drained, *answers) if answer.status_code == 202]
    assert ana.get("/credits").json()["credits"]["held"] == sum(held)


def test_batch_when_the_body_is_wrong(ana: Client, nobody: Client) -> None:
    """None, too many and unknown fields are refused as everywhere; so is a caller without a token."""
    order = ana.order()
    bodies: tuple[dict[str, Any], ...]
    bodies = ({}, {"generations": []}, {"generations": [order] * 21}, {"generations": [order | {"size": 1}]})
    for body in bodies:
        assert refusal(ana.post("/generate-batch", json=body))[:2] == (422, "invalid_request")
    assert refusal(nobody.post("/generate-batch", json={"generations": [order]}))[0] == 401


def test_batch_when_it_extends(ana: Client, ben: Client) -> None:
    """A batch goes on from one's own clip only."""
    mine, theirs = ana.finished(), ben.finished()
    body = {"generations": [ana.order()]}

    assert ana.post("/generate-batch", json=body | {"extendsId": mine.id}).status_code == 202
    assert refusal(ana.post("/generate-batch", json=body | {"extendsId": theirs.id}))[0] == 404


def test_order_when_the_price_is_not_the_expected_one(ana: Client) -> None:
    """A script that tells the price it was shown pays that or nothing; a repeat is still the order of before."""
    order = ana.order()
    several = {"generations": [order, order]}
    for path, body, price in (("/generate", order, 50), ("/generate-batch", several, 100)):
        assert refusal(ana.post(path, json=body | {"expectedCredits": price - 1}))[:2] == (409, "price_changed")
        headers = {"Idempotency-Key": path}
        assert ana.post(path, json=body | {"expectedCredits": price}, headers=headers).status_code == 202
        assert ana.post(path, json=body | {"expectedCredits": price - 1}, headers=headers).status_code == 202
    assert len(ana.get("/generations").json()["generations"]) == 3
