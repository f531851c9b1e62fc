from dataclasses import replace
from typing import Any

from streamlit.testing.v1 import AppTest

from core import db
from core.clock import utc_now
from core.db.enums import Role
from core.identity import users
from tests.factories import histories
from tests.factories.histories import Ended
from tests.factories.studio import Studio
from tests.pages.conftest import Open, sent, widget

TODAY = utc_now().date()


def book(studio: Studio, *clips: Ended) -> None:
    """Clips of the one person."""
    with db.write_session() as session:
        histories.book(session, studio.person, clips)


def judged(clip: Ended, *, kept: int, rejected: int) -> list[Ended]:
    """So many of the same clip, kept and rejected."""
    return [replace(clip, kept=True)] * kept + [replace(clip, kept=False)] * rejected


def line(at: AppTest, model: str) -> dict[str, list[Any]]:
    """What the table says of a model, each cell by its head as (text, what it is sorted by)."""
    found = sent(at, "sorted_table") or {}
    [row] = [row for row in found["rows"] if row[0][0] == model]
    return dict(zip([column["head"] for column in found["columns"]], row, strict=True))


def test_models_stand_side_by_side_for_an_order(open_page: Open, studio: Studio) -> None:
    """What was used stands first, with its own figures; another order has other prices, and what is made instead."""
    where = studio.project().id
    book(
        studio,
        *judged(Ended(TODAY, where, "kling-2.5"), kept=8, rejected=2),
        *judged(Ended(TODAY, where, "seedance-t2v"), kept=1, rejected=0),
    )
    at = open_page("usage", show="models")

    assert not at.error
    assert [row[0][0] for row in (sent(at, "sorted_table") or {})["rows"]][:2] == ["Kling 2.5", "Seedance T2V"]
    kling, seedance = line(at, "Kling 2.5"), line(at, "Seedance T2V")
    assert (kling["Price"], kling["Kept"]) == (["500", 500], ["80% (49% to 94%)", 0.8])
    assert (kling["Judged"], kling["Rp per kept second"]) == (["10", 10], ["6,250", 6250])
    assert (seedance["Kept"], seedance["Judged"]) == (["–", None], ["1", 1])
    assert line(at, "Google Veo 3.1 Fast")["Made instead"][0] == "5 s became 6 s."
    assert line(at, "Stable Video Diffusion")["Made instead"][0] == "makes nothing like it"

    widget(at, "usage_length").set_value("10").run()
    assert line(at, "Kling 2.5")["Price"][1] > 500
    assert at.query_params["length"] == "10"


def test_cheaper_model_is_named(open_page: Open, studio: Studio) -> None:
    """Where something cheaper keeps as many here, a sentence says so, and by how much."""
    where = studio.project().id
    book(
        studio,
        *judged(Ended(TODAY, where, "kling-2.5"), kept=8, rejected=2),
        *judged(Ended(TODAY, where, "seedance-t2v"), kept=9, rejected=1),
    )
    at = open_page("usage", show="models")

    assert [text.value for text in at.markdown if "Cheaper than" in text.value] == [
        ":material/savings: Cheaper than Kling 2\\.5: Seedance T2V keeps as many here, for 100 credits less an order."
    ]


def test_costs_stand_there_for_those_who_may_see_them(open_page: Open, studio: Studio) -> None:
    """An administrator reads cost and margin of the order; a member has no such column."""
    book(studio, Ended(TODAY, studio.project().id, "kling-2.5"))
    kling = line(open_page("usage", show="models"), "Kling 2.5")
    assert (kling["Cost, Rp"][1], kling["Margin, Rp"][1]) == (5775, 25_000 - 5775)

    with db.write_session() as session:
        users.get(session, "demo@localhost").role = Role.USER
    assert "Cost, Rp" not in line(open_page("usage", show="models"), "Kling 2.5")


def test_one_model_in_the_place_of_another(open_page: Open, studio: Studio) -> None:
    """Nothing is read while it is closed; open, it says how much it covers before what it comes to."""
    where = studio.project().id
    book(
        studio,
        Ended(TODAY, where, "demo-film"),
        Ended(TODAY, where, "demo-film", duration_seconds=3),
        Ended(TODAY, where, "demo-film", start_image=True),
    )
    at = open_page("usage", show="models")
    assert "usage_substitution_of" not in [box.key for box in at.selectbox]
    at.session_state["usage_substitution"] = True
    at.run().selectbox(key="usage_substitution_with_demo-film").set_value("seedance-t2v").run()

    assert not at.error
    said = [text.value for text in at.markdown]
    assert "Seedance T2V could have made 3 of 3 clips, 100%; 1 of them as they were ordered." in said
    tables = " ".join(html.value for html in at.html)
    assert "3 s became 5 s." in tables
    assert "The start image is left out." in tables
    assert "1,200 credits" in tables
