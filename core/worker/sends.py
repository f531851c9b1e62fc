"""The records of the journal of sends, and what they say when they are read one after another; no file is touched here.

One record a line, each with a checksum, so that what was cut off is no record.
"""

import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Send:
    """The last time that an order was sent from here, and what is known of it.

    `order` is what its row can be made from again, `outcome` the provider's answer as JSON. `taken` says whether the
    provider has it: True, False (surely not), or None, which nobody knows. `settled`: the database has the outcome.
    """

    installation_id: str
    generation_id: str
    provider: str
    attempt: int
    at: datetime
    order: Mapping[str, Any] = field(default_factory=dict)
    outcome: Mapping[str, Any] | None = None
    taken: bool | None = None
    settled: bool = False

    @property
    def may_exist(self) -> bool:
        """Whether the provider may have it: such an order is never sent again."""
        return self.taken is not False


@dataclass(frozen=True, slots=True)
class Reading:
    """All that the journal holds of one installation: the last send of each order, oldest first.

    `floor` is the moment of the newest send that was forgotten. `is_whole` False: a part cannot be read.
    """

    sends: Sequence[Send]
    floor: datetime | None
    is_whole: bool


class State:
    """What records say when they are read one after another."""

    def __init__(self) -> None:
        self.sends: dict[str, Send] = {}
        self.floors: dict[str, datetime] = {}
        self._unreadable = 0
        self._last_is_unreadable = False

    def take(self, line: bytes) -> None:
        """Read one line. One that cannot be read is left out: a send without its answer may exist, which is safe."""
        if not line.strip():
            return
        record = record_of(line)
        self._last_is_unreadable = record is None
        if record is None:
            self._unreadable += 1
            return
        installation_id, generation_id = record["installation"], record.get("generation", "")
        known = self.sends.get(generation_id)
        match record["kind"]:
            case "floor":
                self.floors[installation_id] = datetime.fromisoformat(record["at"])
            case "sending":
                self.sends.pop(generation_id, None)  # so that the newest stands last
                self.sends[generation_id] = replace(named_in(record), order=record["order"])
            case "answered":
                if known is None or known.attempt < record["attempt"]:  # its send cannot be read
                    known = named_in(record)
                if known.attempt == record["attempt"]:
                    answer = replace(known, outcome=record["outcome"], taken=record["taken"])
                    self.sends[generation_id] = answer
            case "settled" if known is not None and known.attempt == record["attempt"]:
                self.sends[generation_id] = replace(known, settled=True)

    def reading(self, installation_id: str) -> Reading:
        """Of one installation. A last line that was cut off was never acted upon, and nothing is missing with it."""
        sends = [send for send in self.sends.values() if send.installation_id == installation_id]
        is_whole = self._unreadable == int(self._last_is_unreadable)
        return Reading(sends, self.floors.get(installation_id), is_whole)

    def forget(self, generation_ids: Collection[str], too_old: datetime, *, keep_bytes: int) -> int:
        """Drop those of these that are too old, and as many more, oldest first, as the size asks for; how many."""
        left_bytes = sum(len(line_of(record)) for send in self.sends.values() for record in records_of(send))
        forgotten = 0
        for send in list(self.sends.values()):
            may_go = send.generation_id in generation_ids and (send.settled or send.at < too_old)
            if may_go and (send.at < too_old or left_bytes > keep_bytes):
                left_bytes -= sum(len(line_of(record)) for record in records_of(send))
                del self.sends[send.generation_id]
                self.floors[send.installation_id] = max(self.floors.get(send.installation_id, send.at), send.at)
                forgotten += 1
        return forgotten

    def records(self) -> Iterator[Mapping[str, Any]]:
        """What has to be written down to be read as this."""
        for installation_id, floor in self.floors.items():
            yield {"kind": "floor", "installation": installation_id, "at": floor.isoformat()}
        for send in self.sends.values():
            yield from records_of(send)


def records_of(send: Send) -> Iterator[Mapping[str, Any]]:
    """All records that have to be read to know this."""
    yield sending_record(send)
    if send.outcome is not None:
        yield answered_record(send)
    if send.settled:
        yield settled_record(send)


def sending_record(send: Send) -> Mapping[str, Any]:
    """It is about to be sent."""
    return _named("sending", send) | {"order": send.order}


def answered_record(send: Send) -> Mapping[str, Any]:
    """This is its answer."""
    return _named("answered", send) | {"outcome": send.outcome, "taken": send.taken}


def settled_record(send: Send) -> Mapping[str, Any]:
    """The database has its outcome."""
    return _named("settled", send)


def _named(kind: str, send: Send) -> dict[str, Any]:
    return {
        "kind": kind,
        "installation": send.installation_id,
        "generation": send.generation_id,
        "provider": send.provider,
        "attempt": send.attempt,
        "at": send.at.isoformat(),
    }


def named_in(record: Mapping[str, Any]) -> Send:
    """The send that a record names, without what else it says."""
    return Send(
        record["installation"],
        record["generation"],
        record["provider"],
        record["attempt"],
        datetime.fromisoformat(record["at"]),
    )


def line_of(record: Mapping[str, Any]) -> bytes:
    """A record as it stands in the file."""
    body = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def record_of(line: bytes) -> Mapping[str, Any] | None:
    """What a line says; None when it is not whole."""
    checksum, _, body = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        return None
    found: Mapping[str, Any] = json.loads(body)
    return found
