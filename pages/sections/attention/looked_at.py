"""What waits, as the bar of this run has just counted it: the page below shows the same and looks no second time."""

from functools import partial

from core import db, installation
from core.insights import attention
from core.insights.attention import Attention
from core.workspaces.access import Charge


def waiting(charge: Charge) -> Attention:
    """What waits in a charge; of this run where its page is the one that shows it."""
    here = installation.current()
    with db.read_session() as session:
        return here.attention.found(charge, partial(attention.look, session, here.settings, charge))
