import pytest

from tests.api.conftest import Client, refusal


def test_what_if(ana: Client, ben: Client) -> None:
    """The period's charged clips are priced with another model; what it cannot make is listed with the reason."""
    ana.finished()
    ana.finished(duration_seconds=3)
    ben.finished()

    found = ana.get("/usage/what-if?withModelId=seedance-t2v").json()["whatIf"]
    dearer = ana.get("/usage/what-if?withModelId=demo-film&baseCredits=100&markupPercent=200").json()["whatIf"]

    assert (found["clips"], found["ofClips"]) == (2, 2)
    assert (found["was"]["clips"], found["was"]["credits"]) == (1, 50)
    assert (found["wouldBe"]["clips"], found["wouldBe"]["credits"]) == (1, 400)
    [reason] = found["impossible"]
    assert reason == {"reason": "Seedance T2V makes clips of 5 seconds.", "clips": 1, "credits": 50}
    assert (dearer["was"]["credits"], dearer["wouldBe"]["credits"]) == (100, 200)
    assert dearer["wouldBe"]["costIdr"] == 100 * 50 // 2
    assert dearer["wouldBe"]["marginIdr"] == 200 * 50 - dearer["wouldBe"]["costIdr"]


def test_what_if_when_the_vendor_or_the_dollar_is_dearer(ana: Client) -> None:
    """Half the vendor's price at twice the dollar is the same cost; clips of unknown cost are told apart."""
    ana.finished()

    found = [
        ana.get(f"/usage/what-if?withModelId={query}").json()["whatIf"]["wouldBe"]
        for query in (
            "nova-reel",
            "fal-kling-2.5-turbo",
            "fal-kling-2.5-turbo&vendorPricePercent=50&idrPerUsd=33000",
            "fal-kling-2.5-turbo&idrPerUsd=33000",
            "seedance-t2v",
        )
    ]

    assert [(one["clips"], one["costIdr"], one["costUnknownClips"]) for one in found] == [
        (0, 0, 0),
        (1, 5775, 0),
        (1, 5775, 0),
        (1, 11_550, 0),
        (1, 0, 1),
    ]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 422, "withModelId"),
        ("withModelId=nobody", 422, "modelId"),
        ("withModelId=veo3&baseCredits=0", 422, "baseCredits"),
        ("withModelId=veo3&markupPercent=50", 422, "markupPercent"),
        ("withModelId=veo3&vendorPricePercent=0", 422, "vendorPricePercent"),
        ("withModelId=veo3&idrPerUsd=16", 422, "idrPerUsd"),
        ("withModelId=veo3&format=csv", 422, "format"),
    ],
)
def test_change_that_cannot_be(ana: Client, query: str, status: int, field: str) -> None:
    """What cannot be put in place is a field error."""
    found, _, fields = refusal(ana.get(f"/usage/what-if?{query}"))

    assert (found, list(fields)) == (status, [field])
