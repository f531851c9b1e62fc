"""Analyst packs: what stands in the files, that it agrees with the books, and who and what is hidden in them."""

import csv
import io
import json
import random
import re
import tempfile
import tracemalloc
import zipfile
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from sqlalchemy import ColumnElement, func, inspect, select, text, update

from core import errors
from core.analyst_pack import columns, description, packing
from core.analyst_pack.asked import Asked, days
from core.analyst_pack.packing import Order, Progress
from core.analyst_pack.parquet import schema
from core.analyst_pack.pseudonyms import Pseudonyms
from core.clock import utc_now
from core.db import Database
from core.db.enums import EntryKind
from core.db.tables import Account, BudgetMonth, ClipNote, Generation, LedgerEntry, Project, UsageDay, User, Workspace
from core.ids import new_id
from core.usage.spreadsheet import csv_chunks
from core.workspaces import profiles
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed
from tests.factories.packs import SECRET, Filled, Reader, fill, month_of, pack, unpacked
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team_of

pytestmark = pytest.mark.both_databases  # each has views of its own, and its own way to hold a snapshot

LAST_MONTH = month_of(utc_now().date().replace(day=1) - timedelta(days=1))


@pytest.fixture
def filled(database: Database) -> Filled:
    """Two people and a team with clips, movements, budgets and judgements."""
    return fill(database)


def sum_of(database: Database, what: Any, *where: Any) -> int:
    """A sum as the books have it."""
    with database.read_session() as session:
        return int(session.scalar(select(func.coalesce(func.sum(what), 0)).where(*where)) or 0)


def settled(database: Database, *where: Any) -> int:
    """What was charged, by the ledger."""
    return sum_of(database, LedgerEntry.amount_credits, LedgerEntry.kind == EntryKind.SETTLE, *where)


def tables_of(data: bytes) -> pa.Table:
    """What a reader finds in a Parquet file."""
    return parquet.read_table(io.BytesIO(data))


def test_pack_of_everything(database: Database, filled: Filled) -> None:
    """Every file is there in its order and reads as the dictionary says; the checks inside all agree."""
    packed = pack(database, prompts_of=filled.ana.workspace_ids)

    assert packed.testzip() is None
    assert packed.namelist() == [
        *("README.md", "dictionary.csv"),
        *(f"{table.name}.parquet" for table in description.TABLES),
        *(f"queries/{name}" for name, _text in packing.queries()),
        "checks.json",
    ]
    assert len(packing.queries()) == 12
    said = json.loads(packed.read("checks.json"))
    assert said["agrees"]
    assert all(check["agrees"] for check in said["checks"])
    for entry in said["files"]:
        found = tables_of(packed.read(entry["file"]))
        assert (found.num_rows, len(packed.read(entry["file"]))) == (entry["rows"], entry["bytes"])
    told = list(csv.DictReader(io.StringIO(packed.read("dictionary.csv").decode())))
    for table in description.TABLES:
        found = tables_of(packed.read(f"{table.name}.parquet"))
        assert found.schema.equals(schema(table), check_metadata=False)
        lines = [line for line in told if line["file"] == f"{table.name}.parquet"]
        assert [line["column"] for line in lines] == found.schema.names
        assert all(line["meaning"].endswith(".") for line in lines)
        types = {"text": "string", "word": "string", "int64": "int64", "boolean": "bool", "date": "date32[day]"}
        types |= {"timestamp in UTC": "timestamp[us, tz=UTC]"}
        assert [types[line["type"]] for line in lines] == [str(field.type) for field in found.schema]
    words = parquet.ParquetFile(io.BytesIO(packed.read("clips.parquet"))).metadata.row_group(0)
    names = description.CLIPS.columns
    assert {names[at].kind for at in range(len(names)) if words.column(at).dictionary_page_offset is not None} == {
        columns.Kind.WORD
    }


