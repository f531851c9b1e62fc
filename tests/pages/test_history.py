from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import db, history
from core.models import Status
from tests.pages.conftest import Open, sent
from tests.pages.studio import Studio


def cards(at: AppTest) -> list[dict[str, Any]]:
    """What the gallery was given."""
    found: list[dict[str, Any]] = (sent(at, "clip_gallery") or {"cards": []})["cards"]
    return found


def said(at: AppTest) -> str:
    """All Markdown and HTML of the page."""
    return " ".join([text.value for text in at.markdown] + [element.proto.body for element in at.get("html")])


def test_without_clips_the_page_says_so(open_page: Open, studio: Studio) -> None:
    """Nothing yet is not the same as nothing found."""
    at = open_page("history")
    assert not at.error
    assert "No clips yet" in said(at)


def test_every_status_has_its_card(open_page: Open, studio: Studio) -> None:
    """Cards carry status, price, picture and, under way, progress."""
    project = studio.project()
    studio.complete(studio.order(project, "done"))
    studio.fail(studio.order(project, "broken"))
    studio.send(studio.order(project, "moving"), progress=0.4)
    studio.lose(studio.order(project, "lost"))
    shown = {card["title"]: card for card in cards(open_page("history"))}
    assert {title: card["status"] for title, card in shown.items()} == {
        "done": "completed",
        "broken": "failed",
        "moving": "processing",
        "lost": "uncertain",
    }
    assert "/media/videos/" in shown["done"]["poster"]
    assert shown["done"]["progress"] is None
    assert shown["moving"]["progress"] == pytest.approx(0.4)
    assert "about 40 %" in shown["moving"]["note"]
    assert "50 credits" in shown["done"]["meta"]


@pytest.mark.parametrize(
    ("address", "titles"),
    [
        ({"status": "failed"}, ["fox runs"]),
        ({"status": "completed"}, ["lake at dusk", "lake at dawn"]),
        ({"model": "seedance-t2v"}, ["lake at dusk"]),
        ({"text": "LAKE"}, ["lake at dusk", "lake at dawn"]),
        ({"text": "lake", "model": "demo-film"}, ["lake at dawn"]),
        ({"status": "no such group"}, ["fox runs", "lake at dusk", "lake at dawn"]),
    ],
)
def test_filters_come_from_the_address(
    open_page: Open, studio: Studio, address: dict[str, str], titles: list[str]
) -> None:
    """A link with filters shows just those clips; what means nothing filters nothing."""
    project = studio.project()
    studio.complete(studio.order(project, "lake at dawn"))
    studio.complete(studio.order(project, "lake at dusk", model_id="seedance-t2v"))
    studio.fail(studio.order(project, "fox runs"))
    assert [card["title"] for card in cards(open_page("history", **address))] == titles


def test_filter_by_project(open_page: Open, studio: Studio) -> None:
    """`?project=` is how Projects opens one."""
    lake, desert = studio.project("Lake"), studio.project("Desert")
    studio.order(lake, "water")
    studio.order(desert, "sand")
    assert [card["title"] for card in cards(open_page("history", project=desert.id))] == ["sand"]


def test_link_to_a_project_works_beyond_the_end_of_the_list(open_page: Open, studio: Studio) -> None:
    """With more projects than a list holds, the one a link asks for is still found."""
    oldest = studio.project("Oldest")
    studio.order(oldest, "water")
    for number in range(200):
        newer = studio.project(f"Project {number}")
    studio.order(newer, "sand")
    assert [card["title"] for card in cards(open_page("history", project=oldest.id))] == ["water"]


def test_changed_filter_is_written_into_the_address(open_page: Open, studio: Studio) -> None:
    """What is on screen can be sent to somebody as a link."""
    project = studio.project()
    studio.order(project, "water")
    at = open_page("history")
    at.selectbox(key="history_status").set_value("failed").run()
    assert at.query_params["status"] == "failed"
    assert "Nothing matches" in said(at)
    at.button(key="history_show_all").click().run()
    assert "status" not in at.query_params
    assert len(cards(at)) == 1


