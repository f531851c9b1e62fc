"""When a clip is looked at next, where its provider calls us when it is done: looks are then a safety net.

The first look after an order comes as soon as without calls: it says whether the provider has a line of its own, which
pages tell apart from the making. A call that never comes costs `NET` at the most.
"""

import math
from datetime import datetime, timedelta

from core.db.tables import Flight
from core.providers.contract import JobState

NET = timedelta(seconds=60)
"""The longest pause between two looks."""
IN_LINE = timedelta(seconds=15)
"""The pause while a clip is in its provider's own line, so that pages notice when the making begins."""


def pause_where_calls_come(
    row: Flight, state: JobState, *, pace: timedelta, usual: timedelta, now: datetime
) -> timedelta:
    """Until the next look at a clip that goes on; `pace` is the pause without calls, `usual` how long such a one takes.

    One look is at the usual time, those before it in equal parts of `NET` at most, those after it each `NET`. A clip
    whose provider has called just now, and one that is to be cancelled, is looked at again as without calls.
    """
    has_called = row.expedited_at is not None and now - row.expedited_at < pace
    if has_called or row.cancel_requested_at is not None or row.submitted_at is None:
        return pace
    if state is JobState.QUEUED:
        return max(pace, IN_LINE)
    left = row.submitted_at + usual - now
    if left <= timedelta():
        return max(pace, NET)
    return max(pace, left / math.ceil(left / NET))
