import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.event import listen

from core import errors
from core.billing import ledger
from core.catalog import rules
from core.db import Database, WriteSession
from core.db.enums import Stage, Status, WorkspaceRole
from core.db.tables import Generation, Project, User, Workspace
from core.generations import commands, queries
from core.generations.list_filter import ListFilter
from core.generations.submit import Order, made_before, submit
from core.projects import projects
from core.providers import registry
from core.workspaces.access import Member
from tests.factories.generations import (
    CONFIGURED,
    DISPATCHED,
    QUOTA_BYTES,
    SUBMITTING,
    WAITING,
    advance,
    build_order,
    build_spec,
    create_completed,
    create_generation,
    load_flight,
)
from tests.factories.users import create_member


@pytest.fixture
def stranger(database: Database) -> Member:
    """Somebody else."""
    return create_member(database, "eve@example.org")


def test_submit_when_affordable(database: Database, person: Member) -> None:
    """An order reserves its price, freezes its quote and stands pending."""
    row = create_generation(database, person, resolution="1080p", duration_seconds=10, generate_audio=True)

    assert (row.status, row.stage, row.credits) == (Status.PENDING, Stage.QUEUED, 50 + 15 + 25 + 10)
    assert row.quote["total"] == row.credits
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(9_900, 100)
        story = queries.details(session, row)
    assert [entry.kind for entry in story.entries] == ["hold"]
    assert len(story.events) == 1


def test_submit_when_the_model_ignores_a_negative_prompt(database: Database, person: Member) -> None:
    """A model that says it ignores negative prompts takes one along, and says so."""
    assert create_generation(database, person, negative_prompt="rain").negative_prompt == "rain"
    assert any("negative prompt is ignored" in limit for limit in registry.model("demo-film").limits)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prompt": "  "}, "prompt"),
        ({"prompt": "x" * 10_000}, "prompt"),
        ({"prompt": "a\x00b"}, "prompt"),
        ({"prompt": "a\ud800b"}, "prompt"),
        ({"resolution": "480p"}, "resolution"),
        ({"duration_seconds": 17}, "duration"),
        ({"duration_seconds": 0}, "duration"),
        ({"aspect_ratio": "4:3"}, "aspectRatio"),
        ({"model_id": "seedance-t2v", "negative_prompt": "rain"}, "negativePrompt"),
        ({"enhance_prompt": True}, "enhancePrompt"),
        ({"model_id": "nobody"}, "modelId"),
        ({"start_image_key": "images/ab/notmine.jpg"}, "startImagePath"),
        ({"model_id": "svd", "duration_seconds": 4}, "startImagePath"),
        ({"model_id": "fal-kling-2.5-turbo", "end_image_key": "images/ab/x.jpg"}, "startImagePath"),
        (
            {"model_id": "wan-2.2-t2v", "duration_seconds": 5, "end_image_key": "images/ab/x.jpg"},
            "endImagePath",
        ),
    ],
)
def test_submit_when_it_cannot_be_made(
    database: Database, person: Member, changes: dict[str, object], field: str
) -> None:
    """What the model cannot make is refused on its field; nothing is written and nothing reserved."""
    with pytest.raises(errors.InvalidRequest) as raised:
        create_generation(database, person, **changes)

    assert field in raised.value.fields
    with database.read_session() as session:
        assert session.scalars(select(Generation)).all() == []
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000, 0)


def test_submit_when_provider_has_no_key(database: Database, person: Member) -> None:
    """A provider without a key refuses with a sentence that says so."""
    with database.write_session() as session:
        project = projects.create(session, person, name="Lakes")
    wanted = build_order(project.id, model_id="text-to-video-ultra", duration_seconds=8)
    with pytest.raises(errors.ProviderNotConfigured, match="not configured"), database.write_session() as session:
        submit(session, person, wanted, configured={"demo"}, quota_bytes=QUOTA_BYTES)


def test_submit_when_storage_is_full(database: Database, person: Member) -> None:
    """Nobody can order a clip they have no room for."""
    with database.write_session() as session:
        project = projects.create(session, person, name="Lakes")
        session.execute(update(Workspace).values(storage_bytes=500))
    with pytest.raises(errors.StorageFull), database.write_session() as session:
        submit(session, person, build_order(project.id), configured=CONFIGURED, quota_bytes=500)


