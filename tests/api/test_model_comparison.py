import csv
import io

import pytest

from core import db
from core.db.enums import Role
from core.identity import users
from tests.api.conftest import Client, refusal


def test_models_are_compared_for_an_order(ana: Client, ben: Client) -> None:
    """Each model has its price of the order and what the workspace's clips say of it; costs are not for a member."""
    ana.finished()
    ana.finished()
    ben.finished()

    answer = ana.get("/usage/models?duration=3").json()

    assert answer["order"] == {"resolution": "720p", "duration": 3, "aspectRatio": "16:9", "generateAudio": False}
    found = {model["modelId"]: model for model in answer["models"]}
    demo, seedance = found["demo-film"], found["seedance-t2v"]
    assert (demo["completed"], demo["endedOfModel"], demo["successRate"]) == (2, 2, 1)
    assert (demo["halfSeconds"], demo["timedClips"]) == (None, 0)  # nobody has written down when they were sent
    assert (demo["keptShare"], demo["keptShareLow"], demo["idrPerKeptSecond"]) == (None, None, None)
    assert demo["orderIdr"] == demo["orderCredits"] * 50
    assert seedance["orderCredits"] == 400
    assert seedance["orderChanges"] == [{"field": "duration", "wanted": 3, "given": 5}]
    assert not {"orderCostIdr", "orderMarginIdr", "costIdr", "marginIdr"} & set(demo)


def test_costs_are_for_analysts(ana: Client) -> None:
    """Who sees the figures of all workspaces is told what the order costs and what is left."""
    ana.finished()
    with db.write_session() as session:
        users.get(session, "ana@example.org").role = Role.ANALYST

    found = {model["modelId"]: model for model in ana.get("/usage/models?people=everybody").json()["models"]}

    kling = found["kling-2.5"]
    assert (kling["orderCostIdr"], kling["orderMarginIdr"]) == (5775, 25_000 - 5775)
    assert found["demo-film"]["marginIdr"] == found["demo-film"]["settledIdr"] - found["demo-film"]["costIdr"]


def test_models_as_a_file(ana: Client) -> None:
    """The same figures as lines; what stands in no file of a member is a cost."""
    ana.finished()

    answer = ana.get("/usage/models?format=csv&since=2026-01-01&until=2026-12-31")
    [heads, *lines] = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    [demo] = [dict(zip(heads, line, strict=True)) for line in lines if line[0] == "demo-film"]

    assert "models-2026-01-01-to-2026-12-31.csv" in answer.headers["content-disposition"]
    assert (demo["order_credits"], demo["completed"], demo["kept_percent"], demo["judged_clips"]) == (
        "50",
        "1",
        "",
        "0",
    )
    assert not [head for head in heads if "cost" in head or "margin" in head]


def test_one_model_in_the_place_of_another(ana: Client) -> None:
    """First how much the answer covers and what had to change, then both sides; costs are not for a member."""
    ana.finished()
    ana.finished(duration_seconds=3)

    found = ana.get("/usage/substitution?modelId=demo-film&withModelId=seedance-t2v").json()

    assert (found["ofClips"], found["clips"], found["makeableClips"], found["asOrderedClips"]) == (2, 2, 2, 1)
    assert found["changes"] == [{"field": "duration", "wanted": 3, "given": 5, "clips": 1}]
    assert found["impossible"] == []
    assert found["was"] == {"clips": 2, "seconds": 8, "credits": 100}
    assert found["wouldBe"] == {"clips": 2, "seconds": 10, "credits": 800}


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/usage/models?duration=0", 422, "duration"),
        ("/usage/models?since=2026-02-01&until=2026-01-01", 422, "since"),
        ("/usage/substitution?modelId=demo-film", 422, "withModelId"),
        ("/usage/substitution?modelId=demo-film&withModelId=nobody", 422, "modelId"),
    ],
)
def test_comparison_that_cannot_be(ana: Client, path: str, status: int, field: str) -> None:
    """What cannot be compared is a field error."""
    found, _, fields = refusal(ana.get(path))

    assert (found, list(fields)) == (status, [field])
