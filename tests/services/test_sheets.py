"""Tables of orders on a database: every fault named, all or none, once however often, and what becomes of the clips."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from core import errors
from core.audit import runs
from core.billing import ledger, pricing
from core.db import Database, using
from core.db.enums import EntryKind, GroupKind, Status, WorkspaceRole
from core.db.tables import (
    AssetGroup,
    ClipNote,
    Generation,
    GenerationEvent,
    GenerationTag,
    GenerationUpload,
    LedgerEntry,
    Project,
    Sheet,
    SheetClip,
    Upload,
)
from core.generations import lifecycle
from core.generations.sheets import kept, ordering, progress, result
from core.generations.sheets.checked import CheckedTable, Defaults
from core.generations.sheets.tables import Line, Table
from core.projects import projects
from core.workspaces.access import Member
from tests.factories import generations
from tests.factories.generations import CONFIGURED, rewrite
from tests.factories.projects import create_project
from tests.factories.sheets import MAX_ROWS, csv_of, keep, order, read
from tests.factories.users import create_member, ensure_member
from tests.factories.workspaces import create_team

MODEL = "demo-film"
"""50 credits for five seconds in 720p."""


@pytest.fixture
def project_id(database: Database, person: Member) -> str:
    """A project of the person."""
    return create_project(database, person, "Lake film").id


def defaults(project_id: str, **more: object) -> Defaults:
    """The demo's model, in a project."""
    return replace(Defaults(project_id=project_id, model_id=MODEL), **more)  # type: ignore[arg-type]


def check(database: Database, person: Member, data: bytes, otherwise: Defaults) -> CheckedTable:
    """What a file comes to."""
    with database.read_session() as session:
        return ordering.check(session, person, read(data), otherwise, configured=CONFIGURED)


def faults(checked: CheckedTable) -> list[tuple[int, str, str, tuple[str | int, ...]]]:
    """Row, column as the file names it, code and what would be right, of every fault."""
    return [
        (line.line.number, fault.head, fault.message.code, fault.allowed)
        for line in checked.lines
        for fault in line.faults
    ]


def written(database: Database) -> int:
    """How many generations there are."""
    with database.read_session() as session:
        return session.scalar(select(func.count()).select_from(Generation)) or 0


def balance(database: Database, person: Member) -> ledger.Balance:
    """What the person's workspace has."""
    with database.read_session() as session:
        return ledger.balance(session, person.workspace_id)


def test_check_500_rows_with_seven_faults(database: Database, person: Member, project_id: str) -> None:
    """Each fault is named by its row as the file numbers it and by its column, with what would be right."""
    good = f"A lake,5,{MODEL},16:9,no,Acme,Lake film"
    lines = [good] * 500
    for place, old, new in (
        (3, "5", "seven"),
        (20, MODEL, "demo-flim"),
        (77, "A lake", ""),
        (150, "16:9", "16-Sep"),
        (300, "no", "maybe"),
        (400, "Lake film", "Lake fim"),
        (499, "5", "99"),
    ):
        lines[place] = good.replace(old, new, 1)
    heads = "Prompt,Seconds,Model,Ratio,Enhance,Client,Project"
    checked = check(database, person, csv_of(heads, *lines), Defaults())

    assert faults(checked) == [
        (5, "Seconds", "cell_not_whole", tuple(range(1, 17))),
        (22, "Model", "cell_no_model_but", (MODEL,)),
        (79, "Prompt", "prompt_missing", ()),
        (152, "Ratio", "cell_ratio_is_day", ("16:9", "9:16", "1:1")),
        (302, "Enhance", "cell_not_yes_or_no", ("yes", "no")),
        (402, "Project", "cell_no_project", ("Lake film",)),
        (501, "Seconds", "model_makes_durations", tuple(range(1, 17))),
    ]
    assert checked.clip_count == 493


