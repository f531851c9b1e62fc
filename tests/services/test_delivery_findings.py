"""What was noticed about a delivered clip, from its row to lists, searches and figures."""

from collections.abc import Sequence

import pytest
from alembic import command
from sqlalchemy import text

from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import Generation
from core.files.findings import Finding, FindingKind
from core.generations import commands, conformance, delivery_findings, lifecycle, queries
from core.generations.list_filter import ListFilter
from core.insights import model_stats
from core.messages import message
from core.workspaces.access import Member
from tests.factories.generations import (
    CLIP_FACTS,
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_generation,
    load_generation,
)

pytestmark = pytest.mark.both_databases  # bits and JSON are each database's own

K = FindingKind
FROZEN = Finding(K.FROZEN, 1.0, 2.5)
BARS = Finding(K.LETTERBOX, measured=0.26)
BEFORE = "0017"


def deliver(database: Database, person: Member, *, otherwise: bool = False, **changes: object) -> Generation:
    """A clip that nobody has looked over; `otherwise` has another size and length than was ordered."""
    row = create_generation(database, person, **changes)
    row = advance(database, row.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    facts = CLIP_FACTS | ({"width": 640, "height": 360, "duration_seconds": 4.0} if otherwise else {})
    gaps = conformance.deviations(row.spec, facts)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id, facts=facts, gaps=gaps))
    return load_generation(row.id, database)


def look_over(database: Database, row: Generation, *found: Finding, loudness_lufs: float | None = None) -> Generation:
    """The clip as it is once this was found in it."""
    with database.write_session() as session:
        assert delivery_findings.record(session, row, found, loudness_lufs=loudness_lufs)
    return load_generation(row.id, database)


def kinds(row: delivery_findings.Delivered) -> list[FindingKind]:
    """What is told of a clip."""
    return [told.finding.kind for told in delivery_findings.of(row)]


def listed(database: Database, person: Member, *found: FindingKind, **chosen: object) -> list[str]:
    """Ids of a history of these findings, without words and, which must be the same, with a word of all prompts."""
    shown: list[list[str]] = []
    for words in ("", "lake"):
        with database.read_session() as session:
            wanted = ListFilter(findings=found, text=words, **chosen)  # type: ignore[arg-type]  # fields by name
            shown.append([row.id for row in queries.list_page(session, person, wanted, limit=50).rows])
    assert shown[0] == shown[1]
    return shown[0]


def test_findings_are_told_with_a_reason(database: Database, person: Member) -> None:
    """Gaps to the order first, then what was found, each with its moment; nothing about the order has changed."""
    before = deliver(database, person, otherwise=True)
    row = look_over(database, before, FROZEN, BARS, loudness_lufs=-14.2)

    assert [str(told.message) for told in delivery_findings.of(row)] == [
        "Asked for 720p (1280 × 720), delivered 640 × 360.",
        "Asked for 5 s, delivered 4.0 s.",
        "The picture stands still from 1.0 s to 2.5 s.",
        "Of the picture, black bars take 26%.",
    ]
    assert delivery_findings.of(row)[2].finding == FROZEN
    assert (row.loudness_lufs, row.version, row.updated_at, row.status) == (
        -14.2,
        before.version,
        before.updated_at,
        before.status,
    )


def test_gaps_are_told_before_anybody_has_looked(database: Database, person: Member) -> None:
    """Asked against made is known with the clip: it is told and found, and the clip does not count as looked over."""
    row = deliver(database, person, otherwise=True)
    fine = deliver(database, person)

    assert kinds(row) == [K.OTHER_SIZE, K.OTHER_LENGTH]
    assert (row.findings, fine.findings, fine.finding_kinds) == (None, None, None)
    assert listed(database, person, K.OTHER_LENGTH) == [row.id]
    assert listed(database, person, *FindingKind) == [row.id]


@pytest.mark.parametrize(
    ("ordered", "found", "told"),
    [
        (True, [Finding(K.SILENT)], [K.SILENT]),
        (False, [Finding(K.SILENT)], []),
        (False, [Finding(K.TOO_QUIET, measured=-60.0)], []),
        (False, [Finding(K.CLIPPED)], [K.CLIPPED]),
        (True, [Finding(K.BLACK, 0.0, 1.0), Finding(K.TOO_LOUD, measured=-1.0)], [K.BLACK, K.TOO_LOUD]),
    ],
)
def test_sound_nobody_ordered_may_be_silent(
    database: Database, person: Member, ordered: bool, found: Sequence[Finding], told: list[FindingKind]
) -> None:
    """A silent track is a finding where sound was ordered, and nothing where it was not; noise is one anywhere."""
    row = deliver(database, person, generate_audio=ordered)
    row = look_over(database, row, *found)
    assert kinds(row) == told
    assert listed(database, person, *FindingKind) == ([row.id] if told else [])


