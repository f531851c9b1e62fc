import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import VisitKind, WorkspaceRole
from core.db.tables import ShareLink, WorkspaceMember
from core.generations import commands, share_links, share_visits
from core.generations.share_links import LinkState
from core.generations.share_visits import Visitor
from core.identity import passwords
from tests.factories import installations
from tests.factories.studio import Studio
from tests.pages.conftest import Open, sent


def links_of(studio: Studio) -> list[share_links.LinkRow]:
    """The links of the person's workspace."""
    with db.read_session() as session:
        return list(share_links.list_page(session, studio.person).rows)


def make(studio: Studio, count: int = 1, title: str = "Takes") -> str:
    """The token of a new link to so many new clips."""
    project = studio.project()
    ids = [studio.complete(studio.order(project, f"clip {number}")).id for number in range(count)]
    with db.write_session() as session:
        return share_links.make(session, studio.person, ids, title=title).token


def become_viewer() -> None:
    """From now on the person of the installation only looks."""
    with db.write_session() as session:
        session.execute(update(WorkspaceMember).values(role=WorkspaceRole.VIEWER))


def account(open_page: Open) -> AppTest:
    """The account page with the tab of the links open."""
    at = open_page("account")
    at.session_state["account_tabs"] = "Shared links"
    return at.run()


def said(at: AppTest) -> str:
    """All texts of a page."""
    parts = [part.value for part in (*at.markdown, *at.caption, *at.error, *at.header)]
    return "\n".join([*parts, *(part.proto.body for part in at.get("html"))])


