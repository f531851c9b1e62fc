from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update
from streamlit.testing.v1 import AppTest

from core import db, errors
from core.db.enums import ChangeKind, RejectReason, Status
from core.db.tables import Flight, Generation, GenerationEvent, LedgerEntry
from core.files.findings import Finding, FindingKind
from core.generations import batches, delivery_findings, notes, queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.review import Changes
from core.identity import users
from core.messages import message
from pages.sections.history.bar import begin_of
from tests.factories.catalogue import say
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, build_order, build_output
from tests.factories.studio import Studio
from tests.pages.conftest import Open, press, sent, turned_to

FROZEN = Finding(FindingKind.FROZEN, 1.0, 2.5)


def cards(at: AppTest) -> list[dict[str, Any]]:
    """What the gallery was given."""
    found: list[dict[str, Any]] = (sent(at, "clip_gallery") or {"cards": []})["cards"]
    return found


def bar(at: AppTest) -> dict[str, Any]:
    """What the bar of filters was given."""
    found = sent(at, "library_bar")
    assert found is not None
    return found


def choose(at: AppTest, param: str, value: str | None) -> AppTest:
    """Choose in the bar, or write what is searched, as the browser would."""
    return press(at, "library_bar", "pressed", {"set": param, "value": value})


def turn(at: AppTest, where: str) -> AppTest:
    """Turn to the page that is `next`, or `before`."""
    pager = (sent(at, "clip_gallery") or {})["pager"]
    return press(at, "clip_gallery", "turn", {where: pager[where]})


def chips(at: AppTest) -> dict[str, str | None]:
    """What each filter of the bar is set to."""
    return {chip["param"]: chip["value"] for chip in bar(at)["chips"]}


def said(at: AppTest) -> str:
    """All Markdown and HTML of the page."""
    return " ".join([text.value for text in at.markdown] + [element.proto.body for element in at.get("html")])


def test_without_clips_the_page_says_so(open_page: Open, studio: Studio) -> None:
    """Nothing yet is not the same as nothing found."""
    at = open_page("history")
    assert not at.error
    assert "No clips yet" in said(at)


def test_link_to_a_project_that_is_not_here_says_so(open_page: Open, studio: Studio) -> None:
    """It does not show everything as if that were what was asked for."""
    studio.complete(studio.order(studio.project(), "a lake"))
    at = open_page("history", project="01a22a0d-415b-769e-b2a7-4de452e6b438")
    assert any("The project of this link is not here" in info.value for info in at.info)
    assert not open_page("history").info


def test_every_status_has_its_card(open_page: Open, studio: Studio) -> None:
    """Cards carry status, length, picture and, under way, progress."""
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
    assert "about 40%" in shown["moving"]["note"]
    assert shown["done"]["length"] == "5 s"


def test_card_says_its_place_in_line(open_page: Open, studio: Studio) -> None:
    """What waits to be sent says how many are before it."""
    project = studio.project()
    for number in (1, 2, 3):
        studio.order(project, f"waits {number}")
    notes = {card["title"]: card["note"] for card in cards(open_page("history"))}
    assert notes == {"waits 1": "Next in line", "waits 2": "Number 2 in line", "waits 3": "Number 3 in line"}


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
    """What is on screen can be sent to somebody as a link; what nothing fits leads back to everything."""
    project = studio.project()
    studio.order(project, "water")
    at = choose(open_page("history"), "status", "failed")
    assert at.query_params["status"] == "failed"
    assert "Nothing matches" in said(at)
    assert (chips(at)["status"], bar(at)["count"]) == ("failed", "0 clips")
    at.button(key="history_show_all").click().run()
    assert "status" not in at.query_params
    assert len(cards(at)) == 1
    at = choose(choose(at, "text", "water"), "model", "demo-film")
    assert (at.query_params["text"], at.query_params["model"]) == ("water", "demo-film")
    at = choose(at, "model", None)
    assert "model" not in at.query_params


