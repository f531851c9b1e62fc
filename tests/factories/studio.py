"""An installation with its one person, and clips of theirs in every state, for tests of pages and in the browser."""

from typing import Any

from core import db, errors
from core.clock import utc_now
from core.config import Settings
from core.db.tables import Generation, Project
from core.generations import lifecycle
from core.identity import users
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories import generations
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    load_generation,
)
from tests.factories.projects import create_project


class Studio:
    """One person with a project; every method is one transaction or a chain of them, as the worker makes them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with db.write_session() as session:
            self.person: Member = members.at_work(session, users.local_person(session, settings))

    def project(self, name: str = "Lake film") -> Project:
        """A new project."""
        return create_project(db.default(), self.person, name)

    def order(self, project: Project, prompt: str = "A lake at dawn", **changes: Any) -> Generation:
        """An order that waits."""
        return generations.create_generation(db.default(), self.person, project_id=project.id, prompt=prompt, **changes)

    def send(self, row: Generation, *, progress: float = 0.4) -> Generation:
        """The provider has it."""
        now = utc_now()
        advance(db.default(), row.id, DISPATCHED, SUBMITTING, next_at=now)
        return advance(db.default(), row.id, WAITING, next_at=now, submitted_at=now, progress=progress)

    def lose(self, row: Generation) -> Generation:
        """Nobody knows whether the provider has it."""
        return generations.lose_submit(db.default(), row.id)

    def complete(self, row: Generation, output: lifecycle.Output | None = None) -> Generation:
        """The clip is here and charged; no preview of it yet unless `output` has one."""
        self.send(row)
        row = advance(db.default(), row.id, READY_TO_DOWNLOAD, DOWNLOADING, next_at=utc_now(), progress=1.0)
        made = output or generations.build_output(row.id, preview_key=None)
        with db.write_session() as session:
            assert lifecycle.complete(session, row, made)
        return load_generation(row.id)

    def fail(self, row: Generation, error: errors.AppError | None = None) -> Generation:
        """The provider could not make it."""
        row = self.send(row)
        with db.write_session() as session:
            assert lifecycle.fail(session, row, error or errors.GenerationFailed())
        return load_generation(row.id)
