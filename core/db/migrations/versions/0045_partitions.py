"""Partitions what grows for ever by month on PostgreSQL: the timeline, the deliveries and the audit log.

No row is written anew. The table as it is becomes the partition of all that was before a month, which is called
`<table>_before_YYYY_MM`, of a partitioned table of its name that has all that stood on it: indexes, references,
triggers and grants. The months that follow are made by `core.db.partitions`. SQLite keeps the tables as they are.
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

oldest_head = "0037"

_MOMENT = "to_char(upto, 'YYYY-MM-DD') || ' 00:00:00+00'"
_LOWEST_ID = (
    "regexp_replace(lpad(to_hex((extract(epoch FROM upto) * 1000)::bigint), 12, '0'), '(.{8})(.{4})', '\\1-\\2') "
    "|| '-0000-0000-000000000000'"
)
"""Of a moment: ids are UUIDs of version 7, and are compared as text."""
_KEYS = {
    "generation_events": ("at", _MOMENT),
    "webhook_deliveries": ("id", _LOWEST_ID),
    "audit_log": ("at", _MOMENT),
}
"""The column that says to which month a row belongs, and how the beginning of one (`upto`, UTC) is written there."""

_LOOKED_THROUGH = """DO $$ DECLARE
    upto timestamp := date_trunc('month', (now() AT TIME ZONE 'UTC') + interval '92 days') + interval '1 month';
    made name;
BEGIN
    IF (SELECT relkind = 'r' AND pg_relation_size(oid) > 64 * 1024 * 1024 FROM pg_class
         WHERE oid = to_regclass('<table>')) THEN
        FOR made IN SELECT conname FROM pg_constraint
                     WHERE conrelid = to_regclass('<table>') AND conname ~ '^before_[0-9]{4}_[0-9]{2}$' LOOP
            EXECUTE format('ALTER TABLE <table> DROP CONSTRAINT %I', made);
        END LOOP;
        EXECUTE format('ALTER TABLE <table> ADD CONSTRAINT %I CHECK (<column> < %L) NOT VALID',
            'before_' || to_char(upto, 'YYYY_MM'), <bound>);
    END IF;
END $$"""
"""A large table is looked through while everything goes on, not under the lock of the migration.

What is written meanwhile has to lie before that month as well, which is far enough away for whoever is stopped then.
"""
_FOUND_RIGHT = """DO $$ DECLARE made name; BEGIN
    SELECT conname INTO made FROM pg_constraint
     WHERE conrelid = to_regclass('<table>') AND conname ~ '^before_[0-9]{4}_[0-9]{2}$' AND NOT convalidated;
    IF made IS NOT NULL THEN
        BEGIN
            EXECUTE format('ALTER TABLE <table> VALIDATE CONSTRAINT %I', made);
        EXCEPTION WHEN check_violation THEN
            EXECUTE format('ALTER TABLE <table> DROP CONSTRAINT %I', made);
        END;
    END IF;
END $$"""

_DECLARED = """
    was regclass := to_regclass('<table>');
    references_ text[]; indexes_ text[]; names_ text[]; triggers_ text[]; triggered_ text[]; grants_ text[];
    owner_ name; sequence_ text; each text;