def test_strange_press_changes_nothing(open_page: Open, studio: Studio) -> None:
    """The bar writes into the address what are filters, and nothing else."""
    studio.order(studio.project(), "water")
    at = open_page("history")
    before = dict(at.query_params)
    for told in ({"set": "workspace", "value": "x"}, {"set": "status", "value": 3}, {"view": "cube"}, {"jump": "yore"}):
        at = press(at, "library_bar", "pressed", told)
        assert not at.exception
        assert dict(at.query_params) == before


def test_sixty_clips_come_in_pages_without_gap_or_repeat(open_page: Open, studio: Studio) -> None:
    """Older walks through all of them once, Newer goes back, and a new clip shifts nothing."""
    project = studio.project()
    for number in range(60):
        studio.order(project, f"clip {number}")
    at = open_page("history")
    pages, addresses = [shown(at)], [dict(at.query_params)]
    studio.order(project, "came later")
    for _ in range(2):
        at = turn(at, "next")
        pages.append(shown(at))
        addresses.append(dict(at.query_params))
    assert [len(page) for page in pages] == [24, 24, 12]
    assert [title for page in pages for title in page] == [f"clip {number}" for number in reversed(range(60))]
    assert (sent(at, "clip_gallery") or {})["pager"]["next"] is None
    assert bar(at)["count"] == "61 clips"
    at = turn(at, "before")
    assert shown(at) == pages[1]
    at = turn(at, "before")
    assert shown(at) == pages[0]
    at = turn(at, "before")  # to what came later, which is alone before these and fills a page with them
    assert "after" not in at.query_params
    assert shown(at) == ["came later", *pages[0][:-1]]
    assert [shown(open_page("history", **address)) for address in addresses[1:]] == pages[1:]


def test_page_in_the_address_begins_anew_with_another_filter(open_page: Open, studio: Studio) -> None:
    """A cursor belongs to what was shown; one of nothing, or no cursor at all, shows the first page."""
    project = studio.project()
    rows = [studio.order(project, f"clip {number}") for number in range(30)]
    at = turn(open_page("history"), "next")
    assert len(cards(at)) == 6
    at = choose(at, "text", "clip")
    assert len(cards(at)) == 24
    assert "after" not in at.query_params
    for cursor in (rows[0].id, "no cursor", "0198c0de-0000-7000-8000-000000000000"):
        assert len(cards(open_page("history", after=cursor))) == 24


@pytest.mark.parametrize(
    ("wanted", "order", "first"),
    [
        ("2026-03", "", "march 20"),
        ("2026-03-05", "", "march 5"),
        ("2026-02", "", "january"),
        ("2025-01", "", "may"),
        ("2026-12", "", "may"),
        ("2026-03", "oldest", "march 5"),
        ("2026-04", "oldest", "may"),
        ("2026-12", "oldest", "january"),
    ],
)
def test_jump_to_a_month_or_a_day(open_page: Open, studio: Studio, wanted: str, order: str, first: str) -> None:
    """The page begins with what was ordered last by its end, or first from its beginning; else with the first page."""
    days = {"january": (2026, 1, 9), "march 5": (2026, 3, 5), "march 20": (2026, 3, 20), "may": (2026, 5, 1)}
    project = studio.project()
    ids = [(studio.order(project, title), datetime(*day, 12, tzinfo=UTC)) for title, day in days.items()]
    with db.write_session() as session:
        for row, at_time in ids:
            moved = {"id": id_of(at_time, row.id), "created_at": at_time}
            session.execute(delete(Flight).where(Flight.id == row.id))
            session.execute(delete(LedgerEntry).where(LedgerEntry.generation_id == row.id))
            session.execute(delete(GenerationEvent).where(GenerationEvent.generation_id == row.id))
            session.execute(update(Generation).where(Generation.id == row.id).values(moved))
    at = open_page("history", **({"order": order} if order else {}))
    assert shown(press(at, "library_bar", "pressed", {"jump": wanted}))[0] == first


