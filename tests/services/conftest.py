"""Far sides that several tests of what is sent need."""

from collections.abc import Iterator

import pytest

from tests.fixtures import receiver as receivers
from tests.fixtures.mail_server import MailServer, mail_server
from tests.fixtures.receiver import Receiver


@pytest.fixture
def post_office() -> Iterator[MailServer]:
    """A mail server."""
    with mail_server() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody's chat or webhook."""
    with receivers.receiver() as running:
        yield running
