"""One company for all tests of this folder, whose processes they break one after the other, and the table of counts."""

from collections.abc import Iterator

import pytest
from _pytest.terminal import TerminalReporter

from tests.browser.conftest import chromium, visitor
from tests.many.company import Company, opened
from tests.many.counts import HEAD, Count

__all__ = ["chromium", "visitor"]

COUNTS = pytest.StashKey[list[Count]]()


@pytest.fixture(scope="session")
def whole_company(pytestconfig: pytest.Config) -> Iterator[Company]:
    """A stack that has started."""
    with opened() as found:
        pytestconfig.stash[COUNTS] = found.counts
        yield found


@pytest.fixture
def company(whole_company: Company) -> Iterator[Company]:
    """The stack with all of its parts running, before a test and after it, and its books right."""
    stack = whole_company.stack
    assert [name for name, program in stack.programs.items() if program.has_ended] == []
    yield whole_company
    for program in stack.programs.values():
        if program.has_ended:
            program.start()
    for part in (stack.database, stack.store):
        if part.has_ended:
            part.start()
    for number in stack.web_ports:
        stack.until_web(number)


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """What became of all clips, fault by fault."""
    counts = config.stash.get(COUNTS, [])
    if counts:
        terminalreporter.section("clips around each fault")
        terminalreporter.write_line(HEAD)
        for count in counts:
            terminalreporter.write_line(count.line())
