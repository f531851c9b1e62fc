"""What the library keeps and starts: saved filters, and jobs over everything that matches."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import BulkKind, BulkState
from core.generations import bulk_jobs, queries, review, saved_filters
from core.generations.filters import KeptFilter
from core.generations.list_filter import ListFilter
from core.generations.review import Changes
from tests.factories.studio import Studio
from tests.pages.conftest import Open, press, sent


def tell(at: AppTest, **told: Any) -> AppTest:
    """Press something in the bar."""
    return press(at, "library_bar", "pressed", told)


def saved(at: AppTest) -> dict[str, str]:
    """Name -> id of the saved filters that the bar offers."""
    return {each["name"]: each["id"] for each in (sent(at, "library_bar") or {})["saved"]["filters"]}


def titles(at: AppTest) -> list[str]:
    """What the gallery shows."""
    return [card["title"] for card in (sent(at, "clip_gallery") or {"cards": []})["cards"]]


ADDRESSES: list[dict[str, str]] = [
    {"text": "lake", "status": "completed", "order": "oldest"},
    {"favourite": "yes", "verdict": "kept", "model": "demo-film"},
    {"favourite": "no", "found": "any", "days": "30"},
    {"found": "silent", "provider": "demo", "status": "live"},
    {"tag": "night", "verdict": "undecided"},
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_saved_filter_is_opened_again(open_page: Open, studio: Studio, address: dict[str, str]) -> None:
    """What was saved under a name is in the address again when it is opened, whatever was set meanwhile."""
    project = studio.project()
    row = studio.complete(studio.order(project, "lake"))
    with db.write_session() as session:
        review.update(session, studio.person, row.id, Changes(tags=["night"]))
    wanted = {**address, "project": project.id}
    at = tell(open_page("history", **wanted), keep="Mine", shared=False)
    assert list(saved(at)) == ["Mine"]
    at = tell(tell(at, clear=True), set="text", value="else")
    at = tell(at, open=saved(at)["Mine"])
    assert not at.error
    assert {param: at.query_params[param] for param in at.query_params} == wanted


def test_saved_filters_are_renamed_and_forgotten(open_page: Open, studio: Studio) -> None:
    """Of one's own, in place; a name that is taken, or a filter that is gone, is a sentence."""
    studio.complete(studio.order(studio.project(), "lake"))
    at = tell(open_page("history", text="lake"), keep="First", shared=True)
    assert (sent(at, "library_bar") or {})["saved"]["filters"][0]["by"] == "shared with the workspace"
    at = tell(tell(at, keep="Second", shared=False), rename=saved(at)["First"], name="Lakes")
    assert sorted(saved(at)) == ["Lakes", "Second"]
    first = saved(at)["Lakes"]
    at = tell(at, rename=first, name="Second")
    assert len(at.error) == 1
    at = tell(at, forget=first)
    assert list(saved(at)) == ["Second"]
    at = tell(at, open=first)
    assert len(at.error) == 1
    assert titles(at) == ["lake"]


def test_filter_of_what_is_gone_says_so(open_page: Open, studio: Studio) -> None:
    """A saved filter opens without what is no longer there, and tells it."""
    studio.complete(studio.order(studio.project(), "lake"))
    with db.write_session() as session:
        kept = KeptFilter(ListFilter(tag="night", text="lake"))
        row = saved_filters.create(session, studio.person, name="Nights", kept=kept)
    at = tell(open_page("history"), open=row.id)
    assert at.query_params["text"] == "lake"
    assert "tag" not in at.query_params
    assert any("night" in toast.value for toast in at.toast)


def jobs(studio: Studio) -> list[tuple[BulkKind, int, dict[str, Any]]]:
    """Kind, number of clips and details of the jobs there are."""
    with db.read_session() as session:
        found = bulk_jobs.list_own(session, studio.person)
        return [(each.job.kind, each.job.matched_count, dict(each.job.details)) for each in found]


def everything(at: AppTest) -> AppTest:
    """Select the first clip, then everything that matches."""
    at.session_state["history_selected"] = [(sent(at, "clip_gallery") or {})["cards"][0]["id"]]
    at.run()
    return at.button(key="selection_everything").click().run()


def test_everything_that_matches_becomes_a_job(open_page: Open, studio: Studio) -> None:
    """The job is over what the filter shows, not what is on the page; the selection ends, and the job is shown."""
    project = studio.project()
    for number in range(30):
        studio.complete(studio.order(project, f"lake {number}"))
    studio.complete(studio.order(project, "hill"))
    at = everything(open_page("history", text="lake"))
    assert (sent(at, "clip_gallery") or {})["board"]["all"]
    assert any("30 clips" in text.value for text in at.markdown)
    at.multiselect(key="everything_tags").set_value(["night"]).run()
    at.button(key="everything_tag").click().run()
    assert not at.error
    assert jobs(studio) == [(BulkKind.TAG, 30, {"tags": ["night"]})]
    assert not (sent(at, "clip_gallery") or {})["board"]["all"]
    [job] = [str(button.key) for button in at.button if str(button.key).startswith("job_stop_")]
    at.button(key=job).click().run()
    with db.read_session() as session:
        assert bulk_jobs.list_own(session, studio.person)[0].job.state is BulkState.CANCELLED
    at.button(key=job.replace("stop", "hide")).click().run()
    assert not [button.key for button in at.button if str(button.key).startswith("job_")]


def test_everything_is_packed_under_chosen_names(open_page: Open, studio: Studio) -> None:
    """A template that cannot be is refused before anything starts, and one that can names the files."""
    studio.complete(studio.order(studio.project(), "lake"))
    studio.complete(studio.order(studio.project(), "lake"))
    at = everything(open_page("history"))
    at.text_input(key="everything_names").set_value("{nonsense}").run()
    assert len(at.error) == 1
    assert "everything_fetch" not in {button.key for button in at.button}
    at.text_input(key="everything_names").set_value("{date}-{id}").run()
    at.button(key="everything_fetch").click().run()
    assert jobs(studio) == [(BulkKind.FETCH, 2, {"names": "{date}-{id}"})]


def test_everything_is_deleted_only_when_sure(open_page: Open, studio: Studio) -> None:
    """One press more than for a few clips."""
    rows = [studio.complete(studio.order(studio.project(), "lake")) for _ in range(2)]
    at = everything(open_page("history"))
    assert at.button(key="everything_delete").disabled
    at.checkbox(key="everything_sure").set_value(True).run()
    at.button(key="everything_delete").click().run()
    assert [kind for kind, _count, _details in jobs(studio)] == [BulkKind.DELETE]
    with db.read_session() as session:
        assert len(queries.get_many(session, studio.person, [row.id for row in rows])) == len(rows)