def test_the_twelve_queries(database: Database, filled: Filled) -> None:
    """Each answers, and what they add up to is what the ledger says, to the credit."""
    with unpacked(pack(database, prompts_of=filled.ana.workspace_ids)) as folder:
        reader = Reader(folder)
        answers = {number: reader.ready(number) for number in range(1, 13)}
    everything = settled(database)

    newest = {line["month"] for line in answers[11]}
    assert sum(line["credits"] for line in answers[1]) == sum(
        line["credits"] for line in answers[11] if line["month"] == max(newest)
    )
    cost = UsageDay.reported_cost_idr + UsageDay.estimated_cost_idr - UsageDay.estimate_replaced_idr
    assert sum(line["charged_idr"] for line in answers[2]) == everything * 50
    assert sum(line["cost_idr"] for line in answers[2]) == sum_of(database, cost)
    assert sum(line["margin_idr"] for line in answers[2]) == everything * 50 - sum_of(database, cost)
    assert sum(line["kept"] for line in answers[3]) == sum_of(database, UsageDay.kept_count)
    assert sum(line["rejected"] for line in answers[3]) == sum_of(database, UsageDay.rejected_count)
    in_vain = {name: sum(x["credits"] for x in answers[4] if x["outcome"] == name) for name in ("failed", "cancelled")}
    assert sum(in_vain.values()) == sum_of(database, UsageDay.released_credits)
    assert ("rejected", "anatomy", 1) in {(x["outcome"], x["reason"], x["clips"]) for x in answers[4]}
    [budget] = answers[5]
    assert (budget["workspace"], budget["limit_credits"], budget["taken_credits"]) == ("Harbour team", 200, 150)
    assert (budget["used_percent"], budget["forecast_credits"] >= 150) == (75.0, True)
    assert sum(line["clips"] for line in answers[6]) == sum_of(database, UsageDay.completed)
    assert all(line["median_seconds"] <= line["p90_seconds"] for line in answers[6])
    assert sum(line["credits"] for line in answers[7]) == everything
    assert [line["weekday"] for line in answers[7]] == sorted(line["weekday"] for line in answers[7])
    assert sum(line["credits"] for line in answers[8]) == everything
    assert "CC-ORCHID" in {line["cost_centre"] for line in answers[8]}
    assert {"a heron above the tide", "a lake at dusk"} == {line["prompt"] for line in answers[9]}
    [held] = answers[10]
    assert (held["workspace"], held["held_credits"], held["credits"]) == ("Harbour team", 50, 50)
    assert sum(line["credits"] for line in answers[11]) == everything
    assert {(line["available_off"], line["held_off"], line["usage_off"]) for line in answers[12]} == {(0, 0, 0)}
    assert sum(line["charged_credits"] for line in answers[12]) == everything
    assert broken_rules(database) == ["first_event"]  # what histories leave out


def test_pack_of_a_month(database: Database, filled: Filled) -> None:
    """It has what moved, ended or was ordered in the month, and balances that lead from its first day to its last."""
    since, until = LAST_MONTH
    asked = Asked(None, since, until)
    with unpacked(pack(database, asked)) as folder:
        reader = Reader(folder)
        booked = (LedgerEntry.created_at >= asked.begin, LedgerEntry.created_at < asked.end)
        [charged] = reader.rows("SELECT sum(amount_credits) AS credits FROM 'ledger.parquet' WHERE kind = 'settle'")
        assert charged["credits"] == settled(database, *booked) > 0
        [between] = reader.rows("SELECT min(day) AS first, max(day) AS last, count(*) AS n FROM 'usage_days.parquet'")
        assert since <= between["first"] <= between["last"] <= until
        assert {line["month"] for line in reader.rows("SELECT month FROM 'budgets.parquet'")} == {f"{since:%Y-%m}"}
        [lost] = reader.rows(
            "SELECT count(*) AS n FROM 'ledger.parquet' l ANTI JOIN 'clips.parquet' c USING (clip_id) "
            "WHERE l.clip_id IS NOT NULL"
        )
        assert lost["n"] == 0
        assert {(x["available_off"], x["held_off"], x["usage_off"]) for x in reader.ready(12)} == {(0, 0, 0)}
        for number in range(1, 13):
            reader.ready(number)
    assert reader.rows("SELECT 1 AS one") == [{"one": 1}]


def test_pack_of_a_workspace(database: Database, filled: Filled) -> None:
    """Nothing of another workspace is in it, and prompts of it alone."""
    asked = Asked(filled.team.workspace_id)
    packed = pack(database, asked, prompts_of=(filled.team.workspace_id,))

    for table in description.TABLES:
        found = tables_of(packed.read(f"{table.name}.parquet")).to_pylist()
        assert found, table.name
        assert {row["workspace_id"] for row in found if "workspace_id" in row} <= {filled.team.workspace_id}
    assert [row["person_id"] for row in tables_of(packed.read("people.parquet")).to_pylist()] == [filled.ana.id]
    prompts = tables_of(packed.read("prompts.parquet")).to_pylist()
    assert "a heron above the tide" in {row["prompt"] for row in prompts}
    assert len(prompts) == 3
    whole = b"".join(packed.read(name) for name in packed.namelist())
    assert filled.ben.id.encode() not in whole


