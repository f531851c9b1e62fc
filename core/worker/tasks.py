"""What an RQ worker runs: `submit` sends one generation to its provider, `collect` brings one clip home.

Both take an id only and are harmless when run again. No database session is open across a call to a provider
or to storage. While one works, its lease is renewed; when the process dies the lease runs out and the
dispatcher decides what that means.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core import db, errors, installation
from core.catalog import in_force
from core.db import WriteSession, availability, identity, writing
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation
from core.files import download
from core.generations import conformance, flights, lifecycle
from core.messages import Message, message
from core.providers import connection, registry
from core.providers.contract import LINK_AT_PROVIDER, Provider, ProviderJob, VideoRequest, VideoSource
from core.retry import RepeatedFailure
from core.worker import answers, delivery, provider_request, recovery, setbacks, uncollected
from core.worker.background import repeating
from core.worker.lease_watch import LEASE

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
SUBMIT_SECONDS = 180
"""More than the exchanges of one order may take: two uploads and the order itself."""
FETCH_TRIES = 1
"""Within one job; the row comes back for more, behind those that work."""
INGEST_SECONDS = 3600.0
"""How long a download keeps its lease; one that takes longer is done again by somebody else."""


def _left_for_later(job: Callable[[str], None]) -> Callable[[str], None]:
    """Let a job end quietly while the database cannot be used: its row comes due again, and the log has the outage."""

    @wraps(job)
    def run(generation_id: str) -> None:
        try:
            job(generation_id)
        except Exception as failure:
            if not availability.is_away(failure):
                raise
            log.info("%s of %s is left for later", job.__name__, generation_id)

    return run


@_left_for_later
def submit(generation_id: str) -> None:
    """Send one generation to its provider, once. What was sent and got no answer becomes uncertain.

    It is noted in the journal before it is sent. What comes of it is kept there and here until the database has it.
    """
    with db.read_session() as session:
        row = session.get(Generation, generation_id)
        installation_id = identity.of(session)
    if row is None or row.stage is not Stage.DISPATCHED:
        return
    journal = recovery.open_journal(installation.current().settings)
    known = journal.find(generation_id)
    if known is not None and known.attempt > row.attempt and known.may_exist:
        recovery.bring_up_to_date(journal, known)
        return
    try:
        request = provider_request.from_row(row, installation.current().settings, installation.current().storage)
        base_url = _base_url(row.provider)
    except errors.StorageUnavailable as away:  # nothing was sent, and the image is there when the place is
        _put_back(generation_id, away)
        return
    except errors.AppError as error:
        _fail(generation_id, Stage.DISPATCHED, error)
        return
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is None or row.stage is not Stage.DISPATCHED:
            return
        send = recovery.send_of(session, row, installation_id, base_url, after=known)
        what = message("sending", provider=registry.provider_class(row.provider).display_name)
        lifecycle.transition(
            session,
            row,
            Status.PROCESSING,
            Stage.SUBMITTING,
            what=what,
            next_at=db.now(session) + LEASE,
            attempt=send.attempt,
            provider_base_url=base_url,
        )
    with ExitStack() as meanwhile:
        outcome: answers.Outcome
        try:
            meanwhile.enter_context(journal.sending(send))
        except OSError as failure:
            outcome = errors.ProviderRateLimited(message("cannot_note_send"), detail=repr(failure))  # nothing was sent
        else:
            meanwhile.enter_context(_lease_kept(generation_id, Stage.SUBMITTING))
            outcome = asyncio.run(_send(row.provider, request))
            answers.keep(journal, send, outcome)
        answers.record(journal, send, outcome)


@_left_for_later
def ingest(generation_id: str) -> None:
    """Fetch, check and store one finished clip, and charge it; tried again later when that can help."""
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is None or row.stage is not Stage.READY_TO_DOWNLOAD:
            return
        installation_id = identity.of(session)
        attempt, was_given_up = row.collect_attempt + 1, row.status is Status.UNCERTAIN
        lifecycle.transition(
            session,
            row,
            Status.PROCESSING,
            Stage.DOWNLOADING,
            what=message("fetching"),
            next_at=db.now(session) + LEASE,
            collect_attempt=attempt,
            setbacks=Flight.setbacks + 1,
            **_deadline_of_one_try(session, row),
        )
    folder = installation.current().settings.incoming_dir
    folder.mkdir(exist_ok=True)
    target, note = folder / f"{generation_id}.video", folder / f"{generation_id}.seen.json"
    try:
        with _lease_kept(generation_id, Stage.DOWNLOADING):
            output = _ingest_output(row, target, installation_id=installation_id)
    except _Overtaken:
        log.info("collecting %s was overtaken by another try", generation_id)
        return
    except _Unusable as unusable:
        seen = uncollected.note_unusable(note, unusable.error, sha256=unusable.sha256)
        uncollected.record(generation_id, attempt, unusable.error, was_given_up=was_given_up, seen=seen)
        if seen and seen.is_all_there_is:
            note.unlink(missing_ok=True)
        return
    except errors.AppError as error:
        uncollected.record(generation_id, attempt, error, was_given_up=was_given_up)
        return
    except Exception as bug:
        if availability.is_away(bug):
            raise
        log.exception("collect of %s broke", generation_id)
        if not isinstance(bug, OSError):  # neither time nor an operator mends that
            setbacks.record(row, bug)
            return
        trace = "".join(traceback.format_exception(bug))
        broken = errors.DownloadFailed(detail=trace)
        uncollected.record(generation_id, attempt, broken, was_given_up=was_given_up)
        return
    finally:  # also what was whole and yet no video; the beginning of a download is another file and stays
        delivery.clean_up(target)
    try:
        with _lease_kept(generation_id, Stage.DOWNLOADING):
            what = f"the end of {generation_id}"
            writing.until_written(lambda session: _complete(session, generation_id, attempt, output), what=what)
        note.unlink(missing_ok=True)
    except Exception as failure:
        if availability.is_away(failure):
            raise
        log.exception("the end of %s could not be written", generation_id)
        setbacks.record(row, failure)


class _Overtaken(Exception):
    """Somebody else fetches this clip now, or has done so."""


class _Unusable(Exception):
    """What was fetched is whole, and it cannot be delivered."""

    def __init__(self, error: errors.MediaRejected, sha256: str) -> None:
        super().__init__(error)
        self.error = error
        self.sha256 = sha256


def _complete(session: WriteSession, generation_id: str, attempt: int, output: lifecycle.Output) -> None:
    row = lifecycle.locked(session, generation_id)
    if row is not None and row.stage is Stage.DOWNLOADING and row.collect_attempt == attempt:
        lifecycle.complete(session, row, output)


def _deadline_of_one_try(session: WriteSession, row: Generation) -> dict[str, Any]:
    """What is fetched once more after it was given up has a new deadline, which this try may end after."""
    return {"deadline_at": db.now(session)} if row.status is Status.UNCERTAIN else {}


def _base_url(provider: str) -> str:
    """Where the job is sent; kept on the row, so that it is later asked about at the same place."""
    known = registry.provider_class(provider)
    return installation.current().settings.provider_base_urls.get(provider, known.default_base_url)


async def _send(provider_name: str, request: VideoRequest) -> ProviderJob | errors.ProviderError:
    """One submit; every way it can end is a value. What we do not understand is uncertain, never "not sent"."""
    try:
        async with connection.submit_client(installation.current().settings) as client, asyncio.timeout(SUBMIT_SECONDS):
            return await connection.connect(installation.current().settings, provider_name, client).generate_video(
                request
            )
    except errors.ProviderError as error:
        return error
    except Exception as bug:
        log.exception("submit of %s broke", request.reference)
        trace = "".join(traceback.format_exception(bug))
        return errors.SubmitUncertain(detail=trace)


def _ingest_output(row: Generation, target: Path, *, installation_id: str) -> lifecycle.Output:
    """Download, verify, mark, sign, make a poster, store; raises AppError, having stored nothing that is charged."""
    settings = installation.current().settings
    source, allow = asyncio.run(_source(row)), connection.download_allow(settings, row.provider, row.provider_base_url)
    fetched = download.fetch(source, target, allow=allow, proxies=settings.proxies, max_tries=FETCH_TRIES)
    try:
        made = delivery.prepare(row, target, sha256=fetched.sha256, installation_id=installation_id, now=row.updated_at)
    except errors.MediaRejected as rejected:
        raise _Unusable(rejected, fetched.sha256) from rejected
    if not _is_still_ours(row):  # another one may have stored it meanwhile, under the same key with its own signature
        raise _Overtaken
    base = f"videos/{row.id}/{made.key}"
    stored_bytes = _store(base, made)
    return lifecycle.Output(
        output_key=f"{base}.mp4",
        thumbnail_key=f"{base}.webp",
        preview_key=None,
        stored_bytes=stored_bytes,
        facts=asdict(made.facts) | {"sha256": made.sha256},
        gaps=conformance.deviations(row.spec, asdict(made.facts), _frame_size(row)),
        credentials=None if made.report is None else made.report.to_json(),
        unsigned_reason=None if made.unsigned is None else made.unsigned.value,
        notes=_notes(made),
    )


def _store(base: str, made: delivery.Delivery) -> int:
    """Put poster and clip where files lie; how many bytes that are. Raises StorageUnavailable."""
    here = installation.current()
    try:
        poster = here.storage.put_bytes(f"{base}.webp", made.poster, media_type="image/webp")
        clip = here.storage.put_file(f"{base}.mp4", made.path, media_type="video/mp4")
    except errors.StorageUnavailable:
        here.store_clock.suspect()  # whether it refuses our clock is known before the next clip is taken
        raise
    return poster.size_bytes + clip.size_bytes


def _notes(made: delivery.Delivery) -> list[Message]:
    """What the timeline tells of a clip beside that it is there."""
    notes = [message("delivered_unmarked")] if made.is_unmarked else []
    if made.unsigned is not None:
        notes.append(message("delivered_unsigned", reason=made.unsigned.message))
    return notes


def _is_still_ours(row: Generation) -> bool:
    """Whether a clip is still being fetched by this very try."""
    stands = (Generation.stage == Stage.DOWNLOADING, Generation.collect_attempt == row.collect_attempt)
    with db.read_connection() as reading:
        return reading.scalar(select(Generation.id).where(Generation.id == row.id, *stands)) is not None


def _frame_size(row: Generation) -> tuple[int, int] | None:
    """(width, height) in pixels that the model makes of this order; None where it makes no such any more."""
    model = in_force.find_model(row.model_id)
    try:
        return None if model is None else model.frame_size(row.resolution, row.aspect_ratio)
    except ValueError:  # it makes other sizes by now
        return None


async def _source(row: Generation) -> VideoSource:
    """Where to fetch from. After a first failure the provider is asked for a fresh link, since links expire."""
    if row.provider_job_id is None or row.provider_video_url is None:
        raise errors.GenerationFailed(detail="ready without a job id or link")
    if not registry.is_registered(row.provider):  # the link may do without it
        return VideoSource(row.provider_video_url)
    settings = installation.current().settings
    async with connection.submit_client(settings) as client:
        provider = connection.connect(settings, row.provider, client, base_url=row.provider_base_url)
        url = row.provider_video_url
        if row.collect_attempt > 1 or url == LINK_AT_PROVIDER:
            today = connection.connect_where_it_moved(settings, row.provider, client, base_url=row.provider_base_url)
            url = await _fresh_link(provider, today, row.provider_job_id) or url
        if url == LINK_AT_PROVIDER:
            raise errors.OutputExpired(detail="the provider gives no link when it is asked again")
        return await provider.video_source(row.provider_job_id, url)


async def _fresh_link(provider: Provider, today: Provider | None, job_id: str) -> str | None:
    """The link as the provider tells it now; None when it cannot say, for then the one we have may still do."""
    try:
        try:
            return await provider.video_link(job_id)
        except errors.ProviderMoved:
            return await today.video_link(job_id) if today else None
    except errors.ProviderError as error:
        log.info("no fresh link for %s: %s (%s)", job_id, error, error.detail)
        return None


def _put_back(generation_id: str, error: errors.StorageUnavailable) -> None:
    """Back into the line, before anything was sent."""
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is not None and row.stage is Stage.DISPATCHED:
            seconds = error.retry_after_seconds
            what = message("not_accepted_yet", seconds=seconds, error=error.message)
            next_at = db.now(session) + timedelta(seconds=seconds)
            lifecycle.transition(session, row, Status.PENDING, Stage.QUEUED, what=what, next_at=next_at)


def _fail(generation_id: str, stage: Stage, error: errors.AppError) -> None:
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is not None and row.stage is stage:
            lifecycle.fail(session, row, error)


@contextmanager
def _lease_kept(generation_id: str, stage: Stage) -> Iterator[None]:
    """Renew a row's lease from a thread while the block runs, as long as a fetch may take at most."""
    end = time.monotonic() + INGEST_SECONDS
    trouble = RepeatedFailure(log, f"renewing the lease of {generation_id}")

    def renew() -> None:
        if time.monotonic() >= end:
            return
        try:
            with db.write_session() as session:
                flights.renew(session, generation_id, stage, db.now(session) + LEASE)
        except Exception as failure:
            trouble.met(failure, is_told=availability.is_away(failure))
        else:
            trouble.over()

    with repeating(renew, every_seconds=RENEW_SECONDS, name=f"lease-{generation_id}"):
        yield
