"""What was found wrong with a delivered clip is kept with it; of clips of before these are their gaps to the order."""

import sqlalchemy as sa
from alembic import op

from core.db import indexes

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KINDS = (
    *("black", "frozen", "flicker", "letterbox", "silent", "clipped", "tooloud", "tooquiet"),
    *("othershape", "othersize", "otherlength"),
)
"""In the order of their bits, as words of the index."""

_GAPS = {"no_sound": 1 << 4, "other_shape": 1 << 8, "other_size": 1 << 9, "other_length": 1 << 10}
"""Code of a gap to the order -> bit of its kind."""

_KEPT = "|| CASE new.kept WHEN 1 THEN ' xkept' WHEN 0 THEN ' xrejected' ELSE '' END"
_FOUND = "".join(
    f" || CASE WHEN new.finding_kinds & {1 << place} THEN ' xf{word}' ELSE '' END" for place, word in enumerate(_KINDS)
)
_EDITS = (
    (_KEPT, _KEPT + _FOUND),
    ("favourite, kept ON generations", "favourite, kept, finding_kinds ON generations"),
    (
        "OR old.kept IS NOT new.kept",
        "OR old.kept IS NOT new.kept OR coalesce(old.finding_kinds, 0) <> coalesce(new.finding_kinds, 0)",
    ),
)


def upgrade() -> None:
    op.add_column("generations", sa.Column("findings", sa.JSON(), nullable=True))
    op.add_column("generations", sa.Column("finding_kinds", sa.Integer(), nullable=True))
    op.add_column("generations", sa.Column("loudness_lufs", sa.Double(), nullable=True))
    indexes.create(
        op,  # type: ignore[arg-type]  # the module stands for its Operations
        "ix_generations_findings",
        "generations",
        ["workspace_id", "id", "finding_kinds"],
        where="finding_kinds > 0 AND deleted_at IS NULL",
    )
    _edit_triggers(_EDITS)
    _find_gaps()


def _find_gaps() -> None:
    """The kinds of gaps that stand with the facts of a file; a gap has its code there, and no other fact has."""
    facts = "CAST(output_facts AS TEXT)"
    found = " + ".join(f"CASE WHEN {facts} LIKE '%\"{code}\"%' THEN {bit} ELSE 0 END" for code, bit in _GAPS.items())
    some = " OR ".join(f"{facts} LIKE '%\"{code}\"%'" for code in _GAPS)
    op.execute(f"UPDATE generations SET finding_kinds = {found} WHERE {some}")  # noqa: S608 -- all of it stands above


def downgrade() -> None:
    """What was found is forgotten; the clips and what they are searched by stay."""
    _edit_triggers(tuple((new, old) for old, new in _EDITS))
    op.drop_index("ix_generations_findings", "generations", if_exists=True)
    for column in ("loudness_lufs", "finding_kinds", "findings"):
        op.drop_column("generations", column)


def _edit_triggers(edits: tuple[tuple[str, str], ...]) -> None:
    """SQLite's index of words knows the kinds, so that words and kinds are looked for together."""
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        return
    for name in ("generation_words_insert", "generation_words_change"):
        written = str(bind.scalar(sa.text("SELECT sql FROM sqlite_schema WHERE name = :name"), {"name": name}))
        op.execute(f"DROP TRIGGER {name}")
        for old, new in edits:
            written = written.replace(old, new)
        op.execute(written)