def test_sixty_clips_come_in_pages_without_gap_or_repeat(open_page: Open, studio: Studio) -> None:
    """Older walks through all of them once, Newer goes back, and a new clip shifts nothing."""
    project = studio.project()
    for number in range(60):
        studio.order(project, f"clip {number}")
    at = open_page("history")
    pages = [[card["title"] for card in cards(at)]]
    studio.order(project, "came later")
    for _ in range(2):
        at.button(key="history_older").click().run()
        pages.append([card["title"] for card in cards(at)])
    assert [len(page) for page in pages] == [24, 24, 12]
    assert [title for page in pages for title in page] == [f"clip {number}" for number in reversed(range(60))]
    assert at.button(key="history_older").disabled
    at.button(key="history_newer").click().run()
    assert [card["title"] for card in cards(at)] == pages[1]


def test_dialog_of_a_completed_clip_shows_player_and_receipt(open_page: Open, studio: Studio) -> None:
    """`?clip=` opens it with its video, a download under a good name, and every movement of credits."""
    row = studio.complete(studio.order(studio.project("Lake"), "A lake at dawn"))
    at = open_page("history", clip=row.id)
    shown = said(at)
    assert not at.error
    assert "<video controls" in shown
    assert f'download="a-lake-at-dawn-{row.id[-6:]}.mp4"' in shown
    for words in ("Reserved at submit", "99,950", "Base price", "Rp 2.500", "charged", "1280 × 720"):
        assert words in shown


def test_failed_clip_is_told_of_in_the_language_of_its_reader(open_page: Open, studio: Studio) -> None:
    """What core wrote down of it, when it failed, is said as the page is: error, receipt, timeline, who did it."""
    row = studio.fail(studio.order(studio.project(), "A lake"))
    at = open_page("history", clip=row.id)
    at.session_state["language"] = "id"
    at.run()
    assert not at.exception
    shown = said(at)
    assert ["tidak ada kredit yang ditagih" in error.value.lower() for error in at.error] == [True]
    for words in ("Dicadangkan saat memesan", "Gagal; 50 kredit dikembalikan.", "Harga dasar", "<td", "sistem"):
        assert words in shown
    for words in ("Reserved at submit", "credits returned", "Nothing was charged", "system"):
        assert words not in shown


def test_dialog_of_somebody_elses_clip_is_a_sentence(open_page: Open, studio: Studio) -> None:
    """An unknown id tells nothing."""
    at = open_page("history", clip="0198c0de-0000-7000-8000-000000000000")
    assert [error.value for error in at.error] == ["This generation does not exist, or it is not yours."]


def test_failed_clip_can_be_tried_again(open_page: Open, studio: Studio) -> None:
    """Retry orders a new one that points to the old, once however often it is pressed."""
    row = studio.fail(studio.order(studio.project(), "A lake"))
    at = open_page("history", clip=row.id)
    at.button(key=f"clip_retry_{row.id}").click().run()
    assert not at.error
    with db.session(read_only=True) as session:
        rows = history.browse(session, studio.person, history.Filter()).rows
    assert [(found.status, found.retry_of_id) for found in rows] == [(Status.PENDING, row.id), (Status.FAILED, None)]


def test_deleted_clip_is_gone_and_its_charge_stays(open_page: Open, studio: Studio) -> None:
    """Delete takes it out of the gallery and closes the dialog."""
    row = studio.complete(studio.order(studio.project(), "A lake"))
    at = open_page("history", clip=row.id)
    at.button(key=f"clip_delete_{row.id}").click().run()
    assert cards(at) == []
    assert "clip" not in at.query_params
    assert "**99,950** credits" in said(at)


def test_prompt_with_markup_stays_text(open_page: Open, studio: Studio) -> None:
    """What somebody wrote never becomes HTML."""
    row = studio.complete(studio.order(studio.project(), '"><script>alert(1)</script>'))
    at = open_page("history", clip=row.id)
    assert "<script>" not in said(at)