def test_check_suggests_the_project_for_empty_cells(database: Database, person: Member, project_id: str) -> None:
    """Beside a name that is near, or alone where none is, whatever other projects there are."""
    with database.write_session() as session:
        for name in ("Desert", "Forest", "River", "Lake farm"):
            projects.create(session, person, name=name)
    checked = check(database, person, csv_of("Prompt,Project", "A lake,Lake farn", "Rain,Q4"), defaults(project_id))
    assert [right[:2] for *_where, right in faults(checked)] == [("Lake farm", "Lake film"), ("Lake film", "Lake farm")]


def test_projects_that_a_table_names_are_made_once_all_or_none(
    database: Database, person: Member, project_id: str
) -> None:
    """Each missing name is one project, however it is written and however often it is pressed."""
    sheet = keep(database, person, csv_of("Prompt,Project", "A,Dunes", "B,dunes ", "C,Lake film", "D,Q4"))

    def make() -> list[str]:
        with database.write_session() as session:
            return list(ordering.make_projects(session, person, sheet.id))

    assert make() == ["Dunes", "Q4"]
    assert make() == []
    with database.read_session() as session:
        prepared = ordering.prepare(session, person, sheet.id, configured=CONFIGURED)
        assert sorted(projects.names(session, person).values()) == ["Dunes", "Lake film", "Q4"]
        assert not prepared.checked.faulty
    long = keep(database, person, csv_of("Prompt,Project", "A,River", f"B,{'x' * 300}"))
    with pytest.raises(errors.InvalidRequest), database.write_session() as session:
        ordering.make_projects(session, person, long.id)
    with database.read_session() as session:
        assert "River" not in projects.names(session, person).values()


def test_check_names_seven_faults_and_no_more(database: Database, person: Member, project_id: str) -> None:
    """Rows without a fault have none, and their price."""
    lines = [f"A lake {n},5,16:9" for n in range(493)] + ["A lake,5 hours,16:9"] * 7
    checked = check(database, person, csv_of("Prompt,Durasi,Rasio", *lines), defaults(project_id))

    assert [line.line.number for line in checked.faulty] == list(range(495, 502))
    assert checked.clip_count == 493
    assert checked.total_credits == sum(line.credits for line in checked.lines) == 493 * 50
    refused = checked.refusal(max_clips=MAX_ROWS)
    assert refused is not None
    assert refused.message.code == "sheet_has_faults"
    assert set(refused.fields) == {f"rows.{row}.duration" for row in range(495, 502)}


def test_check_mends_what_spreadsheets_make(database: Database, person: Member, project_id: str) -> None:
    """A ratio that became a time and a decimal comma are what was meant, and the first is said."""
    data = csv_of("Prompt;Seconds;Ratio", "a;5,0;09:16", "b;5 s;16:9")
    checked = check(database, person, data, defaults(project_id))

    assert faults(checked) == []
    specs = [one.spec for line in checked.lines for one in line.orders]
    assert [(spec.duration_seconds, spec.aspect_ratio) for spec in specs] == [(5, "9:16"), (5, "16:9")]
    assert [remark.message.code for remark in checked.lines[0].remarks] == ["cell_ratio_was_time"]


def test_check_uses_defaults_for_empty_cells_alone(database: Database, person: Member, project_id: str) -> None:
    """A cell comes before the default of the table, and that before what the model does by itself."""
    other = create_project(database, person, "Hills").id
    data = csv_of("Prompt,Seconds,Ratio,Project", "a,,,", "b,8,9:16,Hills", f"c,,,{other}")
    checked = check(database, person, data, defaults(project_id, duration_seconds=6, aspect_ratio="1:1"))

    found = [
        (one.project_id, one.spec.duration_seconds, one.spec.aspect_ratio)
        for line in checked.lines
        for one in line.orders
    ]
    assert found == [(project_id, 6, "1:1"), (other, 8, "9:16"), (other, 6, "1:1")]