def test_prompts_of_others_are_not_in_it(database: Database, filled: Filled) -> None:
    """All figures of everybody, and prompts of the workspaces that were named alone; comments are never told."""
    packed = pack(database, prompts_of=(filled.ben.workspace_id,))

    found = tables_of(packed.read("prompts.parquet")).to_pylist()
    assert {row["workspace_id"] for row in found} == {filled.ben.workspace_id}
    assert b"heron" not in decompressed(packed)


def decompressed(packed: Any) -> bytes:
    """Every byte of the files, and those of Parquet without their compression, too."""
    found = []
    for name in packed.namelist():
        data = packed.read(name)
        found.append(data)
        if name.endswith(".parquet"):
            sink = io.BytesIO()
            parquet.write_table(tables_of(data), sink, compression="none", use_dictionary=False)
            found.append(sink.getvalue())
    return b"\n".join(found)


def told_of_people(database: Database) -> set[str]:
    """Every name, address, id, prompt and word of people that there is."""
    with database.read_session() as session:
        found: list[Any] = []
        for column in (
            *(User.id, User.email, Workspace.id, Workspace.name, Project.id, Project.name, Project.description),
            *(Project.cost_centre, Generation.id, Generation.prompt, Generation.output_key, Account.id, ClipNote.text),
            *(LedgerEntry.actor, LedgerEntry.key, BudgetMonth.subject_id, ClipNote.id, Generation.request_hash),
        ):
            found += session.scalars(select(column).distinct()).all()
        people = {name for name in session.scalars(select(User.name)) if len(name) > 3}
    return {str(each) for each in found if each and str(each) not in ("system", "test", "0" * 64)} | people


@pytest.mark.parametrize("of_workspace", [False, True])
def test_pseudonymous_pack(database: Database, filled: Filled, of_workspace: bool) -> None:
    """Not one name, address, id or prompt of the database is in any byte of it; what it adds up to is the same."""
    asked = Asked(filled.team.workspace_id if of_workspace else None, is_pseudonymous=True)
    packed = pack(database, asked)

    data = decompressed(packed)
    said = told_of_people(database)
    assert len(said) > 100
    assert [word for word in said if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])".encode(), data)] == []
    assert [word for word in said if len(word) > 8 and word.encode() in data] == []
    with unpacked(packed) as folder:
        reader = Reader(folder)
        answers = {number: reader.ready(number) for number in range(1, 13)}
        [lost] = reader.rows(
            "SELECT count(*) AS n FROM 'usage_days.parquet' d ANTI JOIN 'people.parquet' p USING (person_id)"
        )
    assert (answers[9], lost["n"]) == ([], 0)
    if not of_workspace:
        assert sum(line["credits"] for line in answers[8]) == settled(database)
    [budget] = answers[5]
    assert budget["subject"] == budget["workspace"]
    assert budget["workspace"].startswith("workspace-")


def test_pseudonyms_of_families(filled: Filled) -> None:
    """The same person is called the same in every pack of a family, and otherwise in any other and with another key."""
    of = columns.Hidden.PERSON
    named = Pseudonyms(SECRET, None).of(of, filled.ana.id)
    assert named == Pseudonyms(SECRET, None).of(of, filled.ana.id)
    others = [
        Pseudonyms(SECRET, filled.team.workspace_id).of(of, filled.ana.id),
        Pseudonyms(b"another secret", None).of(of, filled.ana.id),
        Pseudonyms(SECRET, None).of(columns.Hidden.WORKSPACE, filled.ana.id),
        Pseudonyms(SECRET, None).of(of, filled.ben.id),
    ]
    assert len({named, *others}) == 5


def changes(filled: Filled) -> dict[str, Any]:
    """What somebody may do behind the ledger's back -> the check that has to notice it."""
    account = Account.workspace_id == filled.ana.workspace_id
    more = Account.available_credits + 1
    oldest = select(func.min(UsageDay.day)).scalar_subquery()
    entry = select(func.max(LedgerEntry.id)).where(LedgerEntry.kind == EntryKind.SETTLE).scalar_subquery()
    return {
        "balances_available": update(Account).where(account).values(available_credits=more),
        "accounts_held": update(Account).where(account).values(held_credits=Account.held_credits + 1),
        "usage_settle": update(UsageDay).where(UsageDay.day == oldest).values(settled_credits=1),
        "clips_charged": update(Generation).where(Generation.id == filled.rejected.id).values(credits=51),
        "budgets_member": update(BudgetMonth).values(taken_credits=BudgetMonth.taken_credits + 1),
        "usage_settle_workspaces": update(LedgerEntry).where(LedgerEntry.id == entry).values(amount_credits=49),
    }


