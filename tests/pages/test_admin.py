import json
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core import db, errors
from core.audit import invariants
from core.billing import ledger, months
from core.catalog import catalogue
from core.clock import utc_now
from core.db.enums import Role, Stage, Status
from core.db.tables import AuditLogEntry, AuditRun, BackfillProgress, ClosedPeriod, Generation, User
from core.generations import queries, reconciliation
from core.insights import attention, circuit_breaker, cost_drift
from core.providers.contract import JobMatches, ProviderJob
from core.usage import exchange_rates
from tests.factories import installations
from tests.factories.books import set_back
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    lose_submit,
    rewrite,
)
from tests.factories.studio import Studio
from tests.factories.users import create_member, ensure_member
from tests.pages.conftest import Open, widget

TABS = {
    "Attention": ["Clips that need review"],
    "Providers": ["Providers", "The dollar"],
    "People": ["People", "Grant or correct credits", "Sample company"],
    "Queue": ["Under way"],
    "Books": ["Closed months"],
    "Trust": ["What must always be true", "How long clips are kept"],
}


def tab(open_page: Open, name: str) -> AppTest:
    """The page at one of its tabs."""
    at = open_page("admin")
    at.session_state["admin_tabs"] = name
    return at.run()


@pytest.mark.parametrize("name", TABS)
def test_quiet_installation_shows_its_sections(open_page: Open, studio: Studio, name: str) -> None:
    """Nothing unclear, nothing under way, nothing checked yet, providers with their state."""
    at = tab(open_page, name)
    assert not at.error
    assert not at.exception
    assert [header.value for header in at.header] == TABS[name]
    assert any("MODELSLAB_API_KEY" in caption.value for caption in at.caption) == (name == "Providers")


def test_month_is_closed_by_two_presses(open_page: Open, studio: Studio) -> None:
    """The oldest open month is offered by its name; once closed it is in the table, and is said to be on Credits."""
    studio.complete(studio.order(studio.project()))
    month = months.of(utc_now() - timedelta(days=62))
    name = f"{months.bounds(month)[0]:%B %Y}"
    set_back(month)
    at = tab(open_page, "Books")
    assert at.selectbox(key="admin_close_month").options[0] == name
    assert not any("sample company" in caption.value for caption in at.caption)
    at.button(key="admin_close").click().run()
    assert not at.error
    assert not at.exception
    with db.read_session() as session:
        [period] = session.scalars(select(ClosedPeriod)).all()
    assert (period.month, period.closed_by) == (month, studio.person.email)
    assert any(period.hash in element.proto.body for element in at.get("html"))
    credits = open_page("credits")
    assert f"{name}, closed" in credits.selectbox(key="account_month").options
    credits.selectbox(key="account_month").set_value(month).run()
    assert not credits.exception
    assert credits.selectbox(key="account_charged_to").value == "workspace"
    assert {"Download CSV", "Download Excel", "Download PDF"} <= {
        each.proto.label for each in credits.get("download_button")
    }


def test_queue_shows_everybodys_clips_without_their_prompts(open_page: Open, studio: Studio) -> None:
    """How many are where, and whose is under way for longest; others' prompts are theirs."""
    eve = create_member(db.default(), "eve@example.org")
    create_generation(db.default(), eve, prompt="A secret campaign")
    studio.order(studio.project())
    at = tab(open_page, "Queue")
    drawn = [
        json.loads(each.proto.json)[0]
        for each in at.get("bidi_component")
        if "sorted_table" in each.proto.component_name
    ]
    [counts, longest] = drawn
    assert [row[2][0] for row in counts["rows"]] == ["2"]
    assert {row[0][0] for row in longest["rows"]} == {"eve", studio.person.user.name}
    assert "secret" not in json.dumps(drawn)


def test_unclear_clip_is_released(open_page: Open, studio: Studio) -> None:
    """The decision that it was never made gives the credits back."""
    row = studio.lose(studio.order(studio.project()))
    at = open_page("admin")
    at.button(key=f"admin_release_{row.id}").click().run()
    assert not at.error
    with db.read_session() as session:
        assert queries.get(session, studio.person, row.id).status is Status.FAILED
        assert ledger.balance(session, studio.person.id) == ledger.Balance(100_000, 0)


