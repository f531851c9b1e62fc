"""What is said of the lines of statements."""

from core.db.enums import LineOutcome
from core.statements.columns import Field
from pages.ui.language import N_
from pages.ui.wording import TranslatedLabels

OUTCOMES = TranslatedLabels(
    {
        LineOutcome.MATCHED: N_("Matched"),
        LineOutcome.PRICE_DIFFERS: N_("Price differs"),
        LineOutcome.OTHER_MODEL: N_("Another model"),
        LineOutcome.UNCLEAR: N_("Billed, unclear here"),
        LineOutcome.DUPLICATE: N_("Billed twice"),
        LineOutcome.THEIRS_ONLY: N_("Theirs only"),
        LineOutcome.OURS_ONLY: N_("Ours only"),
        LineOutcome.UNREADABLE: N_("Unreadable"),
    }
)
EXPLAINED = TranslatedLabels(
    {
        LineOutcome.MATCHED: N_("A clip of ours at our price"),
        LineOutcome.PRICE_DIFFERS: N_("A clip of ours at another price"),
        LineOutcome.OTHER_MODEL: N_("The job of a clip of ours under another model"),
        LineOutcome.UNCLEAR: N_("Evidence that the provider took a clip that has not ended here"),
        LineOutcome.DUPLICATE: N_("A job that another line has billed already"),
        LineOutcome.THEIRS_ONLY: N_("Nothing of ours fits it"),
        LineOutcome.OURS_ONLY: N_("A clip of ours without a line"),
        LineOutcome.UNREADABLE: N_("A cell cannot be read"),
    }
)
FIELDS = TranslatedLabels(
    {
        Field.JOB: N_("Job ID"),
        Field.MODEL: N_("Model"),
        Field.TIME: N_("Time"),
        Field.AMOUNT: N_("Amount"),
        Field.CURRENCY: N_("Currency"),
    }
)
