"""The model that a vendor is asked for: with the vendor's id of the moment of the order, by which it stays."""

from dataclasses import replace
from datetime import datetime

from core.catalog.catalogue import Entry
from core.catalog_changes import current
from core.config import Settings
from core.db import ReadSession
from core.db.tables import Generation
from core.providers.models import VideoModel


def model(session: ReadSession, settings: Settings, row: Generation) -> VideoModel | None:
    """The model of an order; None for one that is not here any more. One statement, and never of a second ago.

    What an administrator has said the vendor calls it comes before the setting of this process, and that before files.
    """
    entry = current.of(session).find(row.model_id)
    return None if entry is None else named(entry, settings, row.created_at)


def named(entry: Entry, settings: Settings, at: datetime) -> VideoModel:
    """A model as its vendor is asked for it by an order of a moment."""
    renamed = entry.vendor_id(at) or settings.provider_model_ids.get(entry.model.provider, {}).get(entry.model.id)
    return replace(entry.model, upstream_id=renamed) if renamed else entry.model
