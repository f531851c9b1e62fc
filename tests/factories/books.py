"""The audit, as a test asks it: which rules of the books are broken."""

from core import db
from core.audit import runs
from core.db import Database


def broken_rules(database: Database | None = None) -> list[str]:
    """Codes of the rules that do not hold, in the installation's own database unless another one is given."""
    with (database or db.default()).read_session() as session:
        return [result.code for result in runs.run(session) if not result.holds]
