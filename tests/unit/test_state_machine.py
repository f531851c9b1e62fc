from core.db.enums import ENDED_STATUSES, Stage, Status
from core.generations.state_machine import TRANSITIONS
from tests.factories.generations import DISPATCHED, SUBMITTING


def test_moves_lead_to_an_end() -> None:
    """Every place has its moves written down, ends have none, and from everywhere an end can be reached."""
    ends = {place for place, onward in TRANSITIONS.items() if not onward}

    assert {status for status, _ in ends} == set(ENDED_STATUSES)
    assert all(onward <= TRANSITIONS.keys() for onward in TRANSITIONS.values())
    reaching = set(ends)
    while more := {place for place, onward in TRANSITIONS.items() if onward & reaching} - reaching:
        reaching |= more
    assert reaching == TRANSITIONS.keys()


def test_moves_never_send_the_uncertain_again() -> None:
    """No move leads from uncertain back to where it would be sent."""
    for (status, _), onward in TRANSITIONS.items():
        if status is Status.UNCERTAIN:
            assert not onward & {DISPATCHED, SUBMITTING, (Status.PENDING, Stage.QUEUED)}
