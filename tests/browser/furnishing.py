"""An installation on disk, filled through the services before the app that shows it is started."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from core import audit_log, db
from core.audit_log import Act
from core.db.enums import Scope
from core.db.tables import Generation
from core.files import storage as storages
from core.files import video_derivatives
from core.files.storage import Storage
from core.generations import commands, lifecycle
from core.identity import api_tokens
from core.projects import projects
from core.usage import budgets
from tests.factories import installations
from tests.factories.generations import CLIP_FACTS
from tests.factories.studio import Studio


@contextmanager
def installation(folder: Path) -> Iterator[Studio]:
    """The services on an empty folder while the block runs; an app can be started on it afterwards."""
    with pytest.MonkeyPatch.context() as environ:
        for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "SECRET_KEY", "AUTH_MODE"):
            environ.delenv(name, raising=False)
        environ.setenv("DATA_DIR", str(folder))
        with installations.opened() as found:
            yield Studio(found.settings)


def furnish(studio: Studio, folder: Path) -> None:
    """Clips of a provider that has no key here, so that the worker leaves them as they are."""
    storage = storages.open_storage(studio.settings.storage_url)
    clip = small_clip(folder / "small.mp4")
    lake, empty = studio.project("Lake film"), studio.project("An idea with a rather long name, " * 3)
    with db.write_session() as session:
        projects.update(session, studio.person, empty.id, description="averyveryverylongwordwithoutanyspace" * 4)
    for prompt in ("A rower crosses a lake at dawn", "w" * 300, "Rain on a tin roof"):
        row = studio.order(lake, prompt)
        studio.complete(row, stored(storage, row, clip))
    studio.fail(studio.order(lake, "A heron takes off"))
    studio.lose(studio.order(lake, "Ink in clear water", model_id="seedance-t2v"))
    with db.write_session() as session:
        commands.cancel(session, studio.person, studio.order(lake, "A paper boat").id)
    administer(studio)


def administer(studio: Studio) -> None:
    """Acts of several people, from several places, of which some are long."""
    person = studio.person
    with audit_log.acting_from("203.0.113.7", "deploy-42"), db.write_session() as session:
        api_tokens.create(session, person.user, name="Continuous integration of the intranet", scope=Scope.GENERATE)
        budgets.set_workspace(session, person, credits=250_000)
    with audit_log.acting_from("2001:db8:85a3:8d3:1319:8a2e:370:7348"), db.write_session() as session:
        whose = "a-rather-long-name.of-somebody@subsidiary.example.org"
        audit_log.record(
            session,
            person.user,
            Act.MEMBER_ROLE_CHANGED,
            target=whose,
            workspace_id=person.workspace_id,
            before={"role": "viewer"},
            after={"role": "manager"},
        )
        audit_log.record(session, None, Act.SIGN_IN_REFUSED, target=whose, after={"reason": "no_role"})


def small_clip(path: Path) -> Path:
    """Half a second of moving grey, 320 x 180."""
    with av.open(path, "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for shade in range(60, 180, 10):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), shade, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def stored(storage: Storage, row: Generation, clip: Path) -> lifecycle.Output:
    """Put a clip where the worker would have put it."""
    base = f"videos/{row.id}/0123456789abcdef"
    storage.put_bytes(f"{base}.mp4", clip.read_bytes(), media_type="video/mp4")
    poster, preview = _derived(clip)
    storage.put_bytes(f"{base}.webp", poster, media_type="image/webp")
    storage.put_bytes(f"{base}-preview.mp4", preview, media_type="video/mp4")
    size = clip.stat().st_size
    facts = {**CLIP_FACTS, "width": 320, "height": 180, "duration_seconds": 0.5, "size_bytes": size}
    return lifecycle.Output(f"{base}.mp4", f"{base}.webp", f"{base}-preview.mp4", size, facts)


@cache
def _derived(clip: Path) -> tuple[bytes, bytes]:
    """Poster and preview; made once for the many clips that show the same."""
    return video_derivatives.poster(clip), video_derivatives.preview(clip)
