"""Somebody of whom something is kept in every table that can hold it, with words that are found again."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, LargeBinary, String, Table, Text, TypeDecorator, select, text, update

from core import audit_log, db, normal_form
from core.audit_log import Act
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import (
    ApprovalCause,
    BudgetScope,
    BulkKind,
    BulkState,
    ChangeKind,
    Decision,
    GroupKind,
    NoticeAudience,
    NoticeKind,
    NoticeWay,
    ReportEvery,
    Role,
    VisitKind,
    WorkspaceRole,
)
from core.db.tables import (
    AnalystPack,
    ApiToken,
    Approval,
    AssetGroup,
    AssetGroupItem,
    BrowserSession,
    Budget,
    BulkFile,
    BulkJob,
    CatalogueChange,
    ClipNote,
    Draft,
    FailedAttempts,
    Generation,
    IdempotencyRecord,
    Identity,
    Invitation,
    Notice,
    PersonExport,
    Preset,
    ReportSchedule,
    SavedFilter,
    ShareLink,
    ShareLinkClip,
    ShareLinkVisit,
    Sheet,
    SheetClip,
    SignInLink,
    Upload,
    UsageView,
    User,
    VendorStatement,
    WayToTell,
    WebhookDelivery,
    WebhookEndpoint,
    Workspace,
)
from core.db.types import Base, EnumString
from core.files import storage as storages
from core.generations import review
from core.generations.review import Changes
from core.ids import new_id
from core.installation import Installation
from core.messages import message
from core.usage import closing
from core.workspaces import quota
from core.workspaces.access import Member
from tests.factories import books
from tests.factories.generations import create_completed, create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team, now

EMAIL = "zephyrine.quillfeather@example.org"
FORMER = "z.oldname@example.org"
NAME = "Zéphyrine Quillfeather"
WORD = "xylophone"
ADDRESS = "203.0.113.77"
PLANTED = ("quillfeather", "oldname@", "zéphyrine", "zephyrine", WORD, ADDRESS)
"""What nobody may find afterwards, in small letters."""


@dataclass(frozen=True)
class Furnished:
    """Who is to be erased, who erases, who works with them, and what they have made."""

    root: Member
    gone: Member
    team: Member
    colleague: Member
    own_clip: Generation
    team_clip: Generation


def furnish(site: Installation) -> Furnished:
    """Make all of it."""
    root = create_member(db.default(), "root@example.org", credits=0, role=Role.ADMIN)
    gone = create_member(db.default(), EMAIL, credits=50_000, role=Role.ADMIN)
    with db.write_session() as session:
        key = normal_form.normal(f"{EMAIL} {NAME}")
        session.execute(update(User).where(User.id == gone.id).values(name=NAME, search_key=key, clip_names=WORD))
        session.execute(update(Workspace).where(Workspace.id == gone.id).values(name=NAME, name_key=key))
    gone = now(db.default(), gone)
    other = create_member(db.default(), "ben@example.org", credits=50_000)
    team, colleague = create_team(
        db.default(), (gone, WorkspaceRole.MANAGER), (other, WorkspaceRole.MANAGER), name="Film", credits=50_000
    )
    film = create_project(db.default(), gone, f"{NAME} films")
    own = create_completed(db.default(), gone, project_id=film.id, prompt=f"a {WORD} at dusk", negative_prompt=WORD)
    joint = create_project(db.default(), team, "Joint")
    of_team = create_completed(db.default(), team, project_id=joint.id, prompt=f"a {WORD} for all")
    theirs = create_completed(db.default(), colleague, project_id=joint.id, prompt="a drum")
    for row in (own, of_team):
        for key in filter(None, (row.output_key, row.thumbnail_key, row.preview_key)):
            site.storage.put_bytes(key, f"{WORD} in the file".encode(), media_type=storages.media_type_of(key))
    books.set_back("2026-09")  # a month that can be closed
    with db.write_session() as session:
        session.execute(
            update(Generation)
            .where(Generation.user_id == gone.id)
            .values(provider_response={"said": WORD}, error_detail=WORD, idempotency_key=None)
        )
        review.update(session, gone, own.id, Changes(tags=[WORD], favourite=True))
        review.update(session, team, of_team.id, Changes(tags=["calm"]))
    _of_person(site, gone, team, own, of_team)
    _told_of(site, gone, team, colleague, theirs)
    _close(gone)
    return Furnished(root, gone, team, colleague, own, of_team)


def _of_person(site: Installation, gone: Member, team: Member, own: Generation, of_team: Generation) -> None:
    whose: dict[str, Any] = {"workspace_id": gone.id, "user_id": gone.id}
    key = f"assets/ab/{hashlib.sha256(WORD.encode()).hexdigest()}.jpg"
    site.storage.put_bytes(key, WORD.encode(), media_type="image/jpeg")
    job_key = "exports/{}/1-1.zip"
    size: dict[str, Any] = {"size_bytes": 7, "width": 1, "height": 1}
    with db.write_session() as session:
        asset = Upload(**whose, **size, name=WORD, storage_key=key, original_sha256="0" * 64, file_name=WORD)
        group = AssetGroup(**whose, kind=GroupKind.CHARACTER, name=WORD, description=NAME)
        session.add_all([asset, group])
        quota.reserve(session, gone.id, size_bytes=7, quota_bytes=None)
        session.flush()
        session.add(AssetGroupItem(group_id=group.id, place=0, upload_id=asset.id, role=WORD))
        for place in (gone, team):
            here: dict[str, Any] = {"workspace_id": place.workspace_id, "user_id": gone.id}
            view = UsageView(**here, name=WORD, asked={"text": WORD}, shared=True)
            job = BulkJob(
                **here,
                kind=BulkKind.FETCH,
                asked={"text": WORD},
                details={"names": WORD},
                state=BulkState.DONE,
                expires_at=utc_now() + timedelta(days=3),
                ended_at=utc_now(),
            )
            link = ShareLink(**here, title=WORD, token_hash=new_id(), expires_at=utc_now())
            sheet = Sheet(
                **here,
                name=WORD,
                digest=new_id(),
                heads=[WORD],
                lines=[[1, False, [WORD]]],
                defaults={"prompt": WORD},
                notes=[WORD],
                row_count=1,
            )
            hook = WebhookEndpoint(**here, url=f"https://{WORD}.example.org", description=NAME)
            session.add_all([view, job, link, sheet, hook])
            session.flush()
            clip = own if place is gone else of_team
            session.add_all(
                [
                    Preset(**here, name=WORD, settings={"prompt": WORD}),
                    SavedFilter(**here, name=WORD, asked={"text": WORD}),
                    Draft(**here, form="order", content={"prompt": WORD}, written_by=NAME, set_aside={"p": WORD}),
                    ReportSchedule(
                        view_id=view.id,
                        user_id=gone.id,
                        way=NoticeWay.EMAIL,
                        every=ReportEvery.DAILY,
                        time_zone="UTC",
                        next_at=utc_now(),
                    ),
                    ClipNote(generation_id=clip.id, user_id=gone.id, text=f"{WORD} by {NAME}"),
                    ShareLinkClip(link_id=link.id, generation_id=clip.id, place=0),
                    ShareLinkVisit(link_id=link.id, kind=next(iter(VisitKind)), address=ADDRESS, agent=WORD),
                    SheetClip(sheet_id=sheet.id, place=0, take=1, generation_id=clip.id),
                    WebhookDelivery(
                        endpoint_id=hook.id,
                        workspace_id=place.workspace_id,
                        generation_id=clip.id,
                        event="e",
                        event_id=new_id(),
                        body=json.dumps({"prompt": WORD}),
                    ),
                    ApiToken(user_id=gone.id, name=WORD, token_hash=new_id(), workspace_id=place.workspace_id),
                    BulkFile(job_id=job.id, number=1, storage_key=job_key.format(job.id), size_bytes=5, clip_count=1),
                ]
            )
            quota.reserve(session, place.workspace_id, size_bytes=5, quota_bytes=None)
            site.storage.put_bytes(job_key.format(job.id), WORD.encode(), media_type="application/zip")
        session.add_all(
            [
                *(AnalystPack(user_id=each, asked={}, next_at=utc_now()) for each in (gone.id,)),
                PersonExport(user_id=gone.id, asked_by_id=gone.id, next_at=utc_now()),
                BrowserSession(token_hash="1" * 64, user_id=gone.id, agent=WORD, address=ADDRESS, ends_at=utc_now()),
                SignInLink(token_hash="2" * 64, user_id=gone.id, expires_at=utc_now()),
                IdempotencyRecord(user_id=gone.id, key=WORD, request_hash="3", made_id=new_id()),
                Identity(issuer="https://id.example.org", subject=NAME, user_id=gone.id, email=FORMER),
                FailedAttempts(key=f"account:{EMAIL}", count=1, last_at=utc_now()),
                WayToTell(user_id=gone.id, way=NoticeWay.SLACK, address=f"https://chat.example.org/{WORD}"),
                Budget(
                    workspace_id=team.workspace_id, scope=BudgetScope.MEMBER, subject_id=gone.id, limit_credits=10**6
                ),
                Notice(
                    user_id=gone.id,
                    audience=NoticeAudience.SELF,
                    kind=NoticeKind.TEST,
                    group_key="one",
                    title=message("notice_by", actor=WORD),
                    told_at=utc_now(),
                ),
            ]
        )


def _told_of(site: Installation, gone: Member, team: Member, colleague: Member, theirs: Generation) -> None:
    """Where others' rows tell of them."""
    with db.write_session() as session, audit_log.acting_from(ADDRESS):
        audit_log.record(session, gone.user, Act.TOKEN_MADE, target=f"{WORD} script", workspace_id=team.workspace_id)
        audit_log.record(session, gone.user, Act.PROJECT_ARCHIVED, target=f"{WORD} film", workspace_id=gone.id)
        for act, details in (
            (Act.PERSON_ADDRESS_CHANGED, {"before": {"email": FORMER}, "after": {"email": EMAIL}}),
            (Act.CREDITS_TRANSFERRED, {"after": {"credits": 5, "from": NAME, "to": "Film"}}),
        ):
            audit_log.record(session, gone.user, act, target=NAME, target_id=gone.id, **details)
        packed = BulkJob(
            workspace_id=team.workspace_id,
            user_id=colleague.id,
            kind=BulkKind.FETCH,
            asked={},
            details={},
            state=BulkState.DONE,
            expires_at=utc_now() + timedelta(days=3),
            ended_at=utc_now(),
        )
        session.add(packed)
        session.flush()
        key = f"exports/{packed.id}/1-1.zip"
        site.storage.put_bytes(key, WORD.encode(), media_type="application/zip")
        session.add(BulkFile(job_id=packed.id, number=1, storage_key=key, size_bytes=5, clip_count=1))
        quota.reserve(session, team.workspace_id, size_bytes=5, quota_bytes=None)
        decided: dict[str, Any] = {"decision": Decision.APPROVED, "decided_by_id": gone.id, "decided_at": utc_now()}
        session.add_all(
            [
                Approval(
                    generation_id=theirs.id,
                    maker_id=colleague.id,
                    press_id=new_id(),
                    cause=ApprovalCause.PRICE,
                    press_credits=50,
                    pending_seconds=60,
                    note=WORD,
                    **decided,
                ),
                Notice(
                    user_id=colleague.id,
                    audience=NoticeAudience.SELF,
                    kind=NoticeKind.MEMBERSHIP,
                    group_key="two",
                    title=message("notice_invited_here"),
                    body=message("notice_invited_by", actor=EMAIL),
                    told_at=utc_now(),
                ),
                Invitation(email=EMAIL, token_hash="4" * 64, invited_by_id=colleague.id, expires_at=utc_now()),
                Invitation(email="new@example.org", token_hash="5" * 64, invited_by_id=gone.id, expires_at=utc_now()),
                VendorStatement(
                    provider="demo",
                    month="2026-09",
                    file_name="bill.csv",
                    sha256="6" * 64,
                    heads=[],
                    settings={},
                    uploaded_by=EMAIL,
                ),
                CatalogueChange(
                    model_id="demo-film",
                    kind=ChangeKind.POSITION,
                    since=utc_now(),
                    value={"position": 1},
                    made_at=utc_now(),
                    author_id=gone.id,
                    author=EMAIL,
                ),
            ]
        )
        ledger.grant(session, team.workspace_id, credits=5, key=new_id(), actor=EMAIL, reason=f"asked for by {FORMER}")
    create_generation(db.default(), team, project_id=theirs.project_id, prompt=f"waiting {WORD}")