def test_check_says_when_a_default_does_not_fit(database: Database, person: Member, project_id: str) -> None:
    """A default that the model of a row cannot make is named as one, and never changed silently."""
    checked = check(database, person, csv_of("Prompt", "a"), defaults(project_id, duration_seconds=99))
    [(row, head, code, _right)] = faults(checked)
    assert (row, head, code) == (2, "Seconds", "cell_settings_of_table")


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("", "cell_missing_model"),
        ("no such thing", "cell_no_model"),
        ("demo flim", "cell_no_model_but"),
        ("kling-2.5", "provider_not_configured"),
    ],
)
def test_check_model(database: Database, person: Member, project_id: str, model: str, code: str) -> None:
    """A model is named by its id or name; one that cannot be ordered is a fault that says so."""
    data = csv_of("Prompt,Model", f"a,{model}")
    with database.read_session() as session:
        checked = ordering.check(
            session, person, read(data), Defaults(project_id=project_id), configured=frozenset({"demo"})
        )
    assert [fault[2] for fault in faults(checked)] == [code]
    assert faults(check(database, person, csv_of("Prompt,Model", "a,DEMO FILM"), Defaults(project_id=project_id))) == []


def test_check_project(database: Database, person: Member, project_id: str) -> None:
    """A project is named by id or name, and is one of this workspace that is not archived."""
    stranger = create_member(database, "eve@example.org")
    theirs = create_project(database, stranger, "Secret").id
    archived = create_project(database, person, "Old").id
    create_project(database, person, "Twice")
    create_project(database, person, "twice")
    with database.write_session() as session:
        projects.update(session, person, archived, archived=True)
    rows = ["a,lake  FILM", f"b,{project_id}", "c,Secret", f"d,{theirs}", "e,Old", "f,Twice", "g,"]
    checked = check(database, person, csv_of("Prompt,Project", *rows), Defaults(model_id=MODEL))
    assert [(row, code) for row, _head, code, _right in faults(checked)] == [
        (4, "cell_no_project"),
        (5, "cell_no_project"),
        (6, "cell_no_project"),
        (7, "cell_several_projects"),
        (8, "cell_missing_project"),
    ]


def test_check_images(database: Database, person: Member, project_id: str) -> None:
    """An image is an upload of this workspace, by its path or file name; no address is fetched."""
    stranger = create_member(database, "eve@example.org")
    with database.write_session() as session:
        for whose, key, name in (
            (person, "images/aa/one.jpg", "Lake.png"),
            (person, "images/bb/two.jpg", "twice.png"),
            (person, "images/cc/three.jpg", "Twice.png"),
            (stranger, "images/dd/four.jpg", "secret.png"),
        ):
            session.add(
                Upload(
                    workspace_id=whose.workspace_id,
                    user_id=whose.id,
                    storage_key=key,
                    original_sha256=key[-8:],
                    file_name=name,
                    size_bytes=1,
                    width=64,
                    height=64,
                )
            )
    names = ["lake.png", "images/aa/one.jpg", "twice.png", "secret.png", "images/dd/four.jpg", "https://x.org/a.png"]
    data = csv_of("Prompt,Model,Start image", *(f"a,kling-2.5,{name}" for name in names))
    checked = check(database, person, data, defaults(project_id))

    assert [(row, code) for row, _head, code, _right in faults(checked)] == [
        (4, "cell_several_images"),
        (5, "cell_no_image"),
        (6, "cell_no_image"),
        (7, "cell_image_is_address"),
    ]
    assert {line.orders[0].spec.start_image_key for line in checked.lines[:2]} == {"images/aa/one.jpg"}
    sheet = keep(database, person, csv_of("Prompt,Model,Start image", "a,kling-2.5,lake.png"), defaults(project_id))
    assert order(database, person, sheet).total_credits == 600
    with database.read_session() as session:
        assert session.scalars(select(GenerationUpload.storage_key)).all() == ["images/aa/one.jpg"]


