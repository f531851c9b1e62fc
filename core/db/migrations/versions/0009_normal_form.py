"""Texts are searched in one normal form, the same on both databases, and webhooks know the key of their secret.

The words of every prompt, and the names of projects and people, are written in that form by `core.normal_form`, a
thousand rows at a time; the indexes of words are made anew over them. 200,000 prompts took 30 s on SQLite and 70 s on
PostgreSQL, beside much other work on two cores. It is one transaction: killed in between, nothing has changed.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op
from sqlalchemy import RowMapping

from core import normal_form

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BATCH_ROWS = 1000


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.drop_index("ix_generations_words", "generations")
    op.add_column("generations", sa.Column("prompt_words", sa.Text(), nullable=False, server_default=""))
    op.add_column("projects", sa.Column("name_key", sa.Text(), nullable=False, server_default=""))
    op.add_column("users", sa.Column("search_key", sa.Text(), nullable=False, server_default=""))
    op.add_column("webhook_endpoints", sa.Column("secret_key_id", sa.String(length=16), nullable=True))
    _fill("generations", ["prompt"], "prompt_words", lambda row: " ".join(normal_form.words(row["prompt"])))
    _fill("projects", ["name"], "name_key", lambda row: normal_form.normal(row["name"]))
    _fill("users", ["email", "name"], "search_key", lambda row: normal_form.normal(f"{row['email']} {row['name']}"))
    _compose_emails()
    _compose_tags()
    if is_postgresql:
        op.execute(
            "CREATE INDEX ix_generations_words ON generations "
            "USING gin (array_to_tsvector(string_to_array(prompt_words, ' ')))"
        )
    else:
        _words_of_sqlite(column="prompt_words", tokenizer="ascii")


def _fill(name: str, read: list[str], written: str, value: Callable[[RowMapping], str]) -> None:
    """Write a column of every row from others of it, in the order of ids, so that no row is read twice."""
    bind = op.get_bind()
    rows = sa.table(name, sa.column("id", sa.String), sa.column(written, sa.Text), *(sa.column(each) for each in read))
    page = sa.select(rows.c.id, *(rows.c[each] for each in read)).order_by(rows.c.id).limit(BATCH_ROWS)
    last = ""
    while found := bind.execute(page.where(rows.c.id > last)).mappings().all():
        last = found[-1]["id"]
        _write(bind, rows, written, [(row["id"], value(row)) for row in found])


def _write(bind: sa.Connection, rows: sa.TableClause, column: str, values: list[tuple[str, str]]) -> None:
    if bind.dialect.name == "postgresql":  # in one statement: a million by themselves would take many minutes
        texts = sa.ARRAY(sa.Text)
        given = (
            sa.func.unnest(
                sa.bindparam("ids", [id_ for id_, _ in values], texts),
                sa.bindparam("texts", [text for _, text in values], texts),
            )
            .table_valued("id", "value", name="given")
            .render_derived()
        )
        bind.execute(sa.update(rows).where(rows.c.id == given.c.id).values({column: given.c.value}))
        return
    changed = sa.update(rows).where(rows.c.id == sa.bindparam("row_id")).values({column: sa.bindparam("value")})
    bind.execute(changed, [{"row_id": id_, "value": text} for id_, text in values])


def _compose_emails() -> None:
    """Addresses are looked up in their composed form (NFC); one that stands there both ways stays as it is."""
    bind = op.get_bind()
    users = sa.table("users", sa.column("id", sa.String), sa.column("email", sa.String))
    known = {row.email: row.id for row in bind.execute(sa.select(users.c.id, users.c.email))}
    for email, id_ in known.items():
        if (composed := normal_form.canonical(email)) != email and composed not in known:
            bind.execute(sa.update(users).where(users.c.id == id_).values(email=composed))


def _compose_tags() -> None:
    """So are tags; where a clip carries one in both forms, one of them goes."""
    bind = op.get_bind()
    tags = sa.table("generation_tags", sa.column("generation_id", sa.String), sa.column("tag", sa.String))
    for tag in bind.scalars(sa.select(tags.c.tag).distinct()).all():
        composed = normal_form.canonical(tag)
        if composed == tag:
            continue
        has_both = sa.select(tags.c.generation_id).where(tags.c.tag == composed)
        bind.execute(sa.delete(tags).where(tags.c.tag == tag, tags.c.generation_id.in_(has_both)))
        bind.execute(sa.update(tags).where(tags.c.tag == tag).values(tag=composed))


def _words_of_sqlite(*, column: str, tokenizer: str) -> None:
    """The index of words anew, of this column. `keys` are what else a person narrows by, as in 0002.

    The tokenizer `ascii` takes words apart at what is ASCII and no letter or digit, which is spaces only.
    """
    keys = (
        "replace(new.id || ' ' || new.user_id || ' ' || new.project_id "
        "|| ' xm' || replace(replace(new.model_id, '.', ''), '_', '') "
        "|| ' xp' || replace(replace(new.provider, '.', ''), '_', ''), '-', '') "
        "|| CASE new.stage WHEN 'ended' THEN ' x' || new.status ELSE '' END "
        "|| CASE WHEN new.favourite THEN ' xfavourite' ELSE '' END "
        "|| CASE new.kept WHEN 1 THEN ' xkept' WHEN 0 THEN ' xrejected' ELSE '' END"
    )
    _drop_words_of_sqlite()
    op.execute(
        "CREATE VIRTUAL TABLE generation_words USING fts5(generation_id UNINDEXED, prompt, keys, detail = column, "
        f"prefix = '1 2 3 4', tokenize = '{tokenizer}')"
    )
    op.execute("CREATE VIRTUAL TABLE generation_words_terms USING fts5vocab(generation_words, instance)")
    op.execute(
        "INSERT INTO generation_words (generation_id, prompt, keys) "  # noqa: S608 -- keys stand above
        f"SELECT id, {column}, {keys} FROM generations AS new ORDER BY id"
    )
    op.execute(
        "CREATE TRIGGER generation_words_insert AFTER INSERT ON generations BEGIN "  # noqa: S608 -- keys stand above
        f"INSERT INTO generation_words (generation_id, prompt, keys) VALUES (new.id, new.{column}, {keys}); END"
    )
    op.execute(
        "CREATE TRIGGER generation_words_change "  # noqa: S608 -- keys stand above
        "AFTER UPDATE OF project_id, stage, favourite, kept ON generations "
        "WHEN old.project_id IS NOT new.project_id OR (new.stage = 'ended') IS NOT (old.stage = 'ended') "
        "OR old.favourite IS NOT new.favourite OR old.kept IS NOT new.kept BEGIN "
        f"UPDATE generation_words SET keys = {keys} WHERE rowid = (SELECT rowid FROM generation_words "
        "WHERE generation_words MATCH 'keys : \"' || replace(new.id, '-', '') || '\"'); END"
    )


def _drop_words_of_sqlite() -> None:
    for what in ("TRIGGER generation_words_insert", "TRIGGER generation_words_change", "TABLE generation_words_terms"):
        op.execute(f"DROP {what}")
    op.execute("DROP TABLE generation_words")


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.drop_index("ix_generations_words", "generations")
        op.execute("CREATE INDEX ix_generations_words ON generations USING gin (to_tsvector('simple', prompt))")
    else:
        _words_of_sqlite(column="prompt", tokenizer="unicode61 remove_diacritics 2")
    op.drop_column("webhook_endpoints", "secret_key_id")
    op.drop_column("users", "search_key")
    op.drop_column("projects", "name_key")
    op.drop_column("generations", "prompt_words")
