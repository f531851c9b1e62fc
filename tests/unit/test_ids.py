import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

from core.clock import utc_now
from core.ids import new_id


def test_new_id_is_a_uuid_of_now() -> None:
    """Version 7 and variant are those of RFC 9562, and texts sort by its first 48 bits, the time in ms."""
    before = utc_now()
    found = [uuid.UUID(new_id()) for _ in range(1000)]
    after = utc_now()

    assert {(one.version, one.variant) for one in found} == {(7, uuid.RFC_4122)}
    first, last = (datetime.fromtimestamp((one.int >> 80) / 1000, UTC) for one in (found[0], found[-1]))
    times = [str(one)[:13] for one in found]
    assert times == sorted(times)
    assert before - timedelta(milliseconds=1) <= first <= last <= after


def test_new_ids_sort_as_they_were_made() -> None:
    """Also within one millisecond: what is made one after the other is read in that order."""
    found = []
    for _ in range(500):
        found.append(new_id())
        before = time.time_ns()
        while time.time_ns() < before + 500:
            continue
    assert found == sorted(found)


def test_new_ids_when_many_are_made_at_once() -> None:
    """No two are alike, though many fall into one millisecond."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.extend(new_id() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 8000
    assert {len(one) for one in found} == {36}
