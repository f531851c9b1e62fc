from threading import Thread

from core import logs
from core.ids import is_id
from pages.ui import run


def test_a_press_and_what_it_draws_have_one_id() -> None:
    """What is called back and the page that is drawn then are one run; the next run of the same thread is another, and
    has nothing of the one before."""
    seen: list[str] = []
    bound: list[str | None] = []

    def of_a_session() -> None:
        for _turn in range(2):
            seen.append(run.request_id())  # a callback, before the page
            logs.bind(generation_id=f"g-{len(seen)}")
            with run.begun():
                seen.append(run.request_id())
            bound.append(logs.ids().get("generation_id"))
        seen.append(run.request_id())
        bound.append(logs.ids().get("generation_id"))

    thread = Thread(target=of_a_session)
    thread.start()
    thread.join()

    first, again, second, second_again, third = seen
    assert all(map(is_id, seen))
    assert (first, second) == (again, second_again)
    assert len({first, second, third}) == 3
    assert bound == ["g-1", "g-3", None]
