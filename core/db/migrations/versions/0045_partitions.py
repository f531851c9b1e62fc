"""What grows for ever lies in a part a month on PostgreSQL: the timeline, the deliveries and the audit log.

No row is written anew. The table as it is becomes the part for all that was before a month (`<table>_before_YYYY_MM`) of
a new table of its name, with all that stood on it: indexes, references, triggers and grants. `core.db.months` makes the
months that follow. SQLite keeps the tables as they are.
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

oldest_head = "0037"

_MONTH = "date_trunc('month', (now() AT TIME ZONE 'UTC') + interval '{}') + interval '1 month'"
_MOMENT = "to_char(upto, 'YYYY-MM-DD') || ' 00:00:00+00'"
_ID = (
    "regexp_replace(lpad(to_hex((extract(epoch FROM upto) * 1000)::bigint), 12, '0'), '(.{8})(.{4})', '\\1-\\2') "
    "|| '-0000-0000-000000000000'"
)
"""The lowest id of a moment (UUID version 7): ids are compared as text."""
_KEYS = {
    "generation_events": ("at", _MOMENT),
    "webhook_deliveries": ("id", _ID),
    "audit_log": ("at", _MOMENT),
}
"""What says to which month a row belongs, and how a month's beginning (`upto`, UTC) is written there."""

_LARGE_BYTES = 64 * 1024 * 1024
"""A table beyond it is looked through beforehand, while everything goes on, and not under the lock of the migration."""

_COLLECT = """
    SELECT coalesce(array_agg(format('ALTER TABLE {table} ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))), '{{}}')
      INTO references_ FROM pg_constraint WHERE conrelid = was AND contype = 'f' AND conparentid = 0;
    SELECT coalesce(array_agg(replace(pg_get_indexdef(oid), ' ON ONLY ', ' ON ')), '{{}}'), coalesce(array_agg(relname), '{{}}')
      INTO indexes_, names_
      FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indrelid = was AND NOT indisprimary;
    SELECT coalesce(array_agg(pg_get_triggerdef(oid)), '{{}}'), coalesce(array_agg(tgname::text), '{{}}')
      INTO triggers_, triggered_ FROM pg_trigger WHERE tgrelid = was AND NOT tgisinternal;
    SELECT coalesce(array_agg(format('GRANT %s ON {table} TO %s%s', privilege_type,
               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
               CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)), '{{}}')
      INTO grants_ FROM pg_class, aclexplode(relacl) WHERE oid = was AND grantee <> relowner;
    SELECT pg_get_userbyid(relowner) INTO owner_ FROM pg_class WHERE oid = was;
    SELECT pg_get_serial_sequence('{table}', 'id') INTO sequence_;
"""
"""What stands on a table, as statements that make it again."""

_DECLARED = """
    was regclass := to_regclass('{table}');
    references_ text[]; indexes_ text[]; names_ text[]; triggers_ text[]; triggered_ text[]; grants_ text[];
    owner_ name; sequence_ text; statement text; role_ text;
"""

_TAKE_BACK = """
    FOR role_ IN SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
                   FROM pg_class, aclexplode(relacl) WHERE oid = '{table}'::regclass AND grantee <> relowner LOOP
        EXECUTE format('REVOKE ALL ON {table} FROM %s', role_);
    END LOOP;
"""
"""What default privileges have granted on a new table: who may what on the old one may the same on the new, no more."""

_READ_BY_VIEWS = """
    SELECT string_agg(DISTINCT r.ev_class::regclass::text, ', ') INTO statement
      FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
     WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = was;
    IF statement IS NOT NULL THEN
        RAISE EXCEPTION 'the view % reads {table}, which becomes another table: drop the view, migrate, make it again', statement;
    END IF;
"""


