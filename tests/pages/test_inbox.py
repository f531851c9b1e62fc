"""The inbox and the bell, ways on the account page, and the switch for prompts, as a person works them."""

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import NoticeKind, NoticeWay, Role, SendState
from core.db.tables import User
from core.notifications import inbox, ways
from tests.factories import installations
from tests.factories.notices import all_sends, told
from tests.factories.studio import Studio
from tests.pages.conftest import Open, sent, widget


def said(at: AppTest) -> str:
    """Everything that stands on the page."""
    return " ".join(str(part.proto.body) for part in at.get("html")) + " ".join(part.value for part in at.markdown)


def unread(at: AppTest) -> int:
    """What the bell shows."""
    return int((sent(at, "bar") or {})["inbox"]["unread"])


def section() -> None:
    """How one is told, by itself."""
    from pages.sections.account import being_told
    from pages.ui import components, current_member

    components.show_flash()
    being_told.show(current_member.current_member())


def ways_page() -> AppTest:
    """The section as a person sees it."""
    return AppTest.from_function(section, default_timeout=60).run()


def test_empty_inbox(studio: Studio, open_page: Open) -> None:
    """It says what will stand there, and nothing is counted."""
    at = open_page("inbox")
    assert not at.exception
    assert "Nothing has happened yet." in said(at)
    assert unread(at) == 0


def test_clip_that_was_opened_is_read(studio: Studio, open_page: Open) -> None:
    """Who has looked at a clip need not be told that it is done; what failed is still to be read."""
    project = studio.project()
    done, failed = studio.complete(studio.order(project)), studio.fail(studio.order(project))
    for row in (done, failed):
        assert not open_page("history", clip=row.id).exception
    assert {one.generation_id: one.is_unread for one in told(db.default(), studio.person)} == {
        done.id: False,
        failed.id: True,
    }


def test_notices_are_shown_read_and_opened(studio: Studio, open_page: Open) -> None:
    """Newest first with their prompt; the bell counts, one or all are read, and a press leads to the clip."""
    project = studio.project("Lakes")
    for prompt in ("A first lake", "A <b>second</b> lake"):
        studio.complete(studio.order(project, prompt))
    at = open_page("inbox")
    assert unread(at) == 2
    text = said(at)
    assert text.index("A &lt;b&gt;second&lt;/b&gt; lake") < text.index("A first lake")
    newest, oldest = told(db.default(), studio.person)
    widget(at, f"notice_read_{newest.id}").click().run()
    assert unread(at) == 1
    widget(at, f"notice_read_{newest.id}").click().run()
    assert unread(at) == 2
    widget(at, "inbox_all").click().run()
    assert unread(at) == 0
    widget(at, f"notice_open_{oldest.id}").click().run()
    assert at.query_params["clip"] == oldest.generation_id


def test_pages_of_the_inbox(studio: Studio, open_page: Open) -> None:
    """More than a page can be gone through, and unread ones alone be looked at."""
    project = studio.project("Lakes")
    for number in range(inbox.PAGE_SIZE + 1):
        studio.complete(studio.order(project, f"Lake {number:02}"))
    at = open_page("inbox")
    assert "Lake 00" not in said(at)
    widget(at, "inbox_next").click().run()
    assert "Lake 00" in said(at)


def test_mail_where_there_is_no_server(studio: Studio) -> None:
    """It is said, and nothing can be turned on."""
    at = ways_page()
    assert "No mail server is set up in this installation." in [part.value for part in at.caption]
    with pytest.raises(KeyError):
        widget(at, "way_email_on")


def test_mail_is_worked(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is turned on, tested, put into a digest, muted for a kind, turned off and removed."""
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_FROM", "video@example.org")
    installations.reopen()
    at = ways_page()
    widget(at, "way_email_on").click().run()
    widget(at, "way_email_test").click().run()
    assert [one.state for one in all_sends(db.default())] == [SendState.DUE]
    widget(at, "way_email_digest").set_value(True).run()
    chosen = widget(at, "way_email_kinds")
    chosen.set_value([kind for kind in ways.KINDS if kind is not NoticeKind.CLIPS_DONE]).run()
    with db.read_session() as session:
        way = ways.of_person(session, studio.person)[NoticeWay.EMAIL]
        assert (way.digest_at is not None, way.muted) == (True, ["clips_done"])
    widget(at, "way_email_switch").click().run()
    assert [one.state for one in all_sends(db.default())] == [SendState.DROPPED]
    widget(at, "way_email_remove").click().run()
    with db.read_session() as session:
        assert ways.of_person(session, studio.person) == {}


def test_address_that_is_refused(studio: Studio) -> None:
    """An address inside is refused with a sentence, and nothing is kept."""
    at = ways_page()
    widget(at, "way_slack_url").set_value("http://127.0.0.1:1/hook").run()
    widget(at, "way_slack_save").click().run()
    assert at.error
    with db.read_session() as session:
        assert ways.of_person(session, studio.person) == {}


def test_prompts_of_a_workspace(studio: Studio, open_page: Open) -> None:
    """A manager lets prompts out, and takes that back."""
    at = open_page("team")
    key = f"team_prompts_{studio.person.workspace_id}"
    assert widget(at, key).value is False
    widget(at, key).set_value(True).run()
    assert widget(at, key).value is True
    assert not at.exception


def test_kind_that_is_for_administrators_is_offered_to_them_alone(studio: Studio) -> None:
    """What others choose leaves it as it was."""
    assert NoticeKind.PROVIDER_ACCOUNT in widget(ways_page(), "way_inbox_kinds").value
    with db.write_session() as session:
        session.execute(update(User).values(role=Role.USER))
    at = ways_page()
    chosen = widget(at, "way_inbox_kinds")
    assert NoticeKind.PROVIDER_ACCOUNT not in chosen.value
    chosen.set_value([NoticeKind.MODEL_ENDS]).run()
    with db.read_session() as session:
        muted = ways.of_person(session, studio.person)[NoticeWay.INBOX].muted
    assert NoticeKind.CLIPS_DONE in muted
    assert not {NoticeKind.PROVIDER_ACCOUNT, NoticeKind.MODEL_ENDS} & set(muted)