@pytest.mark.both_databases
def test_submit_when_key_is_repeated(database: Database, person: Member) -> None:
    """The same key with the same order gives the first generation, however many ask at once; one is paid."""
    with database.write_session() as session:
        project = projects.create(session, person, name="Lakes")
    barrier = threading.Barrier(12)

    def try_once(_n: int) -> str:
        barrier.wait()
        with database.write_session() as session:
            return submit(
                session,
                person,
                build_order(project.id),
                configured=CONFIGURED,
                quota_bytes=QUOTA_BYTES,
                idempotency_key="one",
            ).id

    with ThreadPoolExecutor(12) as threads:
        ids = set(threads.map(try_once, range(12)))

    assert len(ids) == 1
    with database.read_session() as reading:
        assert ledger.balance(reading, person.id) == ledger.Balance(9_950, 50)
        found = reading.get(Project, project.id)
        assert found is not None
        assert found.generation_count == 1


def test_submit_when_key_comes_with_another_order(database: Database, person: Member) -> None:
    """The same key with another order is a conflict."""
    with database.write_session() as session:
        project = projects.create(session, person, name="Lakes")
        keyed = {"configured": CONFIGURED, "quota_bytes": QUOTA_BYTES, "idempotency_key": "one"}
        submit(session, person, build_order(project.id), **keyed)  # type: ignore[arg-type]  # keyword arguments
    changed = build_order(project.id, prompt="a lake at dawn")
    with pytest.raises(errors.IdempotencyConflict), database.write_session() as session:
        submit(session, person, changed, **keyed)  # type: ignore[arg-type]  # same


def test_submit_when_key_comes_with_another_clip_to_go_on_from(database: Database, person: Member) -> None:
    """The clip that an order goes on from is part of the order; the same one again is a repeat."""
    sources = [create_completed(database, person), create_completed(database, person)]
    wanted = build_order(sources[0].project_id)

    def going_on_from(extends_id: str | None) -> str:
        keyed = {"configured": CONFIGURED, "quota_bytes": QUOTA_BYTES, "idempotency_key": "one"}
        with database.write_session() as session:
            return submit(session, person, wanted, extends_id=extends_id, **keyed).id  # type: ignore[arg-type]  # keyword arguments

    first = going_on_from(sources[0].id)

    assert going_on_from(sources[0].id) == first
    for other in (sources[1].id, None):
        with pytest.raises(errors.IdempotencyConflict):
            going_on_from(other)


def test_retry_when_key_is_repeated_after_its_source_is_gone(database: Database, person: Member) -> None:
    """A retry with a key is the same request whatever has become of the clip that it goes on from."""
    source = create_completed(database, person)
    with database.write_session() as session:
        old = submit(
            session,
            person,
            build_order(source.project_id),
            configured=CONFIGURED,
            quota_bytes=QUOTA_BYTES,
            extends_id=source.id,
        )
        commands.cancel(session, person, old.id)

    def retry() -> str:
        with database.write_session() as session:
            return commands.retry(
                session, person, old.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES, idempotency_key="again"
            ).id

    first = retry()
    with database.write_session() as session:
        commands.delete(session, person, source.id)

    assert retry() == first


@pytest.mark.both_databases
def test_made_before_when_the_recipe_is_the_same(database: Database, person: Member, stranger: Member) -> None:
    """The newest clip of the very same order is found in whatever project, in flight or done, and only one's own."""
    wanted = build_order("any project", prompt=" a lake at dusk ")

    def found(user: Member) -> str | None:
        with database.read_session() as session:
            row = made_before(session, user, wanted)
            return row.id if row else None

    assert found(person) is None
    done = create_completed(database, person)
    assert found(person) == done.id
    waiting = create_generation(database, person)
    assert found(person) == waiting.id
    with database.write_session() as session:
        commands.cancel(session, person, waiting.id)
    assert found(person) == done.id
    assert found(stranger) is None
    with database.write_session() as session:
        commands.delete(session, person, done.id)
    assert found(person) is None


