"""What a scheduled view of usage says in a mail and to a webhook; pure."""

import json
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from core.config import API_PATH
from core.db.tables import NoticeSend
from core.messages import Writer, message
from core.notifications.mail import Attachment, Mail
from core.notifications.report_issues import Report


def mail(found: Report, writer: Writer, public_url: str, *, send: NoticeSend, to: str) -> Mail:
    """A mail with the file, or with the way to it."""
    link = address(found, public_url)
    file = None
    if found.data is not None:
        file = Attachment(found.file_name, "text/csv", {"charset": "utf-8"}, found.data)
    return Mail(
        id=send.id,
        to=to,
        subject=writer.write(found.title),
        lines=(writer.write(found.title), writer.write(found.body)),
        links=((writer.write(message("notice_open")), link),) if link else (),
        footer=writer.write(message("notice_report_why")),
        written_at=send.created_at,
        attachment=file,
    )


def webhook(found: Report, writer: Writer, public_url: str, *, notice_id: str, written_at: datetime) -> str:
    """The JSON of a webhook; `csv` is the file as text, null where it is too large, and `links` lead to the same."""
    api = f"{urlsplit(public_url).path}{API_PATH}"
    data = {
        "id": notice_id,
        "kind": "report",
        "title": writer.write(found.title),
        "body": writer.write(found.body),
        "workspaceId": found.workspace_id,
        "viewId": found.view_id,
        "scheduleId": found.schedule_id,
        "period": found.period,
        "since": found.days.since.isoformat(),
        "until": found.days.until.isoformat(),
        "url": address(found, public_url),
        "links": {"csv": f"{api}/usage/explore?{urlencode(found.query)}"},
        "fileName": found.file_name,
        "csv": None if found.data is None else found.data.decode(),
    }
    moment = written_at.isoformat().replace("+00:00", "Z")
    return json.dumps({"type": "report", "timestamp": moment, "data": data}, ensure_ascii=False, separators=(",", ":"))


def address(found: Report, public_url: str) -> str | None:
    """The page that shows it; None where nobody knows this installation's address."""
    return f"{public_url}/usage?{urlencode(found.address)}" if public_url else None
