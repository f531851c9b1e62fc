from core.worker.lease_watch import LeaseWatch


class Watched:
    """A watch of leases of 20 s, looked at every 5 s by a steady clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.watch = LeaseWatch(20, monotonic=lambda: self.seconds)

    def look(self, leases: dict[str, object], times: int = 1, every_seconds: float = 5.0) -> set[str]:
        """What is over after so many looks."""
        over: set[str] = set()
        for _ in range(times):
            self.seconds += every_seconds
            over = self.watch.silent(dict(leases))
        return over


def test_lease_when_its_worker_is_silent() -> None:
    """A lease that did not change for as long as it lasts is over, not sooner; another one is not."""
    watched = Watched()
    assert watched.look({"a": 1}, 4) == set()
    assert watched.look({"a": 1, "b": 1}) == {"a"}
    assert watched.look({"b": 1}, 4) == {"b"}


def test_lease_when_it_is_renewed() -> None:
    """A lease that changes is alive, whatever moment it names: forward, back, again and again."""
    watched = Watched()
    for moment in (100, 25_300, -7, 25_300, 5, 6, 7, 8, 9, 10):
        assert watched.look({"a": moment}) == set()


def test_lease_when_everything_slept() -> None:
    """After a pause in which nobody could look or renew, there is time to renew it; then it is missed as ever."""
    watched = Watched()
    watched.look({"a": 1}, 2)
    assert watched.look({"a": 1}, every_seconds=600) == set()
    assert watched.look({"a": 2}) == set()
    assert watched.look({"a": 2}, 3) == set()
    assert watched.look({"a": 2}) == {"a"}


def test_lease_when_looks_are_slow() -> None:
    """On a machine so busy that there is a look each half a minute, a silent worker is still missed."""
    watched = Watched()
    assert watched.look({"a": 1}, 2, every_seconds=30) == set()
    assert watched.look({"a": 1}, every_seconds=30) == {"a"}


def test_lease_when_the_database_was_away() -> None:
    """What was seen before an outage does not count: each lease has its full time again."""
    watched = Watched()
    watched.look({"a": 1}, 4)
    watched.watch.start_anew()
    assert watched.look({"a": 1}, 4) == set()
    assert watched.look({"a": 1}) == {"a"}