def test_made_before_uses_its_index(sqlite_template: Path) -> None:
    """Asked at every change of the form, it stays one search of an index however many clips there are."""
    database = Database(f"sqlite:///{sqlite_template}")
    asked: list[tuple[str, Any]] = []
    listen(
        database.read_engine, "before_cursor_execute", lambda _c, _cursor, sql, values, *_: asked.append((sql, values))
    )
    with database.read_session() as session:
        assert made_before(session, Member(User(id="x"), "x", {"x": WorkspaceRole.MANAGER}), build_order("p")) is None
    with database.engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1][0]}", asked[-1][1]).all())
    database.dispose()

    assert "USING INDEX ix_generations_recipe (workspace_id=? AND recipe_hash=?)" in plan
    assert "TEMP B-TREE" not in plan


def test_file_name_when_prompt_is_hostile() -> None:
    """A clip is saved under a name that is harmless on every system."""
    names = {
        prompt: queries.file_name(Generation(id="0198-abcdef", prompt=prompt))
        for prompt in ('../A "lake" at dawn: /etc', "日本", "x" * 500)
    }

    assert names['../A "lake" at dawn: /etc'] == "a-lake-at-dawn-etc-abcdef.mp4"
    assert names["日本"] == "clip-abcdef.mp4"
    assert all(len(name) < 70 for name in names.values())


def test_everything_when_it_is_not_theirs(database: Database, person: Member, stranger: Member) -> None:
    """Another person's generation and project do not exist for me, whatever I try."""
    row = create_completed(database, person)
    attempts: list[Callable[[WriteSession], object]] = [
        lambda s: queries.get(s, stranger, row.id),
        lambda s: commands.cancel(s, stranger, row.id),
        lambda s: commands.delete(s, stranger, row.id),
        lambda s: commands.retry(s, stranger, row.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES),
        lambda s: projects.get(s, stranger, row.project_id),
        lambda s: projects.update(s, stranger, row.project_id, name="Mine"),
        lambda s: projects.delete(s, stranger, row.project_id),
        lambda s: submit(s, stranger, build_order(row.project_id), configured=CONFIGURED, quota_bytes=QUOTA_BYTES),
    ]
    for attempt in attempts:
        with pytest.raises(errors.NotFound), database.write_session() as session:
            attempt(session)
    with database.read_session() as session:
        assert queries.list_page(session, stranger, ListFilter()).rows == []
        assert projects.list_page(session, stranger) == []


def test_cancel_when_pending(database: Database, person: Member) -> None:
    """Before it is sent, cancelling is free and at once."""
    row = create_generation(database, person)
    with database.write_session() as session:
        assert commands.cancel(session, person, row.id).status is Status.CANCELLED

    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000, 0)
    with pytest.raises(errors.Conflict), database.write_session() as session:
        commands.cancel(session, person, row.id)


def test_cancel_when_provider_cannot(database: Database, person: Member) -> None:
    """Where the provider cannot stop a job, cancelling is refused and says what happens instead."""
    row = create_generation(database, person, model_id="text-to-video-ultra", duration_seconds=8)
    advance(database, row.id, DISPATCHED, SUBMITTING, WAITING)
    with pytest.raises(errors.Conflict, match="charged"), database.write_session() as session:
        commands.cancel(session, person, row.id)


def test_cancel_when_provider_can(database: Database, person: Member) -> None:
    """Where the provider can, the wish is noted and the row comes due at once."""
    row = create_generation(database, person)
    advance(database, row.id, DISPATCHED, SUBMITTING, WAITING)
    with database.write_session() as session:
        wished = commands.cancel(session, person, row.id)

    assert wished.status is Status.PROCESSING
    assert wished.cancel_requested_at is not None
    flight = load_flight(row.id, database)
    assert flight.next_at == flight.cancel_requested_at == wished.cancel_requested_at