def test_names_in_prompts(database: Database, person: Member, project_id: str) -> None:
    """A name in a prompt is resolved as in a single order; one that is almost given is a fault of its cell."""
    with database.write_session() as session:
        group = AssetGroup(
            workspace_id=person.workspace_id,
            user_id=person.id,
            kind=GroupKind.CHARACTER,
            name="Mira",
            description="an old rower",
        )
        session.add(group)
    checked = check(database, person, csv_of("Prompt", "@mira at dawn", "@mirra at dusk"), defaults(project_id))
    assert [(row, head, code) for row, head, code, _right in faults(checked)] == [(3, "Prompt", "no_such_mention")]
    sheet = keep(database, person, csv_of("Prompt,Variations", "@mira at dawn,2"), defaults(project_id))
    order(database, person, sheet)
    with database.read_session() as session:
        assert set(session.scalars(select(Generation.prompt))) == {"Mira (an old rower) at dawn"}


def test_check_tags_notes_variations(database: Database, person: Member, project_id: str) -> None:
    """Tags and notes must be ones that can be kept; variations have a limit."""
    data = csv_of("Prompt;Tags;Note;Variations", f"a;{'x' * 41};n;2", f"b;lake;{'n' * 2001};0", "c;a, b;fine;3")
    checked = check(database, person, data, defaults(project_id))
    found = {(row, head) for row, head, _code, _right in faults(checked)}
    assert found == {(2, "Tags"), (3, "Variations"), (3, "Note")}
    assert (len(checked.lines[2].orders), checked.lines[2].credits) == (3, 150)


@pytest.mark.both_databases
def test_order(database: Database, person: Member, project_id: str) -> None:
    """All of it is written down and held, as single orders would be, and each clip knows its line."""
    data = csv_of("Prompt;Seconds;Tags;Note;Variations;Client", "a;5;Lake, dawn;Too dark?;2;Acme", "b;10;;;;Bolt")
    sheet = keep(database, person, data, defaults(project_id))
    assert sheet.ordered_at is None
    ordered = order(database, person, sheet)

    assert not ordered.replayed
    assert (ordered.clip_count, ordered.total_credits) == (3, 175)
    assert balance(database, person) == ledger.Balance(10_000 - ordered.total_credits, ordered.total_credits)
    with database.read_session() as session:
        rows = session.scalars(select(Generation).order_by(Generation.id)).all()
        links = session.execute(select(SheetClip.place, SheetClip.take, SheetClip.generation_id)).all()
        held = session.scalars(
            select(LedgerEntry).where(LedgerEntry.kind == EntryKind.HOLD).order_by(LedgerEntry.id)
        ).all()
        tags = session.execute(select(GenerationTag.generation_id, GenerationTag.tag)).all()
        notes = session.scalars(select(ClipNote.generation_id).where(ClipNote.text == "Too dark?")).all()
        events = session.scalars(select(GenerationEvent.generation_id)).all()
        counted = session.scalar(select(Project.generation_count).where(Project.id == project_id))
    assert [row.prompt for row in rows] == ["a", "a", "b"]
    assert {(place, take, row_id) for place, take, row_id in links} == {
        (0, 0, rows[0].id),
        (0, 1, rows[1].id),
        (1, 0, rows[2].id),
    }
    assert {row.batch_id for row in rows} == {sheet.id}
    assert [entry.generation_id for entry in held] == [row.id for row in rows]
    assert [entry.available_after for entry in held][-1] == 10_000 - ordered.total_credits
    assert [entry.held_after for entry in held][-1] == ordered.total_credits
    assert {(row_id, tag) for row_id, tag in tags} == {(row.id, tag) for row in rows[:2] for tag in ("lake", "dawn")}
    assert set(notes) == {row.id for row in rows[:2]}
    assert sorted(events) == [row.id for row in rows]
    assert counted == 3
    with database.read_session() as session:
        assert [rule.code for rule in runs.run(session) if not rule.holds] == []


