"""What an RQ worker runs: `submit` sends one generation to its provider, `collect` brings one clip home.

Both take an id only and are harmless when run again. No database session is open across a call to a provider
or to storage. While one works, its lease is renewed; when the process dies the lease runs out and the
dispatcher decides what that means.
"""

import asyncio
import hashlib
import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from core import db, errors, installation
from core.clock import utc_now
from core.db import WriteSession, update_where
from core.db.enums import Stage, Status
from core.db.tables import Generation
from core.files import download
from core.generations import conformance, lifecycle, reconciliation
from core.insights import circuit_breaker
from core.messages import message
from core.providers import connection, registry
from core.providers.contract import JobState, Provider, ProviderJob, VideoRequest, VideoSource
from core.retry import delay
from core.worker import provider_request

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0
SUBMIT_SECONDS = 90
INGEST_DEADLINE = timedelta(hours=6)
FIND_AFTER = timedelta(seconds=60)
ASK_AGAIN_AFTER = timedelta(minutes=5)
UNUSABLE_TRIES = 3
FETCH_TRIES = 3
"""Within one job; the row comes back for more, and meanwhile a bad file host holds nobody else up."""


def submit(generation_id: str) -> None:
    """Send one generation to its provider, once. What was sent and got no answer becomes uncertain."""
    with db.read_session() as session:
        row = session.get(Generation, generation_id)
    if row is None or row.stage is not Stage.DISPATCHED:
        return
    try:
        request = provider_request.from_row(row, installation.current().settings, installation.current().storage)
        base_url = _base_url(row.provider)
    except errors.AppError as error:
        _fail(generation_id, Stage.DISPATCHED, error)
        return
    attempt = row.attempt + 1
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is None or row.stage is not Stage.DISPATCHED:
            return
        what = message("sending", provider=registry.provider_class(row.provider).display_name)
        lifecycle.transition(
            session,
            row,
            Status.PROCESSING,
            Stage.SUBMITTING,
            what=what,
            next_at=utc_now() + LEASE,
            attempt=attempt,
            provider_base_url=base_url,
        )
    with _lease_kept(generation_id, Stage.SUBMITTING):
        outcome = asyncio.run(_send(row.provider, request))
    _record_submit(row, outcome)


def ingest(generation_id: str) -> None:
    """Fetch, check and store one finished clip, and charge it; tried again later when that can help."""
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is None or row.stage is not Stage.READY_TO_DOWNLOAD:
            return
        attempt = row.collect_attempt + 1
        lifecycle.transition(
            session,
            row,
            Status.PROCESSING,
            Stage.DOWNLOADING,
            what=message("fetching"),
            next_at=utc_now() + LEASE,
            collect_attempt=attempt,
        )
    folder = installation.current().settings.incoming_dir
    folder.mkdir(exist_ok=True)
    target = folder / f"{generation_id}.video"
    try:
        with _lease_kept(generation_id, Stage.DOWNLOADING):
            output = _ingest_output(row, target)
    except errors.AppError as error:
        _record_ingest_failure(generation_id, attempt, error)
        return
    except Exception as bug:
        log.exception("collect of %s broke", generation_id)
        trace = "".join(traceback.format_exception(bug))
        _record_ingest_failure(generation_id, attempt, errors.DownloadFailed(detail=trace))
        return
    finally:  # also what was whole and yet no video; the beginning of a download is another file and stays
        for path in (target, target.with_suffix(".safe.mp4")):
            path.unlink(missing_ok=True)
    with db.write_session() as session:
        now = lifecycle.locked(session, generation_id)
        if now is not None and now.stage is Stage.DOWNLOADING and now.collect_attempt == attempt:
            lifecycle.complete(session, now, output)


def _base_url(provider: str) -> str:
    """Where the job is sent; kept on the row, so that it is later asked about at the same place."""
    known = registry.provider_class(provider)
    return installation.current().settings.provider_base_urls.get(provider, known.default_base_url)