def test_unclear_clip_of_a_workspace_of_others(open_page: Open, studio: Studio) -> None:
    """Who decides is nobody in that workspace: they see whose it is, and neither its prompt nor a way to the clip."""
    eve = create_member(db.default(), "eve@example.org")
    own = studio.lose(studio.order(studio.project(), "My own heron"))
    row = lose_submit(db.default(), create_generation(db.default(), eve, prompt="A secret campaign").id)
    at = open_page("admin")
    said = " ".join(element.proto.body for element in at.get("html"))
    assert "eve@example.org" in said
    assert "A secret campaign" not in said
    assert "My own heron" in said
    assert [button.key for button in at.button if button.key and row.id in button.key]
    assert [link.proto.query_string for link in at.get("page_link")] == [f"clip={own.id}"]


def test_unclear_clip_goes_on_with_the_job_that_was_found(open_page: Open, studio: Studio) -> None:
    """The decision that the provider has it needs a job id, and the wait goes on with it."""
    row = studio.lose(studio.order(studio.project()))
    at = open_page("admin")
    at.button(key=f"admin_found_{row.id}").click().run()
    assert [error.value for error in at.error] == ["Write the job ID that the provider shows."]
    at.text_input(key=f"admin_job_{row.id}").set_value(" job-7 ")
    at.button(key=f"admin_found_{row.id}").click().run()
    with db.read_session() as session:
        found = queries.get(session, studio.person, row.id)
    assert (found.status, found.stage, found.provider_job_id) == (Status.PROCESSING, Stage.WAITING, "job-7")


def test_unclear_clip_shows_the_jobs_it_may_be(open_page: Open, studio: Studio) -> None:
    """Jobs of the provider's list are named; one that is another clip's already is refused with a sentence."""
    row = studio.lose(studio.order(studio.project()))
    other = studio.lose(studio.order(studio.project()))
    for lost, jobs in ((row, ("job-7", "job-8")), (other, ("job-7",))):
        with db.write_session() as session:
            reconciliation.reconcile(session, lost, JobMatches(exact=[ProviderJob(job_id) for job_id in jobs]))
    at = open_page("admin")
    assert any("one of these jobs: job-7, job-8" in element.proto.body for element in at.get("html"))
    at.text_input(key=f"admin_job_{row.id}").set_value("job-7")
    at.button(key=f"admin_found_{row.id}").click().run()
    assert [error.value for error in at.error] == ["The job job-7 belongs to another generation."]


def titles(at: AppTest) -> str:
    """What the head of the page says."""
    return " ".join(title.value for title in at.title)


def test_unclear_clip_says_whose_it_is(open_page: Open, studio: Studio) -> None:
    """Person, project and age stand with it; a link leads an administrator to a clip of their own only."""
    with db.write_session() as session:
        ana = ensure_member(session, "ana@example.org", signup_credits=1000)
    theirs = lose_submit(db.default(), create_generation(db.default(), ana).id)
    mine = studio.lose(studio.order(studio.project("Lake film")))
    at = open_page("admin")
    shown = " ".join(element.proto.body for element in at.get("html"))
    assert "ana · ana@example.org, in the project " in shown
    assert "in the project Lake film" in shown
    assert any("just now" in caption.value for caption in at.caption if "reserved" in caption.value)
    links = [link.proto.query_string for link in at.get("page_link")]
    assert [theirs.id in link or mine.id in link for link in links].count(True) == 1
    assert any(mine.id in link for link in links)


def test_what_waits_is_counted_and_the_page_keeps_its_name(open_page: Open, studio: Studio) -> None:
    """A clip without a known outcome and an account that is refused are two; the number is the navigation's alone."""
    with db.read_session() as session:
        assert attention.waiting(session).count == 0
    studio.lose(studio.order(studio.project()))
    with db.write_session() as session:
        circuit_breaker.record_failure(session, "demo", errors.ProviderOutOfCredits())
    with db.read_session() as session:
        assert attention.waiting(session).count == 2
    assert titles(open_page("admin")) == "Admin"


