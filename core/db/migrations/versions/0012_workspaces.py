"""Workspaces own what people owned: everybody gets a personal one, under their own id, and all that was theirs.

No row changes its meaning: `user_id` says who made a thing, `workspace_id` beside it whose it is. Account and
deliveries have their owner renamed. A million generations of 200 people, 3.6 GB, took 48 s of processor time on SQLite
(4.4 to 8.6 minutes by the clock, where twenty other processes shared two cores). It is one transaction: killed in
between, nothing has changed.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

from core import normal_form
from core.db import indexes

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.String(36)
_ADDED_TO = ("projects", "generations", "generation_tags", "webhook_endpoints")
_RENAMED_IN = ("accounts", "webhook_deliveries")
_REKEYED = ("uploads", "presets", "drafts", "usage_days")

_ENDED = "deleted_at IS NULL"
_INDEXES: tuple[tuple[str, str, tuple[str, ...], str | None], ...] = (
    ("ix_projects_{}_newest", "projects", ("updated_at", "id"), None),
    ("ix_generations_{}_newest", "generations", ("id",), None),
    ("ix_generations_live", "generations", ("id", "stage"), "stage <> 'ended'"),
    ("ix_generations_{}_model_ended", "generations", ("model_id", "ended_at"), None),
    ("ix_generations_recipe", "generations", ("recipe_hash", "id"), None),
    ("ix_generations_favourite", "generations", ("id",), f"favourite AND {_ENDED}"),
    ("ix_generations_judged", "generations", ("kept", "id"), f"kept IS NOT NULL AND {_ENDED}"),
    ("ix_generations_status", "generations", ("status", "id"), None),
    ("ix_generations_{}_model", "generations", ("model_id", "id"), None),
    ("ix_generations_{}_provider", "generations", ("provider", "id"), None),
    ("ix_generation_tags_of", "generation_tags", ("tag", "generation_id"), None),
    ("ix_usage_days_{}_day", "usage_days", ("day",), None),
)
"""Name, table, what follows the owner, and which rows; an owner's column leads each."""

_ROLES = ("ck_users_role_known", "role IN ('user', 'admin')", "role IN ('user', 'analyst', 'admin')")
_STORAGE = ("ck_users_storage_not_negative", "storage_bytes >= 0")