def _close(gone: Member) -> None:
    with db.write_session() as session:
        closing.close(session, gone, "2026-09")


def found_in_tables() -> dict[str, list[str]]:
    """Every table with a column in which a planted word stands -> the words, SQLite's index of words included."""
    found: dict[str, list[str]] = {}
    with db.read_session() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(*table.columns)):
                for name, value in row._mapping.items():
                    said = json.dumps(value, ensure_ascii=False, default=str) if value is not None else ""
                    if hits := [word for word in PLANTED if word in said.lower()]:
                        found.setdefault(f"{table.name}.{name}", hits)
        if session.get_bind().dialect.name == "sqlite":
            for term in session.scalars(text("SELECT term FROM generation_words_terms")):
                if any(word in str(term).lower() for word in PLANTED):
                    found.setdefault("generation_words", [str(term)])
    return found


def found_in_files(folder: Path) -> list[str]:
    """Files below a folder in whose name or content a planted word stands."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and any(word in f"{path.name} {path.read_bytes().decode('utf-8', 'replace')}".lower() for word in PLANTED)
    ]


def texts_of(table: Table) -> set[str]:
    """The columns of a table that can hold a text of any words: no ids, and no words of ours."""

    def holds_words(kind: Any) -> bool:
        if isinstance(kind, EnumString | LargeBinary):
            return False
        kind = kind.impl if isinstance(kind, TypeDecorator) else kind
        kind = kind() if isinstance(kind, type) else kind
        is_id = isinstance(kind, String) and kind.length == len(new_id())
        return isinstance(kind, String | Text | JSON) and not is_id

    return {column.name for column in table.columns if holds_words(column.type)}