async def _send(provider_name: str, request: VideoRequest) -> ProviderJob | errors.ProviderError:
    """One submit; every way it can end is a value. What we do not understand is uncertain, never "not sent"."""
    try:
        async with connection.submit_client() as client, asyncio.timeout(SUBMIT_SECONDS):
            return await connection.connect(installation.current().settings, provider_name, client).generate_video(
                request
            )
    except errors.ProviderError as error:
        return error
    except Exception as bug:
        log.exception("submit of %s broke", request.reference)
        trace = "".join(traceback.format_exception(bug))
        return errors.SubmitUncertain(detail=trace)


def _record_submit(sent: Generation, outcome: ProviderJob | errors.ProviderError) -> None:
    """Write down how a submit ended; also when its lease ran out meanwhile and it was called uncertain."""
    with db.write_session() as session:
        reconciliation.lock_providers(session, [sent.provider])
        row = lifecycle.locked(session, sent.id)
        if row is None or row.stage is not Stage.SUBMITTING or row.attempt != sent.attempt:
            log.warning("submit of %s ended after somebody else had settled it: %s", sent.id, outcome)
            return
        if isinstance(outcome, ProviderJob):
            circuit_breaker.record_order(session, row.provider)
            error = _accepted(session, row, outcome)
        else:
            circuit_breaker.record_failure(session, row.provider, outcome)
            error = outcome
        if error is not None:
            _record_refusal(session, row, error)


def _record_refusal(session: WriteSession, row: Generation, error: errors.ProviderError) -> None:
    """Carry out what an error means for the generation and its hold."""
    match error.submit_verdict:
        case errors.SubmitVerdict.LATER:
            _retry_later(session, row, error)
        case errors.SubmitVerdict.UNKNOWN:
            if row.status is Status.PROCESSING:
                uncertain = errors.SubmitUncertain(detail=error.detail)
                lifecycle.mark_uncertain(session, row, uncertain, next_at=utc_now() + FIND_AFTER)
        case errors.SubmitVerdict.REFUSED:
            lifecycle.fail(session, row, error)


def _accepted(session: WriteSession, row: Generation, job: ProviderJob) -> errors.ProviderError | None:
    """Wait for the job from now on; uncertain if it was taken for another one's, which the same words had ordered."""
    soon = 0.0 if row.cancel_requested_at else _first_poll_seconds(row.provider)
    what = message("accepted", provider=registry.provider_class(row.provider).display_name)
    try:
        reconciliation.accept(session, row, job, what=what, next_at=utc_now() + timedelta(seconds=soon))
    except errors.Conflict as taken:
        return errors.SubmitUncertain(detail=str(taken))
    return None


def _retry_later(session: WriteSession, row: Generation, error: errors.ProviderError) -> None:
    """Back into the line: the provider surely has nothing of it."""
    if row.status is not Status.PROCESSING:
        lifecycle.fail(session, row, error)
        return
    wait = delay(row.attempt)
    if isinstance(error, errors.ProviderRateLimited):
        wait = max(timedelta(seconds=min(error.retry_after_seconds, 3600)), wait / 4)
    what = message("not_accepted_yet", seconds=wait.total_seconds(), error=error.message)
    lifecycle.transition(
        session,
        row,
        Status.PENDING,
        Stage.QUEUED,
        what=what,
        next_at=utc_now() + wait,
        error_code=error.code,
        error_message=str(error)[:1000],
        error=error.message,
        error_detail=error.detail[:4000],
    )