def upgrade() -> None:
    _make_workspaces()
    _drop_indexes("user")
    for name in _ADDED_TO:
        _add_owner(name)
    for name in _RENAMED_IN:
        _rename_owner(name, "user", "workspace")
    for name in _REKEYED:
        _add_owner(name)
        _rekey(name, adds=True)
    op.add_column("generations", sa.Column("token_id", _ID, nullable=True))
    _make_indexes("workspace")
    op.create_index("ix_webhook_endpoints_workspace_id", "webhook_endpoints", ["workspace_id"])
    indexes.create(op, "ix_generations_maker_newest", "generations", ["workspace_id", "user_id", "id"])  # type: ignore[arg-type]  # the module stands for its Operations
    _search_by("workspace_id")
    op.create_index("ix_projects_name", "projects", ["workspace_id", "name"])
    op.create_index("ix_users_name", "users", ["name"])
    _replace_check("users", _ROLES[0], _ROLES[1], _ROLES[2])
    _drop_check("users", *_STORAGE)
    for column in ("storage_bytes", "usage_version", "monthly_budget_credits"):
        op.drop_column("users", column)
    op.add_column("users", sa.Column("is_sample", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("merged_into_id", _ID, nullable=True))
    op.add_column("users", sa.Column("last_workspace_id", _ID, nullable=True))


def _make_workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("storage_bytes", sa.BigInteger(), nullable=False),
        sa.Column("usage_version", sa.BigInteger(), nullable=False),
        sa.Column("monthly_budget_credits", sa.BigInteger(), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('personal', 'team')", name=op.f("ck_workspaces_kind_known")),
        sa.CheckConstraint("storage_bytes >= 0", name=op.f("ck_workspaces_storage_not_negative")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_workspaces_name_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
    )
    op.create_index("ix_workspaces_name", "workspaces", ["name_key", "id"])
    op.create_table(
        "workspace_members",
        sa.Column("workspace_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'maker', 'manager')", name=op.f("ck_workspace_members_role_known")),
        sa.CheckConstraint("source IN ('manual', 'claims')", name=op.f("ck_workspace_members_source_known")),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_workspace_members_workspace_id_workspaces"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_workspace_members_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name=op.f("pk_workspace_members")),
    )
    op.create_index("ix_workspace_members_of", "workspace_members", ["user_id", "workspace_id"])
    op.execute(
        "INSERT INTO workspaces (id, kind, name, name_key, storage_bytes, usage_version, monthly_budget_credits, "
        "is_sample, created_at) SELECT id, 'personal', CASE name WHEN '' THEN substr(email, 1, 120) ELSE name END, '', "
        "storage_bytes, usage_version, monthly_budget_credits, false, created_at FROM users"
    )
    op.execute(
        "INSERT INTO workspace_members (workspace_id, user_id, role, source, created_at) "
        "SELECT id, id, 'manager', 'manual', created_at FROM users"
    )
    bind, rows = op.get_bind(), sa.table("workspaces", sa.column("id"), sa.column("name"), sa.column("name_key"))
    changed = sa.update(rows).where(rows.c.id == sa.bindparam("row")).values(name_key=sa.bindparam("key"))
    found = [
        {"row": row.id, "key": normal_form.normal(row.name)} for row in bind.execute(sa.select(rows.c.id, rows.c.name))
    ]
    if found:
        bind.execute(changed, found)


def _add_owner(table: str) -> None:
    """A column of the workspace, filled with the person's own, whose id it has."""
    name = f"fk_{table}_workspace_id_workspaces"
    if _is_sqlite():
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN workspace_id VARCHAR(36) CONSTRAINT {name} REFERENCES workspaces (id)"
        )
    else:
        op.add_column(table, sa.Column("workspace_id", _ID, nullable=True))
    op.execute(f"UPDATE {table} SET workspace_id = user_id")  # noqa: S608 -- names stand above
    if _is_sqlite():
        _edit(table, ("workspace_id VARCHAR(36) CONSTRAINT", "workspace_id VARCHAR(36) NOT NULL CONSTRAINT"))
        return
    op.create_foreign_key(op.f(name), table, "workspaces", ["workspace_id"], ["id"], postgresql_not_valid=True)
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    op.alter_column(table, "workspace_id", nullable=False)


def _drop_owner(table: str) -> None:
    if _is_sqlite():
        written = f"CONSTRAINT fk_{table}_workspace_id_workspaces REFERENCES workspaces (id)"
        _edit(table, (f"workspace_id VARCHAR(36) NOT NULL {written}", "workspace_id VARCHAR(36)"))
    op.drop_column(table, "workspace_id")


def _rename_owner(table: str, old: str, new: str) -> None:
    """Ids stay: a personal workspace has its person's."""
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {old}_id TO {new}_id")
    unique = ("uq_accounts_{}_id",) if table == "accounts" else ()
    if _is_sqlite():
        _edit(
            table,
            (f"fk_{table}_{old}_id_{old}s", f"fk_{table}_{new}_id_{new}s"),
            (f"REFERENCES {old}s (id)", f"REFERENCES {new}s (id)"),
            *((each.format(old), each.format(new)) for each in unique),
        )
        return
    op.drop_constraint(op.f(f"fk_{table}_{old}_id_{old}s"), table, type_="foreignkey")
    op.create_foreign_key(
        op.f(f"fk_{table}_{new}_id_{new}s"), table, f"{new}s", [f"{new}_id"], ["id"], ondelete="RESTRICT"
    )
    for each in unique:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {each.format(old)} TO {each.format(new)}")


_KEYS = {
    "uploads": ("uq", ("original_sha256",)),
    "presets": ("uq", ("name",)),
    "drafts": ("pk", ("form",)),
    "usage_days": ("pk", ("project_id", "provider", "model_id")),
}


def _rekey(table: str, *, adds: bool) -> None:
    """What is unique in a table is so within a workspace; none of these is large, and nothing points to them."""
    kind = _KEYS[table][0]
    (old, old_columns), (new, new_columns) = (_key_of(table, with_workspace=on) for on in (not adds, adds))
    if table == "presets":
        op.drop_index("ix_presets_shared", "presets")
    if _is_sqlite():
        word = {"uq": "UNIQUE", "pk": "PRIMARY KEY"}[kind]
        _rebuild(table, f"{old} {word} ({', '.join(old_columns)})", f"{new} {word} ({', '.join(new_columns)})")
    elif kind == "uq":
        op.drop_constraint(op.f(old), table, type_="unique")
        op.create_unique_constraint(op.f(new), table, list(new_columns))
    else:
        op.drop_constraint(op.f(old), table, type_="primary")
        op.create_primary_key(op.f(new), table, list(new_columns))
    if table == "presets":
        op.create_index(
            "ix_presets_shared",
            "presets",
            ["workspace_id", "name"] if adds else ["name"],
            sqlite_where=sa.text("shared"),
            postgresql_where=sa.text("shared"),
        )


def _rebuild(table: str, old: str, new: str) -> None:
    """The table anew with another key, which is the one thing that SQLite keeps in an index of its own making."""
    bind = op.get_bind()
    written = str(bind.scalar(sa.text("SELECT sql FROM sqlite_schema WHERE name = :name"), {"name": table}))
    if old not in written:
        raise RuntimeError(f"the table {table} has no '{old}'")
    columns = ", ".join(row.name for row in bind.execute(sa.text(f"PRAGMA table_info({table})")))
    op.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
    op.execute(written.replace(old, new))
    op.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}_before")  # noqa: S608 -- names stand above
    op.execute(f"DROP TABLE {table}_before")


