"""A studio with clips in every state, built through the services alone, for tests of pages."""

from typing import Any

from core import db, errors
from core.clock import utc_now
from core.config import Settings
from core.db import WriteSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, Project, User
from core.generations import lifecycle
from core.generations.submit import Order, submit
from core.identity import users
from core.projects import projects

CONFIGURED = frozenset({"demo", "modelslab", "edenai"})
FACTS = {
    "width": 1280,
    "height": 720,
    "duration_seconds": 5.0,
    "frame_rate": 24.0,
    "video_codec": "h264",
    "audio_codec": "aac",
    "container": "mp4",
    "size_bytes": 1000,
    "sha256": "0" * 64,
}


SAID = {
    Stage.DISPATCHED: "Next in line at Demo Studio",
    Stage.SUBMITTING: "Sending to Demo Studio",
    Stage.WAITING: "Accepted by Demo Studio",
    Stage.READY_TO_DOWNLOAD: "The provider has finished",
    Stage.DOWNLOADING: "Fetching the finished clip",
}
"""What the worker notes of each step."""


class Studio:
    """One person with a project; every method is one transaction or a chain of them, as the worker makes them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with db.write_session() as session:
            self.person: User = users.local_person(session, settings)

    def project(self, name: str = "Lake film") -> Project:
        """A new project."""
        with db.write_session() as session:
            return projects.create(session, self.person, name=name)

    def order(
        self, project: Project, prompt: str = "A lake at dawn", *, model_id: str = "demo-film", **changes: object
    ) -> Generation:
        """An order that waits."""
        wanted = {"resolution": "720p", "duration_seconds": 5, "aspect_ratio": "16:9"} | changes
        order = Order(project_id=project.id, model_id=model_id, prompt=prompt, **wanted)  # type: ignore[arg-type]  # a test names only what it means
        with db.write_session() as session:
            return submit(
                session, self.person, order, configured=CONFIGURED, quota_bytes=self.settings.storage_quota_bytes
            )

    def send(self, row: Generation, *, progress: float = 0.4) -> Generation:
        """The provider has it."""
        with db.write_session() as session:
            for status, stage in (
                (Status.PENDING, Stage.DISPATCHED),
                (Status.PROCESSING, Stage.SUBMITTING),
                (Status.PROCESSING, Stage.WAITING),
            ):
                now = utc_now()
                values: dict[str, Any] = {"submitted_at": now, "progress": progress} if stage is Stage.WAITING else {}
                row = self._now(session, row)
                assert lifecycle.transition(session, row, status, stage, what=SAID[stage], next_at=now, **values)
            return self._now(session, row)

    def lose(self, row: Generation) -> Generation:
        """Nobody knows whether the provider has it."""
        with db.write_session() as session:
            for status, stage in ((Status.PENDING, Stage.DISPATCHED), (Status.PROCESSING, Stage.SUBMITTING)):
                row = self._now(session, row)
                assert lifecycle.transition(session, row, status, stage, what=SAID[stage], next_at=utc_now())
            row = self._now(session, row)
            assert lifecycle.mark_uncertain(
                session, row, errors.SubmitUncertain(detail="read timeout"), next_at=utc_now()
            )
            return self._now(session, row)

    def complete(self, row: Generation, output: lifecycle.Output | None = None) -> Generation:
        """The clip is here and charged."""
        row = self.send(row)
        with db.write_session() as session:
            for stage in (Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING):
                row = self._now(session, row)
                assert lifecycle.transition(
                    session, row, Status.PROCESSING, stage, what=SAID[stage], next_at=utc_now(), progress=1.0
                )
            row = self._now(session, row)
            made = output or lifecycle.Output(
                f"videos/{row.id}/0123456789abcdef.mp4", f"videos/{row.id}/0123456789abcdef.webp", None, 1000, FACTS
            )
            assert lifecycle.complete(session, row, made)
            return self._now(session, row)

    def fail(self, row: Generation, error: errors.AppError | None = None) -> Generation:
        """The provider could not make it."""
        row = self.send(row)
        with db.write_session() as session:
            assert lifecycle.fail(session, self._now(session, row), error or errors.GenerationFailed())
            return self._now(session, row)

    @staticmethod
    def _now(session: WriteSession, row: Generation) -> Generation:
        found = lifecycle.locked(session, row.id)
        assert found is not None
        return found