def _ingest_output(row: Generation, target: Path) -> lifecycle.Output:
    """Download, verify, make a poster, store; raises AppError, having stored nothing that is charged."""
    from core.files import video_derivatives, video_probe  # large, and only this needs them

    allow = installation.current().settings.download_allow(row.provider, row.provider_base_url)
    fetched = download.fetch(asyncio.run(_source(row)), target, allow=allow, max_tries=FETCH_TRIES)
    facts = video_probe.verify(target)
    sha256 = fetched.sha256
    if not facts.web_safe or facts.container != "mp4":
        safe = target.with_suffix(".safe.mp4")
        video_derivatives.make_web_safe(target, safe)
        target, facts = safe, video_probe.verify(safe)
        with target.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    storage = installation.current().storage
    base = f"videos/{row.id}/{sha256[:16]}"
    stored = [
        storage.put_bytes(f"{base}.webp", video_derivatives.poster(target), media_type="image/webp"),
        storage.put_file(f"{base}.mp4", target, media_type="video/mp4"),
    ]
    return lifecycle.Output(
        output_key=f"{base}.mp4",
        thumbnail_key=f"{base}.webp",
        preview_key=None,
        stored_bytes=sum(item.size_bytes for item in stored),
        facts=asdict(facts) | {"sha256": sha256},
        gaps=conformance.deviations(row.spec, asdict(facts)),
    )


async def _source(row: Generation) -> VideoSource:
    """Where to fetch from. After a first failure the provider is asked for a fresh link, since links expire."""
    if row.provider_job_id is None or row.provider_video_url is None:
        raise errors.GenerationFailed(detail="ready without a job id or link")
    if not registry.is_registered(row.provider):  # the link may do without it
        return VideoSource(row.provider_video_url)
    async with connection.submit_client() as client:
        provider = connection.connect(
            installation.current().settings, row.provider, client, base_url=row.provider_base_url
        )
        url = row.provider_video_url
        if row.collect_attempt > 1:
            url = await _refresh_output_url(provider, row.provider_job_id) or url
        return await provider.video_source(row.provider_job_id, url)


async def _refresh_output_url(provider: Provider, job_id: str) -> str | None:
    """The link as the provider tells it now; None when it cannot say, for then the one we have may still do."""
    try:
        status = await provider.check_status(job_id)
    except errors.ProviderError as error:
        log.info("no fresh link for %s: %s", job_id, error)
        return None
    if status.state is JobState.FAILED:
        raise errors.OutputExpired(detail=status.error.detail if status.error else "")
    return status.video_url


def _record_ingest_failure(generation_id: str, attempt: int, error: errors.AppError) -> None:
    """Try again later, give up with the credits back, or leave it to a person, by what went wrong."""
    now = utc_now()
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is None or row.stage is not Stage.DOWNLOADING or row.collect_attempt != attempt:
            return
        log.warning("collect of %s, try %s: %s (%s)", generation_id, attempt, error, error.detail)
        retryable = isinstance(error, errors.ProviderError) or getattr(error, "retryable", False)
        if not retryable and attempt >= UNUSABLE_TRIES:
            lifecycle.fail(session, row, error)
        elif retryable and row.submitted_at is not None and now > row.submitted_at + INGEST_DEADLINE:
            lifecycle.mark_uncertain(session, row, error, next_at=now + ASK_AGAIN_AFTER)
        else:
            wait = delay(attempt)
            what = message("not_fetched_yet", seconds=wait.total_seconds(), error=error.message)
            lifecycle.transition(
                session, row, Status.PROCESSING, Stage.READY_TO_DOWNLOAD, what=what, next_at=now + wait
            )


def _fail(generation_id: str, stage: Stage, error: errors.AppError) -> None:
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is not None and row.stage is stage:
            lifecycle.fail(session, row, error)


def _first_poll_seconds(provider: str) -> float:
    return max(installation.current().settings.poll_seconds, registry.provider_class(provider).min_poll_seconds)


@contextmanager
def _lease_kept(generation_id: str, stage: Stage) -> Iterator[None]:
    """Renew a row's lease from a thread while the block runs; the thread dies with the process, as it must."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEW_SECONDS):
            try:
                with db.write_session() as session:
                    update_where(
                        session,
                        Generation,
                        Generation.id == generation_id,
                        Generation.stage == stage,
                        next_at=utc_now() + LEASE,
                    )
            except Exception:
                log.exception("could not renew the lease of %s", generation_id)

    thread = threading.Thread(target=renew, daemon=True, name=f"lease-{generation_id}")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
