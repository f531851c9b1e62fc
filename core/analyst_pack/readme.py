"""What the file README.md of a pack says to whoever opens it; in English, as its columns are."""

from collections.abc import Sequence
from datetime import datetime

from core.analyst_pack import description
from core.analyst_pack.asked import Asked

_HOW = """# Analyst pack

{what} {days} Made {at:%Y-%m-%d %H:%M:%S} UTC, of one snapshot: all files show the same moment. Its totals were compared
with the ledger and the accounts before it was handed out; `checks.json` has every figure of both, and the SHA-256 of
each file.

Money is in whole credits unless a column is named for another unit; 1 credit = Rp 50. Times are UTC. `dictionary.csv`
says what each column means.

    duckdb -c ".read queries/{query}"

| file | what |
|---|---|
{files}

## Queries

Each is for DuckDB, run in this folder:

{queries}
{pseudonyms}"""

_PSEUDONYMS = """
## Pseudonyms

People, workspaces, projects, clips and cost centres have pseudonyms: keyed hashes that are the same in every pack of
this kind from this installation, and that nobody without its secret key can make. Names, addresses, prompts and reasons
are left out. It is pseudonymous and not anonymous: times, prices and habits can still tell somebody who knows them.
"""


def text(asked: Asked, at: datetime, queries: Sequence[str]) -> str:
    """The whole file."""
    return _HOW.format(
        what="All workspaces of the installation." if asked.workspace_id is None else "One workspace.",
        days="Everything there is."
        if asked.since is None
        else f"From {asked.since} to {asked.until} (UTC, both included).",
        at=at,
        query=queries[0],
        files="\n".join(f"| `{each.name}.parquet` | {each.meaning} |" for each in description.TABLES),
        queries="\n".join(f"- `queries/{name}`" for name in queries),
        pseudonyms=_PSEUDONYMS if asked.is_pseudonymous else "",
    )