def test_history_of_findings(database: Database, person: Member) -> None:
    """Clips are found by any of the kinds that are asked for, with words and without, also beside one another."""
    frozen = look_over(database, deliver(database, person), FROZEN)
    both = look_over(database, deliver(database, person), FROZEN, Finding(K.SILENT), BARS)
    look_over(database, deliver(database, person))
    deliver(database, person)
    loud = look_over(database, deliver(database, person), Finding(K.TOO_LOUD, measured=-1.0))

    assert listed(database, person, K.FROZEN) == [both.id, frozen.id]
    assert listed(database, person, K.LETTERBOX) == [both.id]
    assert listed(database, person, K.TOO_LOUD, K.LETTERBOX) == [loud.id, both.id]
    assert listed(database, person, K.BLACK) == []
    assert listed(database, person, *FindingKind) == [loud.id, both.id, frozen.id]
    assert listed(database, person, *FindingKind, oldest_first=True) == [frozen.id, both.id, loud.id]
    assert listed(database, person, K.FROZEN, project_id=frozen.project_id) == [frozen.id]
    with database.read_session() as session:
        beside = queries.neighbours(session, person, ListFilter(findings=tuple(FindingKind)), both.id)
    assert (beside.before, beside.after) == (loud.id, frozen.id)


def test_findings_of_a_deleted_clip(database: Database, person: Member) -> None:
    """A clip that was deleted while it was looked over keeps nothing, and is found by nothing."""
    row = deliver(database, person)
    with database.write_session() as session:
        commands.delete(session, person, row.id)
    with database.write_session() as session:
        assert not delivery_findings.record(session, row, [FROZEN])
    assert load_generation(row.id, database).findings is None
    assert listed(database, person, *FindingKind) == []


def test_findings_of_a_try_that_was_overtaken(database: Database, person: Member) -> None:
    """What an earlier try says after a later one has begun is not written down."""
    row = deliver(database, person)
    with database.write_session() as session:
        session.get_one(Generation, row.id).preview_attempt += 1
    with database.write_session() as session:
        assert not delivery_findings.record(session, row, [FROZEN])
    assert load_generation(row.id, database).findings is None


def test_kind_of_a_later_release(database: Database, person: Member) -> None:
    """What this release does not know is left out, and the rest is told."""
    row = look_over(database, deliver(database, person), FROZEN)
    told = delivery_findings.Noticed(BARS, message("found_bars", percent=26.0)).to_json()
    with database.write_session() as session:
        session.get_one(Generation, row.id).findings = [told | {"kind": "upside_down"}, *(row.findings or [])]
    assert kinds(load_generation(row.id, database)) == [K.FROZEN]


def test_findings_are_part_of_a_models_figures(database: Database, person: Member) -> None:
    """Of the clips that were looked over, those about which something was noticed; others count neither way."""
    look_over(database, deliver(database, person), FROZEN)
    look_over(database, deliver(database, person, otherwise=True))
    for _ in range(2):
        look_over(database, deliver(database, person))
    deliver(database, person)
    deliver(database, person, otherwise=True)
    create_generation(database, person)
    with database.read_session() as session:
        record = model_stats.track_records(session, ["demo-film"])["demo-film"]

    assert (record.completed, record.checked, record.with_findings, record.findings_rate) == (6, 4, 2, 0.5)
    assert model_stats.TrackRecord(3, 3, 1.0, 2.0).findings_rate is None


def test_upgrade_of_a_filled_database(database: Database, person: Member) -> None:
    """Clips of before are not looked at, keep all they had, and are found by their gaps to the order."""
    plain, otherwise = deliver(database, person), deliver(database, person, otherwise=True)
    mute = deliver(database, person, generate_audio=False)
    waiting = create_generation(database, person)
    facts = {row.id: row.output_facts for row in (plain, otherwise, mute, waiting)}
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
        columns = set(connection.execute(text("SELECT * FROM generations")).keys())
    assert not {"findings", "finding_kinds", "loudness_lufs"} & columns

    for _turn in range(2):
        database.migrate()
        assert listed(database, person, *FindingKind) == [otherwise.id]
        assert listed(database, person, K.OTHER_SIZE) == listed(database, person, K.OTHER_LENGTH) == [otherwise.id]
        assert listed(database, person, K.OTHER_SHAPE) == []
        rows = [load_generation(row_id, database) for row_id in facts]
        assert [row.findings for row in rows] == [None] * 4
        assert {row.id: row.output_facts for row in rows} == facts
        assert kinds(load_generation(otherwise.id, database)) == [K.OTHER_SIZE, K.OTHER_LENGTH]
        look_over(database, load_generation(plain.id, database), FROZEN)
        assert listed(database, person, K.FROZEN) == [plain.id]
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)
    database.migrate()
    assert listed(database, person, K.FROZEN) == []
