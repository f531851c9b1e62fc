"""What there is to order with, read once a run; it draws nothing."""

from collections.abc import Collection
from dataclasses import dataclass

from core.billing import ledger


@dataclass(frozen=True, slots=True)
class Means:
    """The workspace's balance, whether it keeps as much as its quota allows, and the providers that have a key."""

    balance: ledger.Balance
    is_full: bool
    configured: Collection[str]
    quota_bytes: int
