"""A release after this one, as a copy of the product with further migrations: what an upgrade is tried with.

The product of this folder is the version before it, unchanged. Its migration 9001 only expands: a column, an index, a
condition and something to fill in; 9002, where it is wanted, needs what is filled in.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.db import schema
from tests.system.app import ROOT

EXPANDED, NEEDING = "9001", "9002"
_HEAD = """
import sqlalchemy as sa
from alembic import op

from core.db import backfills, constraints, indexes

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None

oldest_head = "{oldest_head}"
"""
_EXPANDS = """
def upgrade() -> None:
    op.add_column("generations", sa.Column("shade", sa.String(20), nullable=True))
    indexes.create(op, "ix_generations_shade", "generations", ["shade", "id"])
    if op.get_bind().dialect.name == "postgresql":
        constraints.add_check(op, "ck_generations_shade_known", "generations", "shade IS NULL OR shade <> 'none'")
    backfills.begin(op, "shades", "generations")
"""
_NEEDS = """
needs_backfills = ("shades",)


def upgrade() -> None:
    op.create_table("shades", sa.Column("id", sa.String(36), primary_key=True))
"""
_MODEL = """
from sqlalchemy import Column, Index, String

Generation.__table__.append_column(Column("shade", String(20)))
Index("ix_generations_shade", Generation.__table__.c.shade, Generation.__table__.c.id)
"""
_FILLED_IN = '''

from sqlalchemy import text

from core.db import WriteSession


def _shades(session: WriteSession, after: str, limit: int) -> backfills.Batch:
    """Each clip once: what was filled in twice would be told by its second letter."""
    session.execute(text("SELECT 1"))
    wanted = text("SELECT id FROM generations WHERE id > :after ORDER BY id LIMIT :limit")
    ids = session.scalars(wanted, {"after": after, "limit": min(limit, 3)}).all()
    for each in ids:
        session.execute(
            text("UPDATE generations SET shade = coalesce(shade, '') || 'a' WHERE id = :id"), {"id": each}
        )
        if (dies := __import__("os").environ.get("DIES_AT")) and each.startswith(dies):
            __import__("os").kill(__import__("os").getpid(), 9)
    return backfills.Batch(ids[-1] if ids else None, len(ids))


KNOWN = (Backfill("shades", _shades),)
'''


class NextRelease:
    """The copy in a folder."""

    def __init__(self, folder: Path, *, needs: bool = False) -> None:
        self.root = folder / "next"
        for package in ("core", "pages", "studio"):
            shutil.copytree(ROOT / package, self.root / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("app.py", "worker.py"):
            shutil.copy(ROOT / name, self.root)
        head = schema.newest_revision()
        self._add(EXPANDED, head, head, _EXPANDS)
        if needs:
            self._add(NEEDING, EXPANDED, head, _NEEDS)
        self._append("core/db/tables/__init__.py", _MODEL)
        self._append("core/worker/filling_in.py", _FILLED_IN)

    def _add(self, revision: str, before: str, oldest_head: str, what: str) -> None:
        path = self.root / "core" / "db" / "migrations" / "versions" / f"{revision}_next.py"
        path.write_text(_HEAD.format(revision=revision, before=before, oldest_head=oldest_head) + what)

    def _append(self, name: str, what: str) -> None:
        path = self.root / name
        path.write_text(path.read_text() + what)

    def admin(self, environ: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run its `python -m core.admin` to the end."""
        return subprocess.run(
            self.command("-m", "core.admin", *arguments),
            env=self.environ(environ),
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def command(self, *arguments: str) -> Sequence[str]:
        """What starts one of its programs, in its folder."""
        return [sys.executable, *arguments]

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """These variables, with its own modules in the place of ours."""
        return {**environ, "PYTHONPATH": str(self.root)}
