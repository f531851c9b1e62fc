import logging
import stat
from pathlib import Path

import pytest

from core.files import private


def mode(path: Path) -> int:
    """The bits of who may do what."""
    return stat.S_IMODE(path.stat().st_mode)


def test_narrow_when_others_could_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a version before left open is closed, side files and media among it, and said once; the rest is not ours."""
    media = tmp_path / "media"
    media.mkdir(mode=0o755)
    for name in ("studio.db", "studio.db-wal", "studio.db-shm", "secret.key", "notes.txt"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    tmp_path.chmod(0o755)

    private.narrow(tmp_path, tmp_path / "studio.db", media)
    private.narrow(tmp_path, tmp_path / "studio.db", media)

    assert mode(media) == 0o700
    assert {mode(tmp_path / name) for name in ("studio.db", "studio.db-wal", "studio.db-shm", "secret.key")} == {0o600}
    assert (mode(tmp_path / "notes.txt"), mode(tmp_path)) == (0o644, 0o755)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "studio.db-wal" in record.getMessage()


def test_narrow_when_media_and_database_lie_elsewhere(tmp_path: Path) -> None:
    """A database outside of the data folder is closed as well; shared media stay open to their group."""
    data, media, database = tmp_path / "data", tmp_path / "srv", tmp_path / "other.db"
    data.mkdir()
    media.mkdir()
    media.chmod(0o2775)
    database.write_text("x")
    database.chmod(0o664)

    private.narrow(data, database, media)

    assert (mode(media), mode(database)) == (0o2770, 0o600)