def test_what_does_not_stand_as_it_should_is_said_with_what_helps(open_page: Open, studio: Studio) -> None:
    """A line that stands, a clip that is late and a broken rule: each a sentence, the late one by person and model."""
    sent_at = utc_now() - timedelta(hours=2)
    late, first = (create_generation(db.default(), studio.person) for _ in range(2))
    advance(db.default(), late.id, DISPATCHED, SUBMITTING, WAITING)
    with db.write_session() as session:
        rewrite(session, Generation.id == late.id, submitted_at=sent_at)
        rewrite(session, created_at=sent_at)
        session.add(AuditRun(broken=1, results={}))
        session.add(BackfillProgress(name="shades", last_id="7", row_count=12_000, began_at=sent_at))

    at = open_page("admin")
    assert not at.exception
    assert "After the upgrade shades is being filled in: 12,000 rows so far, begun 2 h ago." in [
        caption.value for caption in at.caption
    ]
    assert [error.value for error in at.error] == [
        "1 rule that must always be true is broken. The tab Trust says which, and by what."
    ]
    assert [warning.value for warning in at.warning] == [
        "The first clip in line was ordered 2 h ago and has not been sent yet. The tab Queue shows the line.",
        "1 clip takes more than three times as long as usual. Its provider may have lost it.",
    ]
    assert at.button(key=f"late_look_{late.id}").label == "Look again now"
    assert not any(first.id in str(button.key) for button in at.button)
    with db.read_session() as session:
        assert attention.waiting(session).count == 3


def test_account_fault_is_told_to_administrators_until_an_order_is_accepted(open_page: Open, studio: Studio) -> None:
    """What people are told an administrator has to do, the administrator reads; a look that works hides nothing."""
    with db.write_session() as session:
        circuit_breaker.record_key_check(session, "demo", works=True)
        circuit_breaker.record_failure(session, "demo", errors.ProviderOutOfCredits())
        circuit_breaker.record_answer(session, "demo")
    at = open_page("admin")
    [warning] = [each.value for each in at.warning]
    assert warning.startswith("Demo Studio refused an order: Our account at the provider is empty.")
    assert "(just now)" in warning
    assert not any("The key works." in caption.value for caption in tab(open_page, "Providers").caption)
    with db.write_session() as session:
        circuit_breaker.record_order(session, "demo")
    at = open_page("admin")
    assert not at.warning
    assert any("The key works. (just now)" in caption.value for caption in tab(open_page, "Providers").caption)


def test_checks_are_run_and_kept(open_page: Open, studio: Studio) -> None:
    """Check now shows every rule, green where it holds."""
    studio.complete(studio.order(studio.project()))
    at = tab(open_page, "Trust")
    at.button(key="admin_check").click().run()
    assert not at.error
    number = len(invariants.INVARIANTS) + 1  # and that of closed months
    assert any(f"{number} of {number} rules hold" in text.value for text in at.markdown)


def test_broken_rule_names_its_offender(open_page: Open, studio: Studio) -> None:
    """A balance that is not the sum of its rows is shown as broken."""
    with db.write_session() as session:
        session.connection().exec_driver_sql("UPDATE accounts SET available_credits = 1")
    at = tab(open_page, "Trust")
    at.button(key="admin_check").click().run()
    assert [error.value for error in at.error] == ["1 rule is broken."]


def test_grant_is_booked_once_with_its_reason(open_page: Open, studio: Studio) -> None:
    """Credits reach the person, with who and why on the ledger."""
    at = tab(open_page, "People")
    key = at.session_state["admin_grant_key"]
    at.text_input(key=f"admin_grant_email_{key}").set_value("demo@localhost")
    at.number_input(key=f"admin_grant_credits_{key}").set_value(500)
    at.text_input(key=f"admin_grant_reason_{key}").set_value("Spring campaign")
    at.button(key="FormSubmitter:admin_grant-Apply").click().run()
    assert not at.error
    with db.read_session() as session:
        entry = ledger.entries(session, studio.person.id)[0]
        assert ledger.balance(session, studio.person.id).available_credits == 100_500
    assert (entry.amount_credits, entry.reason, entry.actor) == (500, "Spring campaign", "demo@localhost")
    with db.read_session() as session:
        told = session.scalars(select(AuditLogEntry)).one()
    assert (told.action, told.actor, told.target, told.address) == (
        "credits.granted",
        "demo@localhost",
        "demo@localhost",
        "127.0.0.1",
    )
    assert told.after == {"credits": 500, "reason": "Spring campaign"}
    assert at.session_state["admin_grant_key"] != key


def test_grant_to_nobody_is_a_sentence(open_page: Open, studio: Studio) -> None:
    """An unknown address books nothing."""
    at = tab(open_page, "People")
    key = at.session_state["admin_grant_key"]
    at.text_input(key=f"admin_grant_email_{key}").set_value("nobody@example.org")
    at.text_input(key=f"admin_grant_reason_{key}").set_value("Test")
    at.button(key="FormSubmitter:admin_grant-Apply").click().run()
    assert [error.value for error in at.error] == ["There is no person with the address nobody@example.org."]