def _key_of(table: str, *, with_workspace: bool) -> tuple[str, tuple[str, ...]]:
    """The name of what is unique in a table, and its columns."""
    kind, rest = _KEYS[table]
    owner = {
        "uploads": ("workspace_id",),
        "presets": ("workspace_id", "user_id"),
        "drafts": ("user_id", "workspace_id"),
        "usage_days": ("workspace_id", "user_id"),
    }[table]
    columns = (*(owner if with_workspace else ("user_id",)), *rest)
    if table == "usage_days":
        columns = ("day", *columns)
    return (f"uq_{table}_{'_'.join(columns)}" if kind == "uq" else f"pk_{table}", columns)


def _drop_indexes(owner: str) -> None:
    for name, table, _columns, _where in _INDEXES:
        op.drop_index(name.format(owner), table)


def _make_indexes(owner: str) -> None:
    for name, table, columns, where in _INDEXES:
        if table == "generations":
            indexes.create(op, name.format(owner), table, [f"{owner}_id", *columns], where=where)  # type: ignore[arg-type]  # same
        else:
            op.create_index(name.format(owner), table, [f"{owner}_id", *columns])


_MAKER = " || ' xu' || new.user_id"
"""The maker as one word of the index, with the letter of its kind before it, as models have theirs."""


def _search_by(owner: str) -> None:
    """The index of words knows workspaces where it knew people, and makers beside them.

    Ids of personal workspaces are their people's, so what is in it holds. What is in it lacks the maker, who is asked
    for only where it is somebody else than whom the workspace belongs to (`core.generations.queries`).
    """
    if not _is_sqlite():
        return
    bind = op.get_bind()
    for name in ("generation_words_insert", "generation_words_change"):
        written = str(bind.scalar(sa.text("SELECT sql FROM sqlite_schema WHERE name = :name"), {"name": name}))
        op.execute(f"DROP TRIGGER {name}")
        if owner == "workspace_id":
            written = written.replace("new.user_id", "new.workspace_id")
            written = written.replace("|| new.project_id", f"|| new.project_id{_MAKER}")
            written = written.replace("UPDATE OF project_id,", "UPDATE OF workspace_id, project_id,")
            written = written.replace(
                "WHEN old.project_id IS", "WHEN old.workspace_id IS NOT new.workspace_id OR old.project_id IS"
            )
        else:
            written = written.replace("old.workspace_id IS NOT new.workspace_id OR ", "")
            written = written.replace("UPDATE OF workspace_id, project_id,", "UPDATE OF project_id,")
            written = written.replace(_MAKER, "").replace("new.workspace_id", "new.user_id")
        op.execute(written)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _replace_check(table: str, name: str, old: str, new: str) -> None:
    if _is_sqlite():
        _edit(table, (f"{name} CHECK ({old})", f"{name} CHECK ({new})"))
        return
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, new)


