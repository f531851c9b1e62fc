"""Hands the steps of generations to everybody who listens in this process: one reader of the table for all of them.

No connection costs a thread. Each has a queue that ends somewhere: who reads too slowly is let go and can come back
for the rest. Streams end when the process is told to end, which the server would otherwise wait for.
"""

import asyncio
import logging
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import anyio
import uvicorn
from anyio import to_thread

from core import db, errors, installation
from core.db import availability
from core.generations.timeline import Step, Tail
from core.messages import plain
from core.retry import RepeatedFailure
from core.workspaces import callers
from core.workspaces.access import Member

log = logging.getLogger(__name__)

READ_SECONDS = 0.5
CHECK_SECONDS = 2.0
"""How often listeners are looked at: whose token, session or place in a workspace has ended hears no more then."""

MAX_SUBSCRIPTIONS_PER_USER = 10
MAX_QUEUED_STEPS = 500
FLUSH_GRACE_SECONDS = 2.0
GRACE_SECONDS = 5


class Subscription:
    """One listener's place: what has come for them, and the scope in which it is sent."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.scope = anyio.CancelScope()
        self.start_id = 0
        self.ended = False
        self._steps: asyncio.Queue[Step | None] = asyncio.Queue(MAX_QUEUED_STEPS)

    def publish(self, step: Step) -> None:
        """Put a step into the queue; the end for a listener whose queue is full."""
        if self._steps.full():
            self.end()
        elif not self.ended:
            self._steps.put_nowait(step)

    def end(self) -> None:
        """Let the stream come to its end at once, cutting off a listener who does not read at all."""
        self.ended = True
        while not self._steps.empty():
            self._steps.get_nowait()
        self._steps.put_nowait(None)
        self.scope.deadline = anyio.current_time() + FLUSH_GRACE_SECONDS

    async def next(self, wait_seconds: float) -> Step | None:
        """The next step; None when none came in this time, or the stream is to end."""
        try:
            return await asyncio.wait_for(self._steps.get(), wait_seconds)
        except TimeoutError:
            return None


class EventHub:
    """The listeners of this process and the one task that reads for them, which runs while there are any."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)  # by workspace
        self._of_user: Counter[str] = Counter()
        self._reading: asyncio.Task[None] | None = None
        self._tail: asyncio.Future[Tail] | None = None
        self._stopped = False

    @asynccontextmanager
    async def subscribe(self, member: Member) -> AsyncIterator[Subscription]:
        """A place for one listener, who hears of all steps in the workspace after its `start_id`.

        RateLimited when the person has enough of them.
        """
        if self._of_user[member.id] >= MAX_SUBSCRIPTIONS_PER_USER:
            raise errors.RateLimited(
                plain("You are listening in too many places. Close one of them."), retry_after_seconds=30
            )
        subscription = Subscription(member)
        self._subscriptions[member.workspace_id].add(subscription)
        self._of_user[member.id] += 1
        try:
            if self._stopped:
                subscription.end()
            if self._reading is None or self._tail is None:
                self._tail = asyncio.get_running_loop().create_future()
                self._reading = asyncio.create_task(self._read_on(self._tail))
            subscription.start_id = (await asyncio.shield(self._tail)).last_id
            yield subscription
        finally:
            self._subscriptions[member.workspace_id].discard(subscription)
            if not self._subscriptions[member.workspace_id]:
                del self._subscriptions[member.workspace_id]
            self._of_user -= Counter([member.id])

    def stop(self) -> None:
        """End every stream, and at once those that still come."""
        self._stopped = True
        for subscription in self._listeners():
            subscription.end()

    def _listeners(self) -> Sequence[Subscription]:
        return [each for subscriptions in self._subscriptions.values() for each in subscriptions]

    async def _end_those_who_left(self) -> None:
        """End the streams of who may listen no more; they are told why when they take it up again."""
        listening = self._listeners()
        stay = await to_thread.run_sync(_still_let_in, [each.member for each in listening])
        for subscription, stays in zip(listening, stay, strict=True):
            if not stays:
                subscription.end()

    @contextmanager
    def ending_with_process(self) -> Iterator[None]:
        """While the block runs, a signal to end goes to the streams as well as to whoever it went to before.

        A server ends its connections first and the lifespan after them, so that the lifespan comes too late. Answers of
        any kind that are then still on their way, to clients who take too little of them, are cut off after
        `GRACE_SECONDS`.
        """
        self._stopped = False
        if threading.current_thread() is not threading.main_thread():
            yield  # signals go to the main thread only, and so does a server that is ended by them
            return
        _bound_the_end()
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def on_signal(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.stop)
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)
            elif handler == signal.SIG_DFL:
                signal.signal(number, handler)
                signal.raise_signal(number)

        for number in before:
            signal.signal(number, on_signal)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _read_on(self, first: "asyncio.Future[Tail]") -> None:
        try:
            tail = await to_thread.run_sync(_tail_at_present)
            first.set_result(tail)
            trouble, pause_seconds = RepeatedFailure(log, "reading the steps"), READ_SECONDS
            clock = asyncio.get_running_loop()
            check_at = clock.time() + CHECK_SECONDS
            while self._subscriptions:
                await asyncio.sleep(pause_seconds)
                try:
                    if clock.time() >= check_at:
                        await self._end_those_who_left()
                        check_at = clock.time() + CHECK_SECONDS
                    steps = await to_thread.run_sync(_read, tail)
                except Exception as failure:
                    pause_seconds = max(READ_SECONDS, trouble.met(failure, is_told=availability.is_away(failure)))
                    continue
                trouble.over()
                pause_seconds = READ_SECONDS
                for step in steps:
                    for subscription in tuple(self._subscriptions.get(step.workspace_id, ())):
                        subscription.publish(step)
        except Exception as failure:
            first.set_exception(failure)
        finally:
            self._reading = None


def _bound_the_end() -> None:
    """Limit how long the uvicorn that serves this process waits for its connections, unless its operator has.

    It would wait without end for a client to take what is written already, and nothing but the server can cut that off.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(server, uvicorn.Server) and server.config.timeout_graceful_shutdown is None:
        server.config.timeout_graceful_shutdown = GRACE_SECONDS


def _tail_at_present() -> Tail:
    with db.read_session() as session:
        return Tail.at_present(session)


def _still_let_in(listening: Sequence[Member]) -> Sequence[bool]:
    idle = installation.current().settings.session_idle
    with db.read_session() as session:
        return callers.still_let_in(session, listening, idle=idle)


def _read(tail: Tail) -> Sequence[Step]:
    with db.read_session() as session:
        return tail.read(session)
