"""Margins of models and the dollar over REST."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from core import db
from core.catalog_changes import changes
from core.clock import utc_now
from core.db.enums import ChangeKind, Role
from core.db.tables import User
from core.identity import users
from core.installation import Installation
from core.workspaces import members
from tests.api.conftest import Client, arrive, refusal


@pytest.fixture
def admin(installation: Installation) -> Client:
    """An administrator."""
    client = arrive("root@example.org")
    assert client.person is not None
    with db.write_session() as session:
        session.execute(update(User).where(User.id == client.person.id).values(role=Role.ADMIN))
    return client


def test_margins_follow_the_dollar(admin: Client) -> None:
    """Price, cost, where that is from, and the markups of all that a model makes; a dearer dollar leaves less."""
    before = {one["modelId"]: one for one in admin.get("/usage/margins").json()["margins"]}
    assert admin.post("/exchange-rates", json={"idrPerUsd": 33_000}).status_code == 201
    after = {one["modelId"]: one for one in admin.get("/usage/margins").json()["margins"]}

    assert before["fal-kling-2.5-turbo"] == {
        "modelId": "fal-kling-2.5-turbo",
        "priceIdr": 16_000,
        "costIdr": 5_775,
        "markup": 2.77,
        "lowestMarkup": 2.08,
        "highestMarkup": 2.77,
        "isUnusual": True,
        "lossMakingClips": 0,
        "costIsUnknown": False,
        "costSince": "2026-11-28T00:00:00Z",
        "costSource": "fal's model page: $0.35 for 5 seconds, $0.07 for each further one",
        "costSure": "vendor",
    }
    dearer, unknown = after["fal-kling-2.5-turbo"], before["seedance-t2v"]
    assert (dearer["costIdr"], dearer["markup"]) == (11_550, 1.39)
    assert (unknown["costIdr"], unknown["markup"], unknown["costIsUnknown"]) == (None, None, True)
    assert before["replicate-seedance-1-pro"]["lossMakingClips"] == 4


def test_rates_are_listed_and_one_to_come_may_be_sent_again(admin: Client) -> None:
    """The latest stands first; the same call with its moment changes nothing, and another figure replaces it."""
    since = (utc_now() + timedelta(days=9)).isoformat()
    for idr_per_usd in (17_000, 17_000, 17_500):
        answer = admin.post("/exchange-rates", json={"idrPerUsd": idr_per_usd, "since": since})
        assert answer.json()["rate"]["idrPerUsd"] == idr_per_usd

    rates = admin.get("/exchange-rates").json()["rates"]

    assert [rate["idrPerUsd"] for rate in rates] == [17_500, 16_500]
    assert rates[1]["since"] is None


def test_rate_that_cannot_be(admin: Client) -> None:
    """A slip of the finger and a moment that is past are refused by field."""
    yesterday = (utc_now() - timedelta(days=1)).isoformat()
    found = refusal(admin.post("/exchange-rates", json={"idrPerUsd": 16, "since": yesterday}))

    assert (found[0], sorted(found[2])) == (422, ["idrPerUsd", "since"])


def test_margins_follow_the_catalogue_at_once(admin: Client) -> None:
    """A price that is said for now is that of the next answer."""
    before = {one["modelId"]: one["priceIdr"] for one in admin.get("/usage/margins").json()["margins"]}
    with db.write_session() as session:
        value = {"base_credits": 420, "default_seconds": 5}
        member = members.at_work(session, users.get(session, "root@example.org"))
        changes.change(session, member, "seedance-t2v", ChangeKind.PRICE, value)

    after = {one["modelId"]: one["priceIdr"] for one in admin.get("/usage/margins").json()["margins"]}

    assert (before["seedance-t2v"], after["seedance-t2v"]) == (20_000, 21_000)