"""
_COLLECTED = """
    FOR each IN SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE conrelid = was AND contype = 'f' LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', each);
    END LOOP;
    LOCK TABLE <table> IN ACCESS EXCLUSIVE MODE;
    SELECT string_agg(DISTINCT r.ev_class::regclass::text, ', ') INTO each
      FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
     WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = was;
    IF each IS NOT NULL THEN
        RAISE EXCEPTION 'the view % reads <table>, which becomes another table: drop it, migrate, make it again', each;
    END IF;
    SELECT coalesce(array_agg(format('ALTER TABLE <table> ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))),
                    '{}')
      INTO references_ FROM pg_constraint WHERE conrelid = was AND contype = 'f' AND conparentid = 0;
    SELECT coalesce(array_agg(replace(pg_get_indexdef(oid), ' ON ONLY ', ' ON ')), '{}'),
           coalesce(array_agg(relname), '{}')
      INTO indexes_, names_
      FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indrelid = was AND NOT indisprimary;
    SELECT coalesce(array_agg(pg_get_triggerdef(oid)), '{}'), coalesce(array_agg(tgname::text), '{}')
      INTO triggers_, triggered_ FROM pg_trigger WHERE tgrelid = was AND NOT tgisinternal;
    SELECT coalesce(array_agg(format('GRANT %s ON <table> TO %s%s', privilege_type,
               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
               CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)), '{}')
      INTO grants_ FROM pg_class, aclexplode(relacl) WHERE oid = was AND grantee <> relowner;
    SELECT pg_get_userbyid(relowner), pg_get_serial_sequence('<table>', 'id') INTO owner_, sequence_
      FROM pg_class WHERE oid = was;
"""
"""What stands on a table, as statements that make it again; no view may, since it would stay with the old table.

Locks are taken in the order in which a move takes them: first what is referred to.
"""
_ONLY_OWNERS = """
    EXECUTE format('ALTER TABLE <table> OWNER TO %I', owner_);
    FOR each IN SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
                  FROM pg_class, aclexplode(relacl) WHERE oid = '<table>'::regclass AND grantee <> relowner LOOP
        EXECUTE format('REVOKE ALL ON <table> FROM %s', each);
    END LOOP;
"""
"""Takes back what default privileges have granted on a new table: nobody shall be allowed more than before."""

_PARTITIONED = """DO $$ DECLARE <declared> upto timestamp; checked name; earlier name; bound text; BEGIN
    <collected>
    SELECT min(conname) INTO checked FROM pg_constraint
     WHERE conrelid = was AND convalidated AND conname ~ '^before_[0-9]{4}_[0-9]{2}$';
    upto := coalesce(to_timestamp(substr(checked, 8), 'YYYY_MM') AT TIME ZONE current_setting('TimeZone'),
        date_trunc('month', (now() AT TIME ZONE 'UTC') + interval '1 day') + interval '1 month');
    earlier := '<table>_before_' || to_char(upto, 'YYYY_MM');
    bound := <bound>;
    EXECUTE format('ALTER TABLE <table> RENAME TO %I', earlier);
    FOREACH each IN ARRAY names_ LOOP EXECUTE format('ALTER INDEX %I RENAME TO %I', each, each || '_before'); END LOOP;
    FOREACH each IN ARRAY triggered_ LOOP EXECUTE format('DROP TRIGGER %I ON %I', each, earlier); END LOOP;
    EXECUTE format('CREATE TABLE <table> (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)'
        ' PARTITION BY RANGE (<column>)', earlier);
    IF checked IS NOT NULL THEN
        EXECUTE format('ALTER TABLE <table> DROP CONSTRAINT %I', checked);
    END IF;
    <only owners>
    FOREACH each IN ARRAY references_ || indexes_ LOOP EXECUTE each; END LOOP;
    CREATE TABLE <table>_other PARTITION OF <table> (PRIMARY KEY (id)) DEFAULT;
    <only owners of other>
    IF checked IS NULL THEN
        EXECUTE format('WITH late AS (DELETE FROM %I WHERE <column> >= %L RETURNING *)'
            ' INSERT INTO <table> SELECT * FROM late', earlier, bound);
    END IF;
    EXECUTE format('ALTER TABLE <table> ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', earlier, bound);
    IF checked IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', earlier, checked);
    END IF;
    FOREACH each IN ARRAY triggers_ || grants_ LOOP EXECUTE each; END LOOP;
    IF sequence_ IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s OWNED BY <table>.id', sequence_);
    END IF;
END $$"""

_PUT_TOGETHER = """DO $$ DECLARE <declared> BEGIN
    <collected>
    CREATE TABLE <table>_whole (LIKE <table> INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE);
    IF sequence_ IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s OWNED BY <table>_whole.id', sequence_);
    END IF;
    INSERT INTO <table>_whole SELECT * FROM <table>;
    DROP TABLE <table>;
    ALTER TABLE <table>_whole RENAME TO <table>;
    <only owners>
    ALTER TABLE <table> ADD CONSTRAINT pk_<table> PRIMARY KEY (id);
    FOREACH each IN ARRAY references_ || indexes_ || triggers_ || grants_ LOOP EXECUTE each; END LOOP;
END $$"""


_PARTS = {
    "<declared>": _DECLARED,
    "<collected>": _COLLECTED,
    "<only owners>": _ONLY_OWNERS,
    "<only owners of other>": _ONLY_OWNERS.replace("<table>", "<table>_other"),
}


def _of(table: str, statement: str) -> str:
    column, bound = _KEYS[table]
    for name, value in {**_PARTS, "<table>": table, "<column>": column, "<bound>": bound}.items():
        statement = statement.replace(name, value)
    return statement


before = tuple(_of(table, statement) for table in _KEYS for statement in (_LOOKED_THROUGH, _FOUND_RIGHT))
"""What `migrate` runs on PostgreSQL before this migration, each by itself."""


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for table in _KEYS:
            op.execute(_of(table, _PARTITIONED))


def downgrade() -> None:
    """Every row is written anew, while the tables are locked."""
    if op.get_context().dialect.name == "postgresql":
        for table in _KEYS:
            op.execute(_of(table, _PUT_TOGETHER))
