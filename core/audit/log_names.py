"""What erasing a person has to know of the log of administrative acts: whose addresses, and whether they may go.

Names in entries are replaced by `core.personal_data.scanning`, which the database allows while somebody is erased.
"""

from sqlalchemy import func, select

from core.audit_log import Act
from core.db import ReadSession
from core.db.tables import AuditLogEntry

TABLE = AuditLogEntry.__tablename__


def may_change(session: ReadSession) -> bool:
    """Whether this database role may change names in entries at all."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    return session.scalar(select(func.has_table_privilege(TABLE, "UPDATE"))) is True


def former_addresses(session: ReadSession, user_id: str) -> set[str]:
    """The addresses that a person had, as far as entries tell."""
    changed = select(AuditLogEntry.before, AuditLogEntry.after).where(
        AuditLogEntry.target_id == user_id, AuditLogEntry.action == Act.PERSON_ADDRESS_CHANGED.value
    )
    values = (value for row in session.execute(changed) for said in row for value in (said or {}).values())
    return {value for value in values if isinstance(value, str) and "@" in value}