@pytest.mark.parametrize(
    "named",
    [
        "accounts_held",
        "balances_available",
        "budgets_member",
        "clips_charged",
        "usage_settle",
        "usage_settle_workspaces",
    ],
)
def test_pack_when_the_books_disagree(database: Database, filled: Filled, named: str) -> None:
    """Whatever is changed behind the ledger's back, nothing is handed out, and what differs is named."""
    with database.engine.begin() as connection:
        connection.execute(changes(filled)[named])

    with pytest.raises(errors.BooksDisagree) as refused:
        pack(database)
    assert named in str(refused.value.message)


def test_pack_while_clips_are_made(database: Database, filled: Filled) -> None:
    """What is ordered, charged and judged while it is written is not in it, and its totals agree all the same."""
    made: list[str] = []

    def meanwhile(_progress: Progress) -> None:
        if len(made) < 3:
            made.append(create_completed(database, filled.ben).id)

    before = settled(database)
    file = io.BytesIO()
    packing.make(database, Order(Asked(None), (), SECRET), file, Progress(meanwhile))
    assert len(made) == 3
    assert settled(database) == before + 150
    found = tables_of(zipfile.ZipFile(file).read("ledger.parquet")).to_pylist()
    assert sum(row["amount_credits"] for row in found if row["kind"] == "settle") == before
    assert not set(made) & {row["clip_id"] for row in found}


def test_views_are_the_files(database: Database, filled: Filled) -> None:
    """BI tools read the same columns and rows as the files have; no view has a prompt, a hash, a key or a secret."""
    packed = pack(database)
    with database.read_engine.connect() as connection:
        names = set(inspect(connection).get_view_names())
        assert {table.view_name for table in description.TABLES if table.has_view} == names
        said = []
        for table in description.TABLES:
            if not table.has_view:
                continue
            found = connection.execute(text(f"SELECT * FROM {table.view_name}"))  # noqa: S608 -- names of ours
            assert [*found.keys()] == [each.name for each in table.viewed]
            said += [str(row) for row in found]
            view = table.view
            ordered = select(view).order_by(*(view.c[name] for name in table.key))
            read = [dict(row._mapping) for row in connection.execute(ordered)]
            of_file = tables_of(packed.read(f"{table.name}.parquet")).to_pylist()
            in_view = [each.name for each in table.viewed]
            assert [{name: row[name] for name in in_view} for row in of_file] == read
    whole = "\n".join(said)
    assert "heron" not in whole
    assert "lake at dusk" not in whole
    with database.read_session() as session:
        secret = [*session.scalars(select(Generation.output_key)), *session.scalars(select(LedgerEntry.key))]
    assert [each for each in secret if each and each in whole] == []


def test_names_in_views(database: Database, filled: Filled) -> None:
    """People and workspaces are called as everywhere else, namesakes, too."""
    twins = [create_member(database, f"kim@{where}.example.org") for where in ("one", "two")]
    for twin in twins:
        create_team_of(database, twin, name="Harbour team", credits=0)
    with database.read_session() as session:
        people = {row.person_id: row.person for row in session.execute(select(description.PEOPLE.view))}
        teams = {row.workspace_id: row.workspace for row in session.execute(select(description.ACCOUNTS.view))}
        assert people == {id: found.name for id, found in profiles.people(session, list(people)).items()}
        assert teams == profiles.workspace_names(session, list(teams))
        assert {people[twin.id] for twin in twins} == {twin.email for twin in twins}
        assert {"Harbour team", "Harbour team (2)", "Harbour team (3)"} <= set(teams.values())


def test_one_file_by_itself(database: Database, filled: Filled) -> None:
    """A file alone is the same as in the pack, as Parquet and, with the same values, as CSV."""
    packed = pack(database)
    order = Order(Asked(None), (), SECRET)
    for table in description.TABLES:
        file = io.BytesIO()
        packing.make_table(database, order, table, file)
        rows_of_file = tables_of(file.getvalue())
        assert rows_of_file.equals(tables_of(packed.read(f"{table.name}.parquet")))
        data = b"".join(csv_chunks(packing.lines(database.snapshot(), order, table)))
        lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        assert len(lines) == rows_of_file.num_rows
        if table is description.LEDGER:
            assert sum(int(line["amount_credits"]) for line in lines) == sum_of(database, LedgerEntry.amount_credits)
            assert lines[0]["booked_at"] == f"{rows_of_file['booked_at'][0].as_py():%Y-%m-%d %H:%M:%S}"