def _prepared(table: str) -> tuple[str, str]:
    """Statements, each a transaction, after which the rows of a large table are known to fit before a month.

    What is written meanwhile has to fit as well, so that month is far enough away for whoever is stopped in between.
    """
    column, written = _KEYS[table]
    large = f"to_regclass('{table}') IS NOT NULL AND pg_relation_size(to_regclass('{table}')) > {_LARGE_BYTES}"
    of_ours = f"conrelid = to_regclass('{table}') AND conname ~ '^before_[0-9]{{4}}_[0-9]{{2}}$'"
    return (
        f"""DO $$ DECLARE upto timestamp := {_MONTH.format("92 days")}; made name; BEGIN
        IF {large} AND (SELECT relkind FROM pg_class WHERE oid = to_regclass('{table}')) = 'r' THEN
            FOR made IN SELECT conname FROM pg_constraint WHERE {of_ours} LOOP
                EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', made);
            END LOOP;
            EXECUTE format('ALTER TABLE {table} ADD CONSTRAINT %I CHECK ({column} < %L) NOT VALID',
                'before_' || to_char(upto, 'YYYY_MM'), {written});
        END IF; END $$""",
        f"""DO $$ DECLARE made name; BEGIN
        SELECT conname INTO made FROM pg_constraint WHERE {of_ours} AND NOT convalidated;
        IF made IS NOT NULL THEN
            BEGIN
                EXECUTE format('ALTER TABLE {table} VALIDATE CONSTRAINT %I', made);
            EXCEPTION WHEN check_violation THEN
                EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', made);
            END;
        END IF; END $$""",
    )


before = tuple(statement for table in _KEYS for statement in _prepared(table))
"""What `migrate` runs on PostgreSQL before this migration, each by itself."""


def _parted(table: str) -> str:
    column, written = _KEYS[table]
    return f"""DO $$ DECLARE {_DECLARED.format(table=table)}
        upto timestamp; prepared name; part name; bound text;
    BEGIN
    {_READ_BY_VIEWS.format(table=table)}
    SELECT min(conname) INTO prepared FROM pg_constraint
     WHERE conrelid = was AND convalidated AND conname ~ '^before_[0-9]{{4}}_[0-9]{{2}}$';
    upto := coalesce(to_timestamp(substr(prepared, 8), 'YYYY_MM') AT TIME ZONE current_setting('TimeZone'),
        {_MONTH.format("1 day")});
    part := '{table}_before_' || to_char(upto, 'YYYY_MM');
    bound := {written};
    {_COLLECT.format(table=table)}
    EXECUTE format('ALTER TABLE {table} RENAME TO %I', part);
    FOREACH statement IN ARRAY names_ LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', statement, statement || '_before');
    END LOOP;
    FOREACH statement IN ARRAY triggered_ LOOP
        EXECUTE format('DROP TRIGGER %I ON %I', statement, part);
    END LOOP;
    EXECUTE format('CREATE TABLE {table} (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)'
        ' PARTITION BY RANGE ({column})', part);
    EXECUTE format('ALTER TABLE {table} OWNER TO %I', owner_);
    IF prepared IS NOT NULL THEN
        EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', prepared);
    END IF;
    {_TAKE_BACK.format(table=table)}
    FOREACH statement IN ARRAY references_ || indexes_ LOOP EXECUTE statement; END LOOP;
    CREATE TABLE {table}_other PARTITION OF {table} (PRIMARY KEY (id)) DEFAULT;
    EXECUTE format('ALTER TABLE {table}_other OWNER TO %I', owner_);
    {_TAKE_BACK.format(table=f"{table}_other")}
    IF prepared IS NULL THEN
        EXECUTE format('WITH late AS (DELETE FROM %I WHERE {column} >= %L RETURNING *) INSERT INTO {table} SELECT * FROM late',
            part, bound);
    END IF;
    EXECUTE format('ALTER TABLE {table} ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', part, bound);
    IF prepared IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', part, prepared);
    END IF;
    FOREACH statement IN ARRAY triggers_ || grants_ LOOP EXECUTE statement; END LOOP;
    IF sequence_ IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s OWNED BY {table}.id', sequence_);
    END IF;
    END $$"""


def _whole(table: str) -> str:
    return f"""DO $$ DECLARE {_DECLARED.format(table=table)} BEGIN
    {_READ_BY_VIEWS.format(table=table)}
    {_COLLECT.format(table=table)}
    CREATE TABLE {table}_whole (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE);
    IF sequence_ IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s OWNED BY {table}_whole.id', sequence_);
    END IF;
    INSERT INTO {table}_whole SELECT * FROM {table};
    DROP TABLE {table};
    ALTER TABLE {table}_whole RENAME TO {table};
    EXECUTE format('ALTER TABLE {table} OWNER TO %I', owner_);
    {_TAKE_BACK.format(table=table)}
    ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (id);
    FOREACH statement IN ARRAY references_ || indexes_ || triggers_ || grants_ LOOP EXECUTE statement; END LOOP;
    END $$"""


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for table in _KEYS:
            op.execute(_parted(table))


def downgrade() -> None:
    """Every row is written anew, while the tables are locked."""
    if op.get_context().dialect.name == "postgresql":
        for table in _KEYS:
            op.execute(_whole(table))