def test_link_is_made_from_a_clip(open_page: Open, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its dialog asks for what a link needs, shows the address this once, and comes back to the clip."""
    monkeypatch.setenv("PUBLIC_URL", "https://video.example.org/films")
    installations.reopen()
    row = studio.complete(studio.order(studio.project()))
    at = open_page("history", clip=row.id)
    at.button(key=f"clip_share_{row.id}").click().run()
    at.text_input(key="share_title").set_value("For the client")
    at.selectbox(key="share_hours").set_value(24)
    at.text_input(key="share_password").set_value("correct horse")
    at.checkbox(key="share_download").check()
    next(button for button in at.button if button.label == "Make the link").click().run()

    (link,) = links_of(studio)
    assert not at.error
    (address,) = [code.value for code in at.code]
    prefix, _, token = address.rpartition("/")
    assert prefix == "https://video.example.org/films/share"
    assert (sent(at, "copy_button") or {})["buttons"] == [{"label": "Copy link", "text": address}]
    with db.read_session() as session:
        shared = share_visits.look(session, token)
    assert [clip.generation_id for clip in shared.clips] == [row.id]
    assert (shared.title, shared.allow_download) == ("For the client", True)
    assert (link.link.expires_at - link.link.created_at).total_seconds() == 24 * 3600
    assert not link.link.show_prompt
    assert passwords.is_right("correct horse", shared.password_hash or "")

    at.button(key="share_done").click().run()
    assert not at.code
    assert at.button(key=f"clip_share_{row.id}"), "the clip is open again"
    assert address not in said(at)


def test_dialog_stays_on_its_page(open_page: Open, studio: Studio) -> None:
    """Who goes to another page in the middle of it finds no dialog there."""
    row = studio.complete(studio.order(studio.project()))
    at = open_page("history", clip=row.id)
    at.button(key=f"clip_share_{row.id}").click().run()
    assert at.text_input(key="share_title")
    del at.query_params["share"]
    del at.query_params["clip"]
    at.switch_page("generate.py").run()
    assert "share_title" not in [field.key for field in at.text_input]


def test_dialog_says_where_nobody_can_come(open_page: Open, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that answers its own machine only says so before a link is made."""
    row = studio.complete(studio.order(studio.project()))
    at = open_page("history", clip=row.id)
    at.button(key=f"clip_share_{row.id}").click().run()
    assert "AUTH_MODE" in at.warning[0].value
    monkeypatch.setenv("AUTH_MODE", "open")
    installations.reopen()
    assert not at.run().warning


def test_refusal_is_said_in_the_dialog(open_page: Open, studio: Studio) -> None:
    """A password that is too short is said where it was typed, and nothing is made."""
    row = studio.complete(studio.order(studio.project()))
    at = open_page("history", clip=row.id)
    at.button(key=f"clip_share_{row.id}").click().run()
    at.text_input(key="share_password").set_value("short")
    next(button for button in at.button if button.label == "Make the link").click().run()
    assert [error.value for error in at.error] == ["Use at least 8 characters."]
    assert links_of(studio) == []


def test_link_is_made_of_what_is_selected(open_page: Open, studio: Studio) -> None:
    """The bar shares what is finished of the selection, in its order."""
    project = studio.project()
    done = [studio.complete(studio.order(project, f"clip {number}")).id for number in range(2)]
    waiting = studio.order(project, "not yet").id
    at = open_page("history")
    at.session_state["history_selected"] = [done[1], waiting, done[0]]
    at.run()
    at.button(key="selection_share").click().run()
    next(button for button in at.button if button.label == "Make the link").click().run()
    token = at.code[0].value.rpartition("/")[2]
    with db.read_session() as session:
        assert [clip.generation_id for clip in share_visits.look(session, token).clips] == [done[1], done[0]]


def test_sharing_is_drawn_only_for_who_may(open_page: Open, studio: Studio) -> None:
    """A viewer finds no button and no list; nor does anybody on a clip that is not finished."""
    project = studio.project()
    row, waiting = studio.complete(studio.order(project)), studio.order(project)
    keys = [button.key for button in open_page("history", clip=waiting.id).button]
    assert f"clip_share_{waiting.id}" not in keys
    assert "Shared links" in [tab.label for tab in open_page("account").tabs]
    become_viewer()
    at = open_page("history", clip=row.id)
    at.session_state["history_selected"] = [row.id]
    at.run()
    keys = [button.key for button in at.button]
    assert f"clip_share_{row.id}" not in keys
    assert "selection_share" not in keys
    assert "Shared links" not in [tab.label for tab in open_page("account").tabs]


def test_list_tells_of_each_link_and_revokes(open_page: Open, studio: Studio) -> None:
    """Title, state, views and visits of each; one press ends it."""
    token = make(studio, 2, title="For <b>Ben</b>")
    with db.write_session() as session:
        shared = share_visits.look(session, token)
        share_visits.note_visit(session, shared, VisitKind.VIEW, Visitor("203.0.113.7", "<i>Browser</i>"))
    (row,) = links_of(studio)
    at = account(open_page)
    assert "For &lt;b&gt;Ben&lt;/b&gt;" in said(at)
    assert "2 clips" in said(at)
    assert "1 view" in said(at)

    at.button(key=f"sharing_revoke_{row.link.id}").click().run()
    assert [row.state for row in links_of(studio)] == [LinkState.REVOKED]
    assert f"sharing_revoke_{row.link.id}" not in [button.key for button in at.button]


def test_list_has_pages(open_page: Open, studio: Studio) -> None:
    """Older and newer walk through all links, each once."""
    for number in range(11):
        make(studio, title=f"Link {number:02}")
    at = account(open_page)
    first = said(at)
    at.button(key="sharing_older").click().run()
    second = said(at)
    shown = [{number for number in range(11) if f"Link {number:02}" in text} for text in (first, second)]
    assert shown == [set(range(1, 11)), {0}]
    at.button(key="sharing_newer").click().run()
    assert "Link 10" in said(at)


def test_list_is_empty(open_page: Open, studio: Studio) -> None:
    """Without links it says so."""
    assert "There are no links." in said(account(open_page))


def test_clip_is_deleted_while_it_is_shared(open_page: Open, studio: Studio) -> None:
    """That is said, and nothing is half made."""
    row = studio.complete(studio.order(studio.project()))
    at = open_page("history", clip=row.id)
    at.button(key=f"clip_share_{row.id}").click().run()
    with db.write_session() as session:
        commands.delete(session, studio.person, row.id)
    next(button for button in at.button if button.label == "Make the link").click().run()
    assert len(at.error) == 1
    with db.read_session() as session:
        assert session.scalars(select(ShareLink)).all() == []