def test_day_of_the_calendar_begins_by_the_readers_clock() -> None:
    """The fifth of March begins in Jakarta on the fourth of UTC; newest first one looks from its end."""
    jakarta = ZoneInfo("Asia/Jakarta")
    begun = begin_of("2026-03-05", oldest_first=True, zone=jakarta)
    assert begun == datetime(2026, 3, 4, 17, tzinfo=UTC)
    assert begin_of("2026-03-05", oldest_first=False, zone=jakarta) == begun + timedelta(days=1)
    assert begin_of("2026-03", oldest_first=False, zone=jakarta) == datetime(2026, 3, 31, 17, tzinfo=UTC)


def id_of(moment: datetime, like: str) -> str:
    """An id as one of this moment would be."""
    stamp = f"{int(moment.timestamp() * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}{like[13:]}"


@pytest.mark.parametrize("view", ["grid", "list"])
def test_list_tells_more_than_pictures(open_page: Open, studio: Studio, view: str) -> None:
    """The list has project, moment, price and verdict in its columns, and stays in the address; pictures spare them."""
    row = studio.complete(studio.order(studio.project("Lake"), "water"))
    change(studio, row, verdict=ReviewStatus.KEPT)
    at = press(open_page("history"), "library_bar", "pressed", {"view": view})
    assert at.query_params["view"] == view
    [card] = cards(at)
    cells = card.get("cells")
    if view == "grid":
        assert cells is None
    else:
        assert cells is not None
        assert (cells[0], cells[1], cells[4:]) == ("Demo Film", "Lake", ["5 s", "50", "Kept"])
        assert cells[3].endswith("UTC")


