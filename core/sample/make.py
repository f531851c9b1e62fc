"""Makes the sample company: its files are prepared first, then all rows are written at once.

Until everything is in its place its workspaces are put away, so that nobody is in them. What a killed process leaves is
seen by that, and is removed before it is begun anew.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert

from core import audit_log, errors
from core.audit_log import Act
from core.clock import utc_now
from core.db import WriteSession, update_where
from core.db.enums import Status
from core.db.tables import Workspace
from core.db.types import Base
from core.identity import users
from core.installation import Installation
from core.messages import message
from core.providers.models import plain_frame_size
from core.sample import books, footage, plan, presence, projects, remove
from core.sample.books import Books, Files
from core.sample.footage import Footage, Shot
from core.sample.plan import Year
from core.sample.presence import Presence
from core.usage import rollups
from core.workspaces.access import Member
from core.workspaces.permissions import Action

NAME = "Sample company"
"""What the audit log calls it."""

Report = Callable[[float], None]
"""Is told how much is done, from 0 to 1."""

_FILMED = 0.8
"""How much of the whole is done when the clips are filmed; measured."""


def make(
    opened: Installation,
    actor: Member,
    *,
    now: datetime | None = None,
    takes: int = plan.TAKES,
    report: Report = lambda _share: None,
) -> bool:
    """Make it; True if it was made, False if it is there already. Two at once make one.

    Forbidden for who is no administrator, Conflict where people sign in. StorageUnavailable, and nothing is left, when
    there is no room for its files.
    """
    actor.require(Action.OPERATE)
    if not presence.is_allowed(opened.settings):
        raise errors.Conflict(message("sample_is_local"))
    with presence.alone(opened.settings):
        with opened.database.read_session() as session:
            found = presence.presence(session)
        if found is Presence.THERE:
            return False
        if found is Presence.UNFINISHED:
            remove.clear(opened)
        try:
            _make(opened, actor, now or utc_now(), takes, report)
        except OSError as failure:
            remove.clear(opened)
            raise errors.StorageUnavailable(message("sample_needs_room"), detail=repr(failure)) from failure
        except errors.StorageUnavailable as failure:
            remove.clear(opened)
            raise errors.StorageUnavailable(message("sample_needs_room"), detail=failure.detail) from failure
    return True


def _make(opened: Installation, actor: Member, now: datetime, takes: int, report: Report) -> None:
    year = plan.play(now, takes=takes)
    with tempfile.TemporaryDirectory(prefix="sample-") as folder:
        files = _film(year, Path(folder), report)
        written = books.write(year, files, archived_at=now)
        with opened.database.write_session() as session:
            users.lock(session, actor.id)
            _insert(session, written)
        report(_FILMED + (1 - _FILMED) / 2)
        _store(opened, written, files)
    with opened.database.write_session() as session:
        update_where(session, Workspace, Workspace.is_sample.is_(True), archived_at=None)
        audit_log.record(
            session,
            actor.user,
            Act.SAMPLE_MADE,
            target=NAME,
            after={"people": len(written.users), "clips": len(written.generations)},
        )
    report(1.0)


def _film(year: Year, folder: Path, report: Report) -> Files:
    """Every variant of a scene that was asked for, in every length that it is needed in."""
    lengths: dict[tuple[int, int, int], set[int]] = defaultdict(set)
    for take in year.takes:
        if take.status is Status.COMPLETED:
            lengths[take.project, take.scene, take.variant].add(take.spec.duration_seconds)

    def film(wanted: tuple[int, int, int]) -> Mapping[int, Footage]:
        project, number, variant = wanted
        scene = projects.PROJECTS[project].scenes[number]
        width, height = plain_frame_size(plan.RESOLUTION, scene.aspect_ratio)
        loop = folder / f"{project}-{number}-{variant}.mp4"
        seed = 100 * project + 10 * number + variant
        footage.encode_loop(Shot(scene.outline, scene.palette, seed, width, height), loop)
        return footage.develop(loop, lengths[wanted], folder)

    found: dict[tuple[int, int, int, int], Footage] = {}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        wanted = sorted(lengths)
        for done, (one, made) in enumerate(zip(wanted, pool.map(film, wanted), strict=True), start=1):
            found |= {(*one, seconds): clip for seconds, clip in made.items()}
            report(_FILMED * done / len(wanted))
    return found


def _insert(session: WriteSession, written: Books) -> None:
    """All rows, table by table, in an order in which each finds what it refers to."""
    names = ("users", "workspaces", "workspace_members", "accounts", "projects", "generations", "generation_events")
    counted = ("ledger_entries", "usage_days", "undelivered_days", "budgets", "budget_months")
    for name in (*names, "generation_tags", "clip_notes", *counted):
        if rows := getattr(written, name):
            session.execute(insert(Base.metadata.tables[name]), rows)
    rollups.describe_tags(session, {row["generation_id"] for row in written.generation_tags})


def _store(opened: Installation, written: Books, files: Files) -> None:
    """The first clip of each kind is stored, the others share its files."""
    originals: dict[str, tuple[str, ...]] = {}
    copies: list[tuple[str, str]] = []
    by_name = {made.name: made for made in files.values()}
    for keys in written.clip_keys():
        name = keys[0].rpartition("/")[2].removesuffix(".mp4")
        if name in originals:
            copies += zip(originals[name], keys, strict=True)
            continue
        originals[name], made = keys, by_name[name]
        for key, path in zip(keys, (made.clip, made.poster, made.preview), strict=True):
            opened.storage.put_file(key, path, media_type=_media_type(path))
    opened.storage.copy_many(copies)


def _media_type(path: Path) -> str:
    return "image/webp" if path.suffix == ".webp" else "video/mp4"
