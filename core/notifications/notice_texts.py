"""What a message to a person says: subject, lines, prompts where their workspace lets them out, and where it leads.

Asked in a unit of work of its own just before it is sent; what its person may no longer be told is left out then.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import or_, select

from core.db import ReadSession
from core.db.enums import NoticeAudience, NoticeKind
from core.db.tables import Generation, Notice, NoticeSend, User, Workspace
from core.messages import Message, Writer, message
from core.notifications.entitled import may_be_told

PROMPT_CHARS = 300
MOST_IN_DIGEST = 200

_PAGES = {
    NoticeKind.BALANCE_LOW: "credits",
    NoticeKind.CREDITS_ADDED: "credits",
    NoticeKind.BUDGET: "usage",
    NoticeKind.CLIPS_LEAVE: "history",
    NoticeKind.MODEL_ENDS: "generate",
    NoticeKind.APPROVAL_ASKED: "approvals",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One notice within a message."""

    id: str
    kind: NoticeKind
    title: Message
    body: Message | None
    prompt: str | None
    path: str
    workspace_id: str | None
    generation_id: str | None
    clip_count: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole message before it takes the form of its way; `language` None is English."""

    to: str
    language: str | None
    items: Sequence[Item]

    @property
    def subject(self) -> Message:
        """What it is about."""
        if len(self.items) == 1:
            return self.items[0].title
        return message("notice_digest", number=len(self.items))


def letter(session: ReadSession, send: NoticeSend, user_id: str) -> Letter | None:
    """What is to be sent; None where nothing of it may be told any more."""
    person = session.get_one(User, user_id)
    part_of_it = select(NoticeSend.notice_id).where(or_(NoticeSend.id == send.id, NoticeSend.digest_id == send.id))
    query = (
        select(Notice, Workspace.tells_prompts)
        .outerjoin(Workspace, Workspace.id == Notice.workspace_id)
        .where(Notice.id.in_(part_of_it), Notice.user_id == user_id, Notice.told_at.is_not(None), may_be_told())
        .order_by(Notice.told_at, Notice.id)
        .limit(MOST_IN_DIGEST)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    prompts = _prompts(session, [notice for notice, tells_prompts in rows if tells_prompts])
    return Letter(person.email, person.language, [_item(notice, prompts) for notice, _tells in rows])


def _prompts(session: ReadSession, notices: Sequence[Notice]) -> Mapping[str, str]:
    """Prompts of clips by their ids, as far as they are still in the workspace that lets them out."""
    wanted = {notice.generation_id: notice.workspace_id for notice in notices if notice.generation_id}
    query = select(Generation.id, Generation.workspace_id, Generation.prompt).where(
        Generation.id.in_(wanted), Generation.deleted_at.is_(None)
    )
    return {row.id: row.prompt for row in session.execute(query) if row.workspace_id == wanted[row.id]}


def _item(notice: Notice, prompts: Mapping[str, str]) -> Item:
    assert notice.title is not None  # noqa: S101 -- a constraint of the table
    return Item(
        notice.id,
        notice.kind,
        notice.title,
        notice.body,
        prompts.get(notice.generation_id or ""),
        _path(notice),
        notice.workspace_id,
        notice.generation_id,
        notice.clip_count,
    )


def _path(notice: Notice) -> str:
    """The page that it leads to, below the installation's address."""
    if notice.audience is NoticeAudience.OPERATOR:
        return _PAGES.get(notice.kind, "admin")
    said = {"workspace": notice.workspace_id} if notice.workspace_id else {}
    if notice.generation_id:
        return f"history?{urlencode({'clip': notice.generation_id, **said})}"
    page = _PAGES.get(notice.kind, "inbox")
    return f"{page}?{urlencode(said)}" if said else page


def lines(item: Item, writer: Writer, *, with_title: bool = True) -> Sequence[str]:
    """A notice in words, a line each."""
    found = [writer.write(item.title)] if with_title else []
    if item.body is not None:
        found.append(writer.write(item.body))
    if item.prompt is not None:
        prompt = item.prompt if len(item.prompt) <= PROMPT_CHARS else f"{item.prompt[: PROMPT_CHARS - 1].rstrip()}…"
        found.append(writer.write(message("notice_prompt", prompt=prompt)))
    return found


def address(public_url: str, item: Item) -> str | None:
    """Where a notice leads; None where nobody knows this installation's address."""
    return f"{public_url}/{item.path}" if public_url else None


def slack(found: Letter, writer: Writer, public_url: str) -> str:
    """The JSON of Slack's incoming webhooks; its three signs are escaped, so that names mean nothing there."""
    parts = []
    for item in found.items:
        title, *rest = (_of_slack(line) for line in lines(item, writer))
        link = address(public_url, item)
        parts.append("\n".join([f"*{title}*", *rest, *([f"<{link}|{_open(writer)}>"] if link else [])]))
    return _json({"text": "\n\n".join(parts)})


def teams(found: Letter, writer: Writer, public_url: str) -> str:
    """The JSON of a Teams workflow that posts what it is sent: an adaptive card."""
    body: list[dict[str, Any]] = []
    for item in found.items:
        title, *rest = lines(item, writer)
        body.append({"type": "TextBlock", "text": _of_teams(title), "weight": "Bolder", "wrap": True})
        body += [{"type": "TextBlock", "text": _of_teams(line), "wrap": True} for line in rest]
    links = [link for item in found.items if (link := address(public_url, item))]
    is_one = len(found.items) == 1
    actions = [{"type": "Action.OpenUrl", "title": _open(writer), "url": link} for link in links if is_one]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _json({"type": "message", "attachments": [attachment]})


def webhook(found: Letter, writer: Writer, public_url: str, *, written_at: datetime) -> str:
    """The JSON of a person's own webhook, in the shape that Standard Webhooks recommends."""
    (item, *_more) = found.items
    data: dict[str, Any] = {
        "id": item.id,
        "kind": item.kind.value,
        "title": writer.write(item.title),
        "body": writer.write(item.body) if item.body is not None else None,
        "workspaceId": item.workspace_id,
        "generationId": item.generation_id,
        "clipCount": item.clip_count,
        "url": address(public_url, item),
    }
    if item.prompt is not None:
        data["prompt"] = item.prompt
    moment = written_at.isoformat().replace("+00:00", "Z")
    return _json({"type": "notice", "timestamp": moment, "data": data})


def _open(writer: Writer) -> str:
    return writer.write(message("notice_open"))


def _of_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _of_teams(text: str) -> str:
    """Names mean nothing: a card reads links and emphasis as Markdown does."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]()#" else sign for sign in text)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