def test_shapes_and_takes_are_told(open_page: Open, studio: Studio) -> None:
    """A card has the shape of its clip, before there is one that of its order, which take it is, and how many notes."""
    project = studio.project()
    row = studio.order(project, "tall", aspect_ratio="16:9")
    tall = build_output(row.id, preview_key=None)
    studio.complete(row, replace(tall, facts=dict(tall.facts) | {"width": 720, "height": 1280}))
    waiting = studio.order(project, "waits", aspect_ratio="1:1")
    orders = [build_order(project.id, prompt=f"take {number}") for number in (1, 2, 3)]
    with db.write_session() as session:
        notes.add(session, studio.person, row.id, text="Too dark")
        batches.submit_batch(session, studio.person, orders, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
    told = {card["title"]: card for card in cards(open_page("history"))}
    assert (told["tall"]["ratio"], told["waits"]["ratio"]) == (pytest.approx(0.5625), 1)
    assert told["take 2"]["meta"].startswith("take 2 of 3 · ")
    assert "take 2 of 3" in told["take 2"]["label"]
    assert "take" not in told["tall"]["meta"]
    assert (told["tall"]["noted"], told["waits"]["noted"]) == ("1 note", "")
    assert waiting.batch_id is None


def viewed(at: AppTest) -> dict[str, Any]:
    """What the viewer was given of the clip that is looked at."""
    told = sent(at, "clip_viewer") or {"clips": [], "at": ""}
    return next(clip for clip in told["clips"] if clip["id"] == told["at"])


def test_viewer_of_a_completed_clip(open_page: Open, studio: Studio) -> None:
    """`?clip=` opens it with its video, a download under a good name, and tab by tab all that is on record of it."""
    row = studio.complete(studio.order(studio.project("Lake"), "A lake at dawn"))
    at = open_page("history", clip=row.id)
    assert not at.error
    clip = viewed(at)
    assert "/media/videos/" in clip["source"]
    assert (clip["title"], clip["verdict"], clip["fps"], clip["may"]) == ("A lake at dawn", "undecided", 24, True)
    assert f'download="a-lake-at-dawn-{row.id[-6:]}.mp4"' in said(at)
    for tab, words in (
        ("Settings", ["1280 × 720", "Demo Film"]),
        ("Receipt", ["Reserved at submit", "99,950 available", "Base price", "Rp 2,500"]),
        ("Timeline", ["charged"]),
    ):
        shown = said(turned_to(at, tab))
        assert [word for word in words if word not in shown] == []


def test_failed_clip_is_told_of_in_the_language_of_its_reader(open_page: Open, studio: Studio) -> None:
    """What core wrote down of it, when it failed, is said as the page is: error, receipt, timeline, who did it."""
    row = studio.fail(studio.order(studio.project(), "A lake"))
    with db.write_session() as session:
        users.set_language(session, studio.person.user, tag="id")
    at = turned_to(open_page("history", clip=row.id), "Rincian biaya")
    shown = said(at) + said(turned_to(at, "Linimasa"))
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
    with db.read_session() as session:
        rows = queries.list_page(session, studio.person, ListFilter()).rows
    assert [(found.status, found.retry_of_id) for found in rows] == [(Status.PENDING, row.id), (Status.FAILED, None)]


def test_retry_when_the_price_has_changed_since_it_was_shown(open_page: Open, studio: Studio) -> None:
    """The button that was pressed said another price: nothing is ordered, and the next press pays what it says then."""
    row = studio.fail(studio.order(studio.project(), "A lake"))
    at = open_page("history", clip=row.id)
    say(db.default(), "demo-film", ChangeKind.PRICE, {"base_credits": 70, "default_seconds": 5})
    at.button(key=f"clip_retry_{row.id}").click().run()

    assert str(errors.PriceChanged()) in [error.value for error in at.error]
    at.button(key=f"clip_retry_{row.id}").click().run()
    with db.read_session() as session:
        rows = queries.list_page(session, studio.person, ListFilter()).rows
    assert [found.credits for found in rows] == [70, 50]


def test_deleted_clip_is_gone_and_its_charge_stays(open_page: Open, studio: Studio) -> None:
    """Delete takes it out of the gallery and closes the dialog."""
    row = studio.complete(studio.order(studio.project(), "A lake"))
    at = open_page("history", clip=row.id)
    at.button(key=f"clip_delete_{row.id}").click().run()
    assert cards(at) == []
    assert "clip" not in at.query_params
    assert (sent(at, "bar") or {})["balance"]["text"] == "99,950"


def test_prompt_with_markup_stays_text(open_page: Open, studio: Studio) -> None:
    """What somebody wrote never becomes HTML."""
    row = studio.complete(studio.order(studio.project(), '"><script>alert(1)</script>'))
    at = open_page("history", clip=row.id)
    assert "<script>" not in said(at)


def shown(at: AppTest) -> list[str]:
    """The titles of the cards."""
    return [card["title"] for card in cards(at)]


def change(studio: Studio, row: Generation, **changes: Any) -> None:
    """Change a clip as its person, elsewhere."""
    with db.write_session() as session:
        review.update(session, studio.person, row.id, Changes(**changes))


@pytest.mark.parametrize(
    ("address", "titles"),
    [
        ({"provider": "demo"}, ["fox", "hill", "lake"]),
        ({"favourite": "yes"}, ["lake"]),
        ({"favourite": "no"}, ["fox", "hill"]),
        ({"verdict": "kept"}, ["lake"]),
        ({"verdict": "rejected"}, ["hill"]),
        ({"verdict": "undecided"}, ["fox"]),
        ({"reason": "motion"}, ["hill"]),
        ({"reason": "sound"}, []),
        ({"tag": "night"}, ["hill", "lake"]),
        ({"tag": "night", "favourite": "yes", "text": "la"}, ["lake"]),
        ({"tag": "nobody's"}, ["fox", "hill", "lake"]),
        ({"days": "7"}, ["fox", "hill", "lake"]),
        ({"order": "oldest"}, ["lake", "hill", "fox"]),
    ],
)
def test_further_filters_come_from_the_address(
    open_page: Open, studio: Studio, address: dict[str, str], titles: list[str]
) -> None:
    """Provider, favourites, verdict, tag, time and order are in the address as well, and combine."""
    project = studio.project()
    lake, hill = (studio.complete(studio.order(project, prompt)) for prompt in ("lake", "hill"))
    studio.fail(studio.order(project, "fox"))
    change(studio, lake, favourite=True, verdict=ReviewStatus.KEPT, tags=["night"])
    change(studio, hill, verdict=ReviewStatus.REJECTED, reject_reason=RejectReason.MOTION, tags=["night"])

    assert shown(open_page("history", **address)) == titles


def look_over(row: Generation, *found: Finding, loudness_lufs: float | None = None) -> None:
    """Let this be found in a clip."""
    with db.write_session() as session:
        assert delivery_findings.record(session, row, found, loudness_lufs=loudness_lufs)


@pytest.mark.parametrize(
    ("found", "titles"),
    [
        ("any", ["silent", "frozen"]),
        ("frozen", ["frozen"]),
        ("silent", ["silent"]),
        ("black", []),
        ("nothing of the kind", ["unseen", "fine", "silent", "frozen"]),
    ],
)
def test_filter_by_what_was_noticed(open_page: Open, studio: Studio, found: str, titles: list[str]) -> None:
    """All clips at which anything was noticed, or those of one kind; what means nothing filters nothing."""
    project = studio.project()
    for prompt, noticed in (("frozen", [FROZEN]), ("silent", [Finding(FindingKind.SILENT)]), ("fine", [])):
        look_over(studio.complete(studio.order(project, prompt, generate_audio=True)), *noticed)
    studio.complete(studio.order(project, "unseen"))

    assert shown(open_page("history", found=found)) == titles


def test_card_says_what_was_noticed(open_page: Open, studio: Studio) -> None:
    """With its reason, for eyes and for ears, in the language of the session; nothing where nothing was noticed."""
    project = studio.project()
    look_over(studio.complete(studio.order(project, "lake")), FROZEN)
    look_over(studio.complete(studio.order(project, "hill")))
    studio.complete(studio.order(project, "fox"))
    said_of = {card["title"]: card for card in cards(open_page("history"))}
    assert {title: card["noticed"] for title, card in said_of.items()} == {
        "lake": "The picture stands still from 1.0 s to 2.5 s.",
        "hill": "",
        "fox": "",
    }
    assert said_of["lake"]["noticed"] in said_of["lake"]["label"]
    with db.write_session() as session:
        users.set_language(session, studio.person.user, tag="id")
    [card] = cards(open_page("history", found="frozen"))
    assert card["noticed"] == "Gambar diam dari 1 dtk sampai 2,5 dtk."


def test_dialog_says_what_was_noticed(open_page: Open, studio: Studio) -> None:
    """As a warning above the prompt, with what it differs in from the order; the loudness is one of its facts."""
    gaps = [message("other_length", duration_seconds=5, seconds=4.0)]
    row = studio.order(studio.project(), "lake")
    row = studio.complete(row, build_output(row.id, gaps=gaps, preview_key=None))
    at = turned_to(open_page("history", clip=row.id), "Settings")
    assert [warning.value for warning in at.warning] == [
        "The provider delivered something else than was ordered. Asked for 5 s, delivered 4.0 s."
    ]
    assert "not looked over" in said(at)
    look_over(row, FROZEN, loudness_lufs=-14.2)
    at = turned_to(open_page("history", clip=row.id), "Settings")
    assert [warning.value for warning in at.warning] == [
        "The provider delivered something else than was ordered. Asked for 5 s, delivered 4.0 s. "
        "The picture stands still from 1.0 s to 2.5 s."
    ]
    assert "Other length, Frozen picture" in said(at)
    assert "-14.2 LUFS" in said(at).replace("\N{MINUS SIGN}", "-")


def test_dialog_of_a_clip_without_findings(open_page: Open, studio: Studio) -> None:
    """That somebody has looked and noticed nothing is said among its facts, and there is no warning."""
    row = studio.complete(studio.order(studio.project(), "lake"))
    look_over(row)
    at = turned_to(open_page("history", clip=row.id), "Settings")
    assert not at.warning
    assert "nothing noticed" in said(at)


def test_filters_are_cleared_at_once(open_page: Open, studio: Studio) -> None:
    """One press shows everything again; without a filter there is nothing to press."""
    studio.complete(studio.order(studio.project(), "lake"))
    at = open_page("history", text="lake", verdict="kept", order="oldest", view="list")
    assert shown(at) == []
    assert bar(at)["anySet"]
    at = press(at, "library_bar", "pressed", {"clear": True})
    assert shown(at) == ["lake"]
    assert not {"text", "verdict", "order"} & set(at.query_params)
    assert at.query_params["view"] == "list"
    assert not bar(at)["anySet"]


def test_card_says_what_was_thought_of_it(open_page: Open, studio: Studio) -> None:
    """Heart and verdict are on the card, for eyes and for ears."""
    row = studio.complete(studio.order(studio.project(), "lake"))
    change(studio, row, favourite=True, verdict=ReviewStatus.REJECTED)
    [card] = cards(open_page("history"))
    assert (card["favourite"], card["verdict"]) == (True, "Rejected")
    assert "Rejected lake" in card["label"]


def test_viewer_writes_tags_and_follows_verdicts(open_page: Open, studio: Studio) -> None:
    """Tags are written down at once; what another tab has decided since is there with the next run."""
    row = studio.complete(studio.order(studio.project(), "lake"))
    at = open_page("history", clip=row.id)
    at.multiselect(key=f"clip_tags_{row.id}").set_value(["Night"]).run()
    assert not at.error
    with db.read_session() as session:
        assert review.tags_of(session, studio.person, row.id) == ["night"]
    change(studio, row, verdict=ReviewStatus.REJECTED, reject_reason=RejectReason.SOUND, favourite=True)
    clip = viewed(at.run())
    assert (clip["verdict"], clip["reason"], clip["favourite"]) == ("rejected", "sound", True)


def test_viewer_knows_the_clips_beside_it(open_page: Open, studio: Studio) -> None:
    """Those that fit the filters, in their order and however many there are; the next that nobody has judged, too."""
    project = studio.project()
    rows = [studio.complete(studio.order(project, f"lake {number}")) for number in range(30)]
    studio.complete(studio.order(project, "fox"))
    for row in rows[5:20]:
        change(studio, row, verdict=ReviewStatus.KEPT)
    newest_first = [row.id for row in reversed(rows)]

    told = sent(open_page("history", clip=rows[20].id, text="lake"), "clip_viewer") or {}
    assert [clip["id"] for clip in told["clips"]] == newest_first[:22]
    assert (told["at"], told["listing"]) == (rows[20].id, "newest")
    assert [clip["id"] for clip in told["further"]] == [rows[4].id, rows[3].id]

    told = sent(open_page("history", clip=rows[2].id, text="lake", order="oldest"), "clip_viewer") or {}
    assert [clip["id"] for clip in told["clips"]] == [row.id for row in rows[:15]]
    assert (told["listing"], told["further"]) == ("oldest", [])


def test_viewer_of_a_few_clips(open_page: Open, studio: Studio) -> None:
    """`?clips=` walks through those in their order, whatever the page lists; what is not there is left out."""
    project = studio.project()
    rows = [studio.complete(studio.order(project, f"lake {number}")) for number in range(3)]
    wanted = [rows[2].id, rows[0].id]
    missing = "0198c0de-0000-7000-8000-000000000000"
    at = open_page("history", clip=wanted[1], clips=",".join([*wanted, missing]))
    told = sent(at, "clip_viewer") or {}
    assert ([clip["id"] for clip in told["clips"]], told["at"], told["listing"]) == (wanted, wanted[1], "")


def test_moved_clip_says_where_it_was_charged(open_page: Open, studio: Studio) -> None:
    """A clip is moved from its dialog, which then names both projects."""
    lake, other = studio.project("Lake"), studio.project("Other")
    row = studio.complete(studio.order(lake, "water"))
    at = open_page("history", clip=row.id)
    at.selectbox(key=f"clip_move_to_{row.id}").set_value(other.id)
    at.button(key=f"clip_move_{row.id}").click().run()
    assert not at.error
    assert "Charged in</td>" in said(turned_to(at, "Settings"))
    assert shown(open_page("history", project=other.id)) == ["water"]


def select(at: AppTest, *rows: Generation) -> AppTest:
    """Select cards, as the browser would."""
    at.session_state["history_selected"] = [row.id for row in rows]
    return at.run()


def test_bar_changes_all_that_are_selected(open_page: Open, studio: Studio) -> None:
    """The bar names how many, and each button concerns those it can; what was left is said."""
    project = studio.project()
    done, failed = studio.complete(studio.order(project, "lake")), studio.fail(studio.order(project, "fox"))
    at = open_page("history")
    assert "selection_keep" not in {button.key for button in at.button}
    at = select(at, done, failed)
    assert "**2** selected" in said(at)
    at.button(key="selection_keep").click().run()
    assert any("1 is not finished and was left" in toast.value for toast in at.toast)
    at.button(key="selection_favourite").click().run()
    at.multiselect(key="selection_bulk_tags").set_value(["night"]).run()
    at.button(key="selection_tag_add").click().run()
    assert [(card["favourite"], card["kept"]) for card in cards(at)] == [(True, None), (True, True)]
    with db.read_session() as session:
        assert [list(review.tags_of(session, studio.person, row.id)) for row in (done, failed)] == [["night"]] * 2
    at.button(key="selection_delete").click().run()
    assert cards(at) == []
    assert "selection_keep" not in {button.key for button in at.button}


def test_bar_links_to_an_archive_of_the_finished_ones(open_page: Open, studio: Studio) -> None:
    """One signed link downloads all; what has no clip is not counted in its size."""
    project = studio.project()
    rows = [studio.complete(studio.order(project, "lake")), studio.fail(studio.order(project, "fox"))]
    shown_html = said(select(open_page("history"), *rows))
    assert "/api/apps/video-generator/clips.zip?u=" in shown_html
    assert "Download ZIP (1 kB)" in shown_html


def test_selection_ends_when_the_filters_change(open_page: Open, studio: Studio) -> None:
    """Nobody deletes what they no longer see because of a filter."""
    row = studio.complete(studio.order(studio.project(), "lake"))
    at = select(open_page("history"), row)
    at = choose(at, "status", "completed")
    assert at.session_state["history_selected"] == []


def test_comparison_shows_what_differs(open_page: Open, studio: Studio) -> None:
    """Two finished clips side by side: every fact of both, and which are not the same."""
    project = studio.project()
    rows = [studio.complete(studio.order(project, "lake", resolution=size)) for size in ("720p", "1080p")]
    at = open_page("history", compare=",".join(row.id for row in rows))
    assert not at.error
    told = sent(at, "clip_viewer") or {}
    facts = {fact["label"]: fact["values"] for fact in told["facts"]}
    assert "Prompt" not in facts
    assert facts["Resolution"] == ["720p, 16:9", "1080p, 16:9"]
    assert facts["Price"] == ["50 credits", "65 credits"]
    assert told["together"]
    assert all("/media/videos/" in clip["source"] for clip in told["clips"])
    table = said(turned_to(at, "Compare"))
    assert table.index("Resolution<br>") < table.index(">Prompt</th>")


def test_comparison_of_what_cannot_be_compared(open_page: Open, studio: Studio) -> None:
    """One clip alone, or one that is not there, is a sentence."""
    row = studio.complete(studio.order(studio.project(), "lake"))
    at = open_page("history", compare=f"{row.id},0198c0de-0000-7000-8000-000000000000")
    assert [info.value for info in at.info] == ["Choose two to four finished clips to compare them."]
