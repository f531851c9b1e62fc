"""A generation may cost nothing: the check on its price lets 0 through."""

from alembic import op
from sqlalchemy import text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WAS = ("ck_generations_credits_positive", "credits > 0")
_IS = ("ck_generations_credits_not_negative", "credits >= 0")


def upgrade() -> None:
    _replace(_WAS, _IS)


def downgrade() -> None:
    _replace(_IS, _WAS)


def _replace(old: tuple[str, str], new: tuple[str, str]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _replace_in_text(f"{old[0]} CHECK ({old[1]})", f"{new[0]} CHECK ({new[1]})")
        return
    op.drop_constraint(op.f(old[0]), "generations", type_="check")
    op.create_check_constraint(op.f(new[0]), "generations", new[1], postgresql_not_valid=True)
    op.execute(f"ALTER TABLE generations VALIDATE CONSTRAINT {new[0]}")


def _replace_in_text(old: str, new: str) -> None:
    """SQLite has no ALTER for a check; this changes no row, and is what its documentation says to do for one.

    https://www.sqlite.org/lang_altertable.html, "changing CHECK or FOREIGN KEY or NOT NULL constraints".
    """
    connection = op.get_bind()
    version = connection.scalar(text("PRAGMA schema_version"))
    connection.execute(text("PRAGMA writable_schema = ON"))
    changed = connection.execute(
        text(
            "UPDATE sqlite_schema SET sql = replace(sql, :old, :new) "
            "WHERE type = 'table' AND name = 'generations' AND instr(sql, :old) > 0"
        ),
        {"old": old, "new": new},
    )
    if changed.rowcount != 1:
        raise RuntimeError(f"the table of generations has no '{old}'")
    connection.execute(text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(text("PRAGMA writable_schema = OFF"))