def test_page_is_closed_to_others(open_page: Open, studio: Studio) -> None:
    """Who is not an administrator gets another page, whatever the address says."""
    with db.write_session() as session:
        session.execute(update(User).values(role=Role.USER))
    at = open_page("admin")
    assert "People" not in [header.value for header in at.header]


def test_correction_takes_credits_away_and_never_too_many(open_page: Open, studio: Studio) -> None:
    """A correction below zero is booked with its reason; one beyond the balance is refused."""
    at = tab(open_page, "People")
    for amount, left in ((-100_000, 0), (-1, 0)):
        key = at.session_state["admin_grant_key"]
        widget(at, f"admin_grant_kind_{key}").set_value("adjust")
        at.text_input(key=f"admin_grant_email_{key}").set_value("demo@localhost")
        at.number_input(key=f"admin_grant_credits_{key}").set_value(amount)
        at.text_input(key=f"admin_grant_reason_{key}").set_value("Booked by mistake")
        at.button(key="FormSubmitter:admin_grant-Apply").click().run()
        with db.read_session() as session:
            assert ledger.balance(session, studio.person.id).available_credits == left
    assert [error.value for error in at.error] == ["This needs 1 credits and 0 are available."]


def test_people_are_found_with_their_credits(open_page: Open, studio: Studio) -> None:
    """Everybody is listed with role and balance; the search leaves who matches."""
    with db.write_session() as session:
        ensure_member(session, "ana@example.org", signup_credits=1234)
    at = tab(open_page, "People")
    shown = " ".join(element.proto.body for element in at.get("html"))
    assert "ana@example.org" in shown
    assert "1,234" in shown
    at.text_input(key="admin_people_search").set_value("demo").run()
    shown = " ".join(element.proto.body for element in at.get("html"))
    assert "demo@localhost" in shown
    assert "ana@example.org" not in shown


def test_dollar_is_set_from_a_day_on(open_page: Open, studio: Studio) -> None:
    """What is set for today counts from now on, what is set for a day to come counts then; both stand in the table."""
    at = tab(open_page, "Providers")
    at.number_input(key="admin_dollar_idr").set_value(16_800)
    press(at, "Set the dollar")
    later = utc_now().date() + timedelta(days=40)
    at.number_input(key="admin_dollar_idr").set_value(17_200)
    at.date_input(key="admin_dollar_since").set_value(later)
    press(at, "Set the dollar")

    assert not at.error
    tables = " ".join(html.value for html in at.html)
    assert all(rate in tables for rate in ("Rp 16,500", "Rp 16,800", "Rp 17,200"))
    with db.read_session() as session:
        assert exchange_rates.at(session, utc_now()) == 16_800
        assert exchange_rates.at(session, datetime.combine(later, time(), UTC)) == 17_200


def press(at: AppTest, label: str) -> None:
    """The one button of that name."""
    [button] = [button for button in at.button if button.label == label]
    button.click().run()


def test_price_of_a_provider_that_is_old_is_told(open_page: Open, studio: Studio) -> None:
    """Three reports in a row that are far from the estimate are a line on the page, for analysts one on usage, too."""
    since = catalogue.shipped().get("nova-reel").costs[-1].since
    with db.write_session() as session:
        for percent in (150, 210, 200):
            cost_drift.note(session, "nova-reel", since, percent, now=utc_now())
    studio.complete(studio.order(studio.project()))  # so that there are figures
    for at in (open_page("admin"), open_page("usage", show="cost", people="everybody")):
        [told] = [warning.value for warning in at.warning if "Amazon Nova Reel" in warning.value]
        assert "the newest 3 clips" in told
        assert "the last one 200% of its estimate" in told


def test_what_would_go_is_counted_by_a_press(open_page: Open, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off, it says how to turn it on; on, it says for how long, and counts by a press, which changes nothing."""
    assert any("REJECTED_CLIP_DAYS" in caption.value for caption in tab(open_page, "Trust").caption)
    for name, value in (("UNDECIDED_CLIP_DAYS", "30"), ("TRASH_DAYS", "14")):
        monkeypatch.setenv(name, value)
    installations.reopen()
    at = tab(open_page, "Trust")
    assert all(any(words in html.value for html in at.html) for words in ("30 days", "14 days"))
    at.button(key="admin_kept").click().run()
    assert not at.exception
    assert any("Nothing was changed." in caption.value for caption in at.caption)