def _drop_check(table: str, name: str, written: str) -> None:
    if _is_sqlite():
        _edit(table, (f"CONSTRAINT {name} CHECK ({written}), \n\t", ""))
        return
    op.drop_constraint(op.f(name), table, type_="check")


def _edit(table: str, *changes: tuple[str, str]) -> None:
    """SQLite has no ALTER for constraints; this changes no row, and is what its documentation says to do for them.

    https://www.sqlite.org/lang_altertable.html, "changing CHECK or FOREIGN KEY or NOT NULL constraints".
    """
    connection = op.get_bind()
    written = str(connection.scalar(sa.text("SELECT sql FROM sqlite_schema WHERE name = :name"), {"name": table}))
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    for old, new in changes:
        if old not in written:
            raise RuntimeError(f"the table {table} has no '{old}'")
        written = written.replace(old, new)
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = :name"),
        {"sql": written, "name": table},
    )
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))


def downgrade() -> None:
    """Back to people as owners; refused while a team owns anything, for then it would be nobody's."""
    bind = op.get_bind()
    if bind.scalar(sa.text("SELECT count(*) FROM workspaces WHERE kind <> 'personal'")):
        raise RuntimeError("there are teams, whose things the version before cannot keep")
    for column in ("last_workspace_id", "merged_into_id", "deactivated_at", "is_sample"):
        op.drop_column("users", column)
    op.add_column("users", sa.Column("storage_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("users", sa.Column("usage_version", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("users", sa.Column("monthly_budget_credits", sa.BigInteger(), nullable=True))
    columns: Iterable[str] = ("storage_bytes", "usage_version", "monthly_budget_credits")
    for column in columns:
        op.execute(
            f"UPDATE users SET {column} = (SELECT {column} FROM workspaces WHERE workspaces.id = users.id)"  # noqa: S608
        )
    op.execute("UPDATE users SET role = 'user' WHERE role = 'analyst'")
    _replace_check("users", _ROLES[0], _ROLES[2], _ROLES[1])
    if _is_sqlite():
        unique = "CONSTRAINT uq_users_email UNIQUE"
        _edit("users", (unique, f"CONSTRAINT {_STORAGE[0]} CHECK ({_STORAGE[1]}), \n\t{unique}"))
    else:
        op.create_check_constraint(op.f(_STORAGE[0]), "users", _STORAGE[1])
    _search_by("user_id")
    op.drop_index("ix_users_name", "users")
    op.drop_index("ix_projects_name", "projects")
    op.drop_index("ix_generations_maker_newest", "generations", if_exists=True)
    op.drop_index("ix_webhook_endpoints_workspace_id", "webhook_endpoints")
    for name, table, _columns, _where in _INDEXES:
        op.drop_index(name.format("workspace"), table, if_exists=True)
    op.drop_column("generations", "token_id")
    for name in _REKEYED:
        _rekey(name, adds=False)
        _drop_owner(name)
    for name in _RENAMED_IN:
        _rename_owner(name, "workspace", "user")
    for name in _ADDED_TO:
        _drop_owner(name)
    for name, table, columns_, where in _INDEXES:
        op.create_index(
            name.format("user"),
            table,
            ["user_id", *columns_],
            sqlite_where=None if where is None else sa.text(where),
            postgresql_where=None if where is None else sa.text(where),
        )
    op.drop_table("workspace_members")
    op.drop_table("workspaces")
