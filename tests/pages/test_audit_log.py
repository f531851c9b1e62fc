from datetime import timedelta

import pytest
from sqlalchemy import update

from core import db
from core.audit_log import Act, acts, record
from core.clock import utc_now
from core.db.enums import Role
from core.db.tables import AuditLogEntry, User
from tests.factories.studio import Studio
from tests.pages.conftest import Open


@pytest.fixture
def told(studio: Studio) -> None:
    """Some acts of some people."""
    with db.write_session() as session:
        user = studio.person.user
        record(session, user, Act.TOKEN_MADE, target="CI <script>", target_id="t1", after={"scope": "admin"})
        record(
            session,
            None,
            Act.MEMBER_ROLE_CHANGED,
            target="ben@example.org",
            workspace_id=studio.person.workspace_id,
            before={"role": "viewer"},
            after={"role": "manager"},
        )
        session.add(
            AuditLogEntry(
                at=utc_now() - timedelta(days=40), actor="ana@example.org", noun="tea", action="tea.made", target="Old"
            )
        )


def shown(at: object) -> str:
    """The HTML of the page."""
    return " ".join(element.proto.body for element in at.get("html"))  # type: ignore[attr-defined]


def test_acts_are_shown_with_their_details(open_page: Open, told: None) -> None:
    """When, who, what in words, on what, from where, before and after; nobody's text becomes HTML."""
    at = open_page("audit_log")
    assert not at.error
    text = shown(at)
    assert "Changed a role in the workspace from viewer to manager" in text
    assert "ben@example.org" in text
    assert "The system" in text
    assert "CI &lt;script&gt;" in text
    assert "<script>" not in text
    assert "Made an API token" in text
    assert "tea.made" in text, "an act of another release is shown by its name"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"kind": "token"}, ["CI"]),
        ({"text": "BEN"}, ["ben@"]),
        ({"who": "demo@localhost"}, ["CI"]),
        ({"target": "t1"}, ["CI"]),
        ({"to": f"{utc_now() - timedelta(days=30):%Y-%m-%d}"}, ["Old"]),
        ({"from_": f"{utc_now() - timedelta(days=30):%Y-%m-%d}"}, ["CI", "ben@"]),
        ({"kind": "nonsense", "from_": "x", "of": "y"}, ["CI", "ben@", "Old"]),
    ],
)
def test_filters_stand_in_the_address(open_page: Open, told: None, address: dict[str, str], found: list[str]) -> None:
    """A view can be sent to somebody; what cannot be read narrows nothing."""
    text = shown(open_page("audit_log", **address))
    assert [each for each in ("CI", "ben@", "Old") if f">{each}" in text] == found


def test_workspace_narrows(open_page: Open, told: None, studio: Studio) -> None:
    """Entries of one workspace, chosen or by its link."""
    text = shown(open_page("audit_log", of=studio.person.workspace_id))
    assert "ben@example.org" in text
    assert "Made an API token" not in text


def test_nothing_matches_and_the_way_out(open_page: Open, told: None) -> None:
    """An empty page says why and shows everything again with one press."""
    at = open_page("audit_log", text="nobody has this name")
    assert any("Nothing matches" in each.value for each in at.markdown)
    at.button(key="audit_log_show_all").click().run()
    assert "CI &lt;script&gt;" in shown(at)


def test_quiet_installation_says_what_would_be_here(open_page: Open, studio: Studio) -> None:
    """Before the first act a sentence stands in its place."""
    at = open_page("audit_log")
    assert any("Nothing was administered yet" in each.value for each in at.markdown)


def test_older_and_newer(open_page: Open, studio: Studio) -> None:
    """Pages follow one another by key, and back."""
    with db.write_session() as session:
        for number in range(60):
            record(session, None, Act.PROJECT_DELETED, target=f"Film {number:02}")
    at = open_page("audit_log")
    assert "Film 59" in shown(at)
    assert "Film 09" not in shown(at)
    at.button(key="audit_log_older").click().run()
    assert "Film 09" in shown(at)
    assert "Film 59" not in shown(at)
    at.button(key="audit_log_newer").click().run()
    assert "Film 59" in shown(at)


def test_page_for_others_than_administrators(open_page: Open, told: None, studio: Studio) -> None:
    """An analyst finds neither the page nor its content."""
    with db.write_session() as session:
        session.execute(update(User).where(User.id == studio.person.id).values(role=Role.ANALYST))
    assert "Made an API token" not in shown(open_page("audit_log"))


def test_in_indonesian(open_page: Open, told: None, studio: Studio) -> None:
    """Words and roles are those of the reader."""
    with db.write_session() as session:
        session.execute(update(User).where(User.id == studio.person.id).values(language="id"))
    text = shown(open_page("audit_log"))
    assert "Mengubah peran di ruang kerja dari pelihat menjadi pengelola" in text


def test_every_kind_has_a_word(open_page: Open, studio: Studio) -> None:
    """What acts are done to can be chosen, each by a word."""
    at = open_page("audit_log")
    kinds = next(box for box in at.selectbox if box.label == "Kind of act")
    assert len(kinds.options) == len(acts.nouns())
    assert not set(kinds.options) & set(acts.nouns())