@pytest.mark.both_databases
def test_order_again(database: Database, person: Member, project_id: str) -> None:
    """The same content is the same table and is ordered once; a changed row makes another."""
    data = csv_of("Prompt,Seconds", "a,5", "b,5")
    first = order(database, person, keep(database, person, data, defaults(project_id)))
    same = keep(database, person, csv_of("Prompt;Seconds", "a;5", "b;5", separator=";"), defaults(project_id))
    again = order(database, person, same, shown_credits=7)  # it was paid at the price of its moment

    assert (again.id, again.replayed) == (first.id, True)
    assert written(database) == 2
    other = keep(database, person, csv_of("Prompt,Seconds", "a,5", "c,5"), defaults(project_id))
    assert order(database, person, other).id != first.id
    assert written(database) == 4


@pytest.mark.both_databases
def test_order_by_two_at_once(database: Database, person: Member) -> None:
    """Two people of a team who press at the same moment order one batch."""
    ben = create_member(database, "ben@example.org")
    people = create_team(database, (person, WorkspaceRole.MAKER), (ben, WorkspaceRole.MAKER))
    project = create_project(database, people[0]).id
    data = csv_of("Prompt", *(f"lake {n}" for n in range(30)))
    start, found = threading.Barrier(4), []

    def press(who: Member) -> None:
        start.wait()
        found.append(order(database, who, keep(database, who, data, defaults(project))))

    threads = [threading.Thread(target=press, args=(people[n % 2],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({sheet.id for sheet in found}) == 1
    assert [sheet.replayed for sheet in found].count(False) == 1
    assert written(database) == 30
    assert balance(database, people[0]) == ledger.Balance(8_500, 1_500)


@pytest.mark.both_databases
def test_order_when_credits_are_short(database: Database, person: Member, project_id: str) -> None:
    """Nothing is written where the total is too much, and the refusal says how much that is."""
    sheet = keep(database, person, csv_of("Prompt", *(f"lake {n}" for n in range(201))), defaults(project_id))
    with pytest.raises(errors.InsufficientCredits) as refused:
        order(database, person, sheet)

    assert (refused.value.needed_credits, refused.value.available_credits) == (10_050, 10_000)
    assert written(database) == 0
    assert balance(database, person) == ledger.Balance(10_000, 0)
    with database.read_session() as session:
        assert kept.get(session, person, sheet.id).ordered_at is None
        assert session.scalars(select(Project.generation_count)).all() == [0]


def test_order_when_the_refusal_is_caught(database: Database, person: Member, project_id: str) -> None:
    """A caller who catches the refusal and goes on has written nothing of it."""
    sheet = keep(database, person, csv_of("Prompt", *(f"lake {n}" for n in range(201))), defaults(project_id))
    with database.read_session() as session:
        prepared = ordering.prepare(session, person, sheet.id, configured=CONFIGURED)
    with database.write_session() as session:
        with pytest.raises(errors.InsufficientCredits):
            ordering.order(
                session, person, prepared, configured=CONFIGURED, quota_bytes=10**9, max_clips=999, shown_credits=10_050
            )
        projects.create(session, person, name="Something else")
    assert written(database) == 0


@pytest.mark.both_databases
def test_order_when_the_price_is_another(database: Database, person: Member, project_id: str) -> None:
    """Nobody pays a total that they were not shown."""
    sheet = keep(database, person, csv_of("Prompt", "a", "b"), defaults(project_id))
    with pytest.raises(errors.PriceChanged):
        order(database, person, sheet, shown_credits=99)
    assert written(database) == 0
    assert order(database, person, sheet, shown_credits=100).total_credits == 100


def test_order_with_faults(database: Database, person: Member, project_id: str) -> None:
    """One row that cannot be ordered takes all others with it; left out, it does not."""
    data = csv_of("Prompt,Seconds", "a,5", "b,never")
    sheet = keep(database, person, data, defaults(project_id))
    with pytest.raises(errors.InvalidRequest) as refused:
        order(database, person, sheet)
    assert set(refused.value.fields) == {"rows.3.duration"}
    assert written(database) == 0

    table = read(data)
    without = Table(table.heads, (table.lines[0], replace(table.lines[1], is_left_out=True)))
    with database.write_session() as session:
        sheet = kept.revise(session, person, sheet.id, without, defaults(project_id))
    assert order(database, person, sheet).clip_count == 1
    nothing = Table(table.heads, tuple(replace(line, is_left_out=True) for line in table.lines))
    with database.write_session() as session:
        other = kept.keep(session, person, nothing, defaults(project_id), name="none")
    with pytest.raises(errors.InvalidRequest):
        order(database, person, other)


def test_order_when_a_project_went_meanwhile(database: Database, person: Member, project_id: str) -> None:
    """What has changed between the look and the order is refused in the order's own transaction."""
    sheet = keep(database, person, csv_of("Prompt", "a"), defaults(project_id))
    with database.read_session() as session:
        prepared = ordering.prepare(session, person, sheet.id, configured=CONFIGURED)
    with database.write_session() as session:
        projects.update(session, person, project_id, archived=True)
    with pytest.raises(errors.InvalidRequest), database.write_session() as session:
        ordering.order(
            session, person, prepared, configured=CONFIGURED, quota_bytes=10**9, max_clips=9, shown_credits=50
        )
    assert written(database) == 0


def test_order_when_somebody_changed_it(database: Database, person: Member, project_id: str) -> None:
    """What is ordered is what its person has seen."""
    sheet = keep(database, person, csv_of("Prompt", "a"), defaults(project_id))
    with database.read_session() as session:
        prepared = ordering.prepare(session, person, sheet.id, configured=CONFIGURED)
    with database.write_session() as session:
        kept.revise(session, person, sheet.id, read(csv_of("Prompt", "b")), defaults(project_id))
    with pytest.raises(errors.Conflict), database.write_session() as session:
        ordering.order(
            session, person, prepared, configured=CONFIGURED, quota_bytes=10**9, max_clips=9, shown_credits=50
        )


def test_order_too_many_clips(database: Database, person: Member, project_id: str) -> None:
    """Variations count: a table has a bound of clips as well as of rows."""
    checked = check(database, person, csv_of("Prompt,Variations", "a,20", "b,20"), defaults(project_id))
    refused = checked.refusal(max_clips=39)
    assert refused is not None
    assert refused.fields["rows"].code == "sheet_too_many_clips"
    assert checked.refusal(max_clips=40) is None


def test_sheet_of_another_workspace(database: Database, person: Member, project_id: str) -> None:
    """Somebody else's table is not there, and the same content in another workspace is another table."""
    data = csv_of("Prompt", "a")
    sheet = keep(database, person, data, defaults(project_id))
    stranger = create_member(database, "eve@example.org")
    with database.read_session() as session:
        with pytest.raises(errors.NotFound):
            kept.get(session, stranger, sheet.id)
        with pytest.raises(errors.NotFound):
            ordering.prepare(session, stranger, sheet.id, configured=CONFIGURED)
        assert kept.list_page(session, stranger).sheets == []
    with pytest.raises(errors.NotFound):
        cancel(database, stranger, sheet.id)
    assert keep(database, stranger, data, defaults(project_id)).id != sheet.id


def cancel(database: Database, member: Member, sheet_id: str) -> int:
    """Stop what nobody has begun; how many."""
    with using(database):
        return progress.cancel_pending(member, sheet_id)


def test_sheet_of_a_viewer(database: Database, person: Member) -> None:
    """A viewer sees tables and changes nothing."""
    ben = create_member(database, "ben@example.org")
    maker, viewer = create_team(database, (person, WorkspaceRole.MAKER), (ben, WorkspaceRole.VIEWER))
    sheet = keep(database, maker, csv_of("Prompt", "a"), defaults(create_project(database, maker).id))
    with database.read_session() as session:
        assert kept.get(session, viewer, sheet.id).id == sheet.id
    for act in (
        lambda: keep(database, viewer, csv_of("Prompt", "b")),
        lambda: order(database, viewer, sheet),
        lambda: cancel(database, viewer, sheet.id),
    ):
        with pytest.raises(errors.Forbidden):
            act()


def test_revise(database: Database, person: Member, project_id: str) -> None:
    """A table changes in place until it is ordered; changed into one that is there, it becomes that one."""
    sheet = keep(database, person, csv_of("Prompt", "a"), defaults(project_id))
    other = keep(database, person, csv_of("Prompt", "b"), defaults(project_id))
    with database.write_session() as session:
        changed = kept.revise(session, person, sheet.id, read(csv_of("Prompt", "c")), defaults(project_id))
        assert changed.id == sheet.id
        assert kept.revise(session, person, sheet.id, read(csv_of("Prompt", "b")), defaults(project_id)).id == other.id
    order(database, person, other)
    with pytest.raises(errors.Conflict), database.write_session() as session:
        kept.revise(session, person, other.id, read(csv_of("Prompt", "d")), defaults(project_id))
    with pytest.raises(errors.Conflict), database.write_session() as session:
        kept.remove(session, person, other.id)


def test_keep_forgets_what_nobody_ordered(database: Database, person: Member, project_id: str) -> None:
    """A table that was not ordered for a month goes when the next one comes; one that was ordered stays."""
    ordered = order(database, person, keep(database, person, csv_of("Prompt", "a"), defaults(project_id)))
    keep(database, person, csv_of("Prompt", "b"), defaults(project_id))
    with database.write_session() as session:
        session.execute(update(Sheet).values(updated_at=datetime.now(UTC) - timedelta(days=31)))
    newest = keep(database, person, csv_of("Prompt", "c"), defaults(project_id))
    with database.read_session() as session:
        assert [sheet.id for sheet in kept.list_page(session, person).sheets] == [newest.id, ordered.id]


def test_standing_and_result(database: Database, person: Member, project_id: str) -> None:
    """The counts follow the clips, and the result has a line a clip in the file's own order."""
    data = csv_of("Prompt,Client", "=cmd,Acme", "b,Bolt", "c,Core", "d,Dyn")
    table = read(data)
    lines = (*table.lines[:3], Line(5, table.lines[3].cells, True))
    with database.write_session() as session:
        sheet = kept.keep(session, person, Table(table.heads, lines), defaults(project_id), name="clips.csv")
    order(database, person, sheet)
    with database.read_session() as session:
        first, second, third = [clip.id for clip in progress.clips(session, sheet)]
    generations.finish(database, first)
    with database.write_session() as session:
        row = lifecycle.locked(session, second)
        assert row is not None
        assert lifecycle.cancel(session, row, actor=person.email)

    words = result.Words(str, str, lambda clip: f"clip/{clip}", lambda clip: f"file/{clip}")
    with database.read_session() as session:
        now = progress.standing(session, sheet)
        whole = kept.get(session, person, sheet.id)
        made = list(result.lines(whole, progress.clips(session, whole), words))
    assert now.counts == {Status.COMPLETED: 1, Status.CANCELLED: 1, Status.PENDING: 1}
    assert (now.charged_credits, now.held_credits, now.clip_count, now.ended_count) == (50, 50, 3, 2)
    assert made[0] == [
        "Prompt",
        "Client",
        "Clip status",
        "Credits charged",
        "Clip link",
        "File link",
        "What went wrong",
    ]
    assert made[1:] == [
        ["=cmd", "Acme", "completed", 50, f"clip/{first}", f"file/{first}", ""],
        ["b", "Bolt", "cancelled", 0, f"clip/{second}", "", ""],
        ["c", "Core", "pending", 0, f"clip/{third}", "", ""],
        ["d", "Dyn", "left out", None, "", "", ""],
    ]


def test_clips_that_went_to_another_workspace(database: Database, person: Member, project_id: str) -> None:
    """Of a clip that left with its project the table tells nothing but that."""
    sheet = order(database, person, keep(database, person, csv_of("Prompt", "a", "b"), defaults(project_id)))
    stranger = create_member(database, "eve@example.org")
    with database.write_session() as session:
        first = session.scalars(select(Generation.id).order_by(Generation.id).limit(1)).one()
        rewrite(session, Generation.id == first, workspace_id=stranger.workspace_id)
    with database.read_session() as session:
        now = progress.standing(session, sheet)
        assert (now.moved_count, now.counts) == (1, {Status.PENDING: 1})
        assert [clip.is_here for clip in progress.clips(session, sheet)] == [False, True]
    assert cancel(database, person, sheet.id) == 1


@pytest.mark.both_databases
def test_cancel_pending(database: Database, person: Member, project_id: str) -> None:
    """What nobody has begun is cancelled free of charge; what is under way goes on."""
    sheet = order(
        database, person, keep(database, person, csv_of("Prompt", *(f"{n}" for n in range(60))), defaults(project_id))
    )
    with database.read_session() as session:
        begun = progress.clips(session, sheet)[0].id
    generations.advance(database, begun, generations.DISPATCHED, generations.SUBMITTING, next_at=datetime.now(UTC))

    assert cancel(database, person, sheet.id) == 59
    assert cancel(database, person, sheet.id) == 0
    assert balance(database, person) == ledger.Balance(9_950, 50)


@pytest.mark.both_databases
@given(
    wanted=st.lists(
        st.tuples(
            st.sampled_from([MODEL, "kling-2.5", "veo3", ""]),
            st.sampled_from(["720p", "1080p", "4k", ""]),
            st.sampled_from(["5", "8", "10", "5,0", "16", "", "x"]),
            st.sampled_from(["16:9", "09:16", "1:1", "", "7:3"]),
            st.sampled_from(["", "1", "3"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    credits=st.integers(0, 30_000),
)
def test_what_check_passes_orders(
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_template: Path,
    wanted: list[tuple[str, str, str, str, str, bool]],
    credits: int,
) -> None:
    """For any table and balance: what is checked as good is ordered for the sum of its rows, or nothing is written."""
    path = tmp_path_factory.mktemp("sheet") / "studio.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    try:
        with database.write_session() as session:
            person = ensure_member(session, "ana@example.org", signup_credits=credits)
            project = projects.create(session, person, name="Lakes")
        rows = [";".join(("lake", *cells)) for *cells, _out in wanted]
        table = read(csv_of("Prompt;Model;Resolution;Seconds;Ratio;Variations", *rows))
        left_out = [out for *_cells, out in wanted]
        table = Table(
            table.heads,
            tuple(replace(line, is_left_out=out) for line, out in zip(table.lines, left_out, strict=True)),
        )
        with database.write_session() as session:
            sheet = kept.keep(session, person, table, defaults(project.id), name="any")
        with database.read_session() as session:
            checked = ordering.prepare(session, person, sheet.id, configured=CONFIGURED).checked
        priced = [pricing.priced(one.spec).total_credits for line in checked.lines for one in line.orders]
        assert checked.total_credits == sum(priced) == sum(line.credits for line in checked.lines)
        can = checked.refusal(max_clips=MAX_ROWS) is None and checked.total_credits <= credits
        if can:
            assert order(database, person, sheet).total_credits == checked.total_credits
        else:
            with pytest.raises((errors.InvalidRequest, errors.InsufficientCredits)):
                order(database, person, sheet)
        held = checked.total_credits if can else 0
        assert balance(database, person) == ledger.Balance(credits - held, held)
        assert written(database) == (len(priced) if can else 0)
    finally:
        database.dispose()
