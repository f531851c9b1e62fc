"""Migrations keep nobody from writing, can be written as SQL, and say which older code works on what they make."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import Script

from core.db import migrating, migration_sql, schema
from core.worker import filling_in

ROOT = Path(__file__).parents[2]
BEFORE = "0037"
"""What came up to here is as it is; rules hold for what comes after."""


def since() -> list[Script]:
    """The migrations that the rules hold for."""
    return migrating.pending(BEFORE)


def squawk(sql: str) -> "subprocess.CompletedProcess[str]":
    """What squawk finds in SQL."""
    program = Path(sys.executable).with_name("squawk")
    return subprocess.run(
        [program, "--config", ROOT / ".squawk.toml", "--reporter", "gcc", "--stdin-filepath", "migrations.sql"],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )


def test_migrations_keep_nobody_waiting() -> None:
    """Squawk finds nothing in the SQL of new migrations. What helps: core/db/indexes.py and constraints.py."""
    found = squawk("\n".join(migration_sql.write(BEFORE)))

    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE INDEX ix_t ON generations (id);", "require-concurrent-index-creation"),
        ("ALTER TABLE generations ADD CONSTRAINT c CHECK (credits > 0);", "constraint-missing-not-valid"),
        ("ALTER TABLE generations ALTER COLUMN prompt SET NOT NULL;", "adding-not-nullable-field"),
        ("ALTER TABLE generations RENAME COLUMN prompt TO words;", "renaming-column"),
        ("ALTER TABLE generations ALTER COLUMN credits TYPE bigint;", "changing-column-type"),
    ],
)
def test_squawk_when_a_migration_is_bad(statement: str, rule: str) -> None:
    """It is really asked, and knows what would keep people waiting or break older code."""
    found = squawk(f"SET lock_timeout = '3s';\nBEGIN;\n{statement}\nCOMMIT;\n")

    assert found.returncode != 0
    assert rule in found.stdout, found.stdout


def test_migrations_make_promises() -> None:
    """Each says from which head on older code works on its schema: one that there is, and not a later one."""
    known = schema.revisions()
    for script in since():
        said = getattr(script.module, "oldest_head", None)
        assert said in known, f"{script.path}: `oldest_head` is missing, or is no revision: see CONTRIBUTING"
        assert said <= script.revision, script.path


def test_backfills_are_begun_and_known() -> None:
    """What a migration needs to be filled in was begun by an earlier one, and this version can do it."""
    begun = set[str]()
    for script in since():
        needed = set(getattr(script.module, "needs_backfills", ()))
        assert needed <= begun, f"{script.path} needs {needed - begun}, which no migration before it begins"
        assert filling_in.are_known(needed), f"{script.path} needs {needed}: not all are in core/worker/filling_in.py"
        text = Path(script.path).read_text(encoding="utf-8")
        begun |= set(re.findall(r'backfills\.begin\(op, "(\w+)"', text))


def test_migrations_make_indexes_afterwards() -> None:
    """Indexes of tables that were there before are made by core/db/indexes.py, on PostgreSQL while all goes on."""
    for script in since():
        text = Path(script.path).read_text(encoding="utf-8")
        made = set(re.findall(r'create_table\(\s*"(\w+)"', text))
        indexed = re.findall(r'op\.create_index\(\s*"\w+",\s*"(\w+)"', text)
        assert set(indexed) <= made, f"{script.path} makes an index of {set(indexed) - made}: use indexes.create"


def test_sql_of_migrations_that_read() -> None:
    """What cannot be written down says so, names the migrations, and from where on it can be."""
    for found in (None, "0001"):
        with pytest.raises(migration_sql.Unwritable, match=r"to 0036 look at what is there.*from 0036 on"):
            migration_sql.write(found)
    with pytest.raises(migration_sql.Unwritable, match="no schema 9999"):
        migration_sql.write("9999")
    lines = "\n".join(migration_sql.write(migration_sql.FIRST))
    assert lines.count("UPDATE alembic_version") == len(migrating.pending(migration_sql.FIRST))