def peak(database: Database) -> tuple[int, int]:
    """The most memory that was in use at once while a pack was written: Python's, and Arrow's."""
    pool = pa.system_memory_pool()
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    tracemalloc.start()
    started = pool.bytes_allocated()
    most = [0]

    def look(_progress: Progress) -> None:
        most[0] = max(most[0], pool.bytes_allocated() - started)

    try:
        with tempfile.TemporaryFile() as file:
            order = Order(Asked(None), (), SECRET, batch_rows=50)
            packing.make(database, order, file, Progress(look))
        return tracemalloc.get_traced_memory()[1], most[0]
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)


def test_memory_does_not_grow_with_the_rows(database: Database, person: Member) -> None:
    """Ten times as many rows take as much memory as before, or nearly."""
    projects = [create_project(database, person).id]

    def add(length: int, until: date) -> None:
        made = list(histories.invent(random.Random(3), projects, until=until, days=length, clips_a_day=10))
        with database.write_session() as session:
            histories.book(session, person, made)

    today = utc_now().date()
    add(60, today)
    pack(database)  # what is loaded and kept once is loaded
    few = peak(database)
    with database.read_session() as session:
        count = session.scalar(select(func.count()).select_from(Generation)) or 0
    add(540, today - timedelta(days=60))
    many = peak(database)
    with database.read_session() as session:
        assert (session.scalar(select(func.count()).select_from(Generation)) or 0) > 8 * count
    assert many[0] < 2 * few[0]
    assert many[1] < 2 * few[1] + 100_000


@st.composite
def some_clips(draw: st.DrawFn) -> tuple[int, int, int]:
    """The seed of a history, its days, and how many clips a day."""
    return draw(st.integers(0, 10**6)), draw(st.integers(1, 70)), draw(st.integers(1, 3))


@given(chosen=some_clips(), part=st.sampled_from(["all", "last month", "one workspace"]))
def test_any_history_agrees(database: Database, chosen: tuple[int, int, int], part: str) -> None:
    """Whatever was made, by whom and when: queries over a pack add up to the ledger, of all and of any month."""
    seed, length, clips_a_day = chosen
    person = create_member(database, f"{new_id()}@example.org")
    project = create_project(database, person).id
    until = utc_now().date()
    made = list(histories.invent(random.Random(seed), [project], until=until, days=length, clips_a_day=clips_a_day))
    with database.write_session() as session:
        histories.book(session, person, made)
    asked, where = Asked(None), list[ColumnElement[bool]]()
    if part == "last month":
        asked = Asked(None, *LAST_MONTH)
        where = [LedgerEntry.created_at >= asked.begin, LedgerEntry.created_at < asked.end]
    elif part == "one workspace":
        asked = Asked(person.workspace_id, is_pseudonymous=True)
        account = select(Account.id).where(Account.workspace_id == person.workspace_id)
        where = [LedgerEntry.account_id.in_(account)]
    with unpacked(pack(database, asked)) as folder:
        reader = Reader(folder)
        charged = settled(database, *where)
        assert sum(line["credits"] for line in reader.ready(8)) == charged
        assert sum(line["credits"] for line in reader.ready(7)) == charged
        assert sum(line["charged_idr"] for line in reader.ready(2)) == 50 * charged
        assert all(not (x["available_off"] or x["held_off"] or x["usage_off"]) for x in reader.ready(12))


def test_columns_have_one_meaning() -> None:
    """A name stands once in a file, and every name beside an id has that id in the same file."""
    for table in description.TABLES:
        names = [each.name for each in table.columns]
        assert len(set(names)) == len(names)
        assert {each.names for each in table.columns if each.names} <= set(names)
        assert set(table.key) <= set(names)
        if table.has_view:
            assert {*table.moments, *filter(None, (table.day, table.month))} <= set(names)


def test_days_asked_for() -> None:
    """A period by name or by days, not both, and not backwards."""
    today = date(2026, 11, 30)
    assert days(None, None, None, today) == (None, None)
    assert days("2026-10", None, None, today) == (date(2026, 10, 1), date(2026, 10, 31))
    assert days("quarter", None, None, today) == (date(2026, 10, 1), today)
    assert days(None, date(2026, 11, 2), None, today) == (date(2026, 11, 2), today)
    for period, since, until in (("2026-10", today, None), (None, today, date(2026, 11, 1)), ("never", None, None)):
        with pytest.raises(errors.InvalidRequest):
            days(period, since, until, today)