def test_retry_when_failed(database: Database, person: Member) -> None:
    """A retry is a new generation of the same order that points to the old one."""
    old = create_generation(database, person)
    with database.write_session() as session:
        commands.cancel(session, person, old.id)
        new = commands.retry(session, person, old.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)

    assert new.retry_of_id == old.id
    assert Order.of(new) == Order.of(old)
    with pytest.raises(errors.Conflict), database.write_session() as session:
        commands.retry(session, person, new.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)


@pytest.mark.both_databases
def test_retry_when_many_ask_at_once(database: Database, person: Member) -> None:
    """Retries of one generation without a key are one order while it is under way; after that another may be made."""
    old = create_generation(database, person)
    with database.write_session() as session:
        commands.cancel(session, person, old.id)
    barrier = threading.Barrier(10)

    def try_once(_n: int) -> tuple[str, bool]:
        barrier.wait()
        with database.write_session() as session:
            row = commands.retry(session, person, old.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
            return row.id, row.replayed

    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(try_once, range(10)))

    assert len({row_id for row_id, _replayed in found}) == 1
    assert sorted(replayed for _row_id, replayed in found) == [False] + [True] * 9
    with database.write_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(9_950, 50)
        commands.cancel(session, person, found[0][0])
        later = commands.retry(session, person, old.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
    assert (later.id != found[0][0], later.replayed) == (True, False)


@pytest.mark.parametrize("deleted", [False, True])
def test_retry_when_it_went_on_from_a_clip(database: Database, person: Member, deleted: bool) -> None:
    """A retry goes on from the same clip as the old one did, or from none when that was deleted."""
    source = create_completed(database, person)
    how: dict[str, Any] = {"configured": CONFIGURED, "quota_bytes": QUOTA_BYTES}
    with database.write_session() as session:
        old = submit(session, person, build_order(source.project_id), extends_id=source.id, **how)
        commands.cancel(session, person, old.id)
        if deleted:
            commands.delete(session, person, source.id)
        new = commands.retry(session, person, old.id, **how)

    assert new.extends_id == (None if deleted else source.id)


def test_delete_when_ended(database: Database, person: Member) -> None:
    """A deleted clip is out of sight and out of the count; its charge stays on record."""
    row = create_completed(database, person)
    with database.write_session() as session:
        commands.delete(session, person, row.id)

    with database.read_session() as session:
        with pytest.raises(errors.NotFound):
            queries.get(session, person, row.id)
        assert [entry.kind for entry in ledger.entries_of_generation(session, row.id)] == ["hold", "settle"]
        assert projects.list_page(session, person)[0].generation_count == 0


def test_delete_several_when_some_are_under_way(database: Database, person: Member, stranger: Member) -> None:
    """Of several, those that have ended are deleted and the others stay; with a stranger's among them, none is."""
    ended, live = create_completed(database, person), create_generation(database, person)
    foreign = create_completed(database, stranger)
    with pytest.raises(errors.NotFound), database.write_session() as session:
        commands.delete_many(session, person, [ended.id, foreign.id])
    with database.write_session() as session:
        assert commands.delete_many(session, person, [ended.id, live.id]) == 1
    with database.read_session() as session:
        assert [row.id for row in queries.list_page(session, person, ListFilter()).rows] == [live.id]


def test_delete_when_under_way(database: Database, person: Member) -> None:
    """What is under way cannot be deleted."""
    row = create_generation(database, person)
    with pytest.raises(errors.Conflict), database.write_session() as session:
        commands.delete(session, person, row.id)


@given(
    st.sampled_from(registry.models()),
    st.sampled_from(["480p", "720p", "1080p", "4K"]),
    st.integers(1, 20),
    st.sampled_from(["16:9", "9:16", "1:1", "4:3"]),
)
def test_validate_agrees_with_what_the_model_declares(model, resolution, seconds, ratio) -> None:  # type: ignore[no-untyped-def]  # drawn
    """An order is refused exactly when one of its settings is not in the model's lists."""
    wanted = build_spec(model.id, resolution=resolution, duration_seconds=seconds, aspect_ratio=ratio)
    makeable = (
        resolution in model.resolutions and seconds in model.durations and ratio in model.aspect_ratios
    ) and model.text_to_video

    assert (rules.check(model, wanted) == {}) is makeable
