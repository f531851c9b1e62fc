"""Words of charge-back sheets that people read as a PDF."""

from collections.abc import Mapping

from core.messages.catalogue import N_

SENTENCES: Mapping[str, str] = {
    "charge_back_title": N_("Charge-back"),
    "charge_back_by_workspace": N_("All workspaces of this installation"),
    "charge_back_by_project": N_("All projects of this installation; a clip counts in the project it was made in"),
    "charge_back_by_cost_centre": N_("All cost centres of this installation, as projects name them today"),
    "charge_back_closed": N_("The month is closed: these figures are final."),
    "charge_back_open": N_("The month is open: these figures can still change."),
    "charge_back_column_cost_centre": N_("Cost centre"),
    "charge_back_column_workspace": N_("Workspace"),
    "charge_back_column_project": N_("Project"),
    "charge_back_column_owner": N_("Owner"),
    "charge_back_column_clips": N_("Clips"),
    "charge_back_column_credits": N_("Credits"),
    "charge_back_column_rupiah": N_("Rupiah"),
    "charge_back_total": N_("Total"),
    "charge_back_no_cost_centre": N_("No cost centre"),
    "charge_back_undrawn": N_(
        "Signs that this file cannot show are {sign} above. These are their code points, in their order; "
        "the CSV has the names themselves."
    ),
    "charge_back_made": N_("Made on {moment}"),
    "charge_back_page": N_("Page {number} of {pages}"),
    "charge_back_too_long": N_("A PDF has {limit:,} lines at most, and these are more. Take CSV or Excel."),
}
"""Code of a message -> its sentence, as in `core.messages.catalogue`."""
