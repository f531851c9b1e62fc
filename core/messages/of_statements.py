"""What is said of vendors' statements: files and cells that cannot be read, and acceptances that cannot be."""

from collections.abc import Mapping

from core.messages.catalogue import N_

SENTENCES: Mapping[str, str] = {
    # A file as a whole
    "statement_empty": N_(
        "There is nothing in this file. Its first row names the columns, each further one is a line."
    ),
    "statement_without_lines": N_("This file has names of columns and no line below them."),
    "statement_too_long": N_("This statement has more than {limit:,} lines. Split it by provider and month."),
    "statement_column_missing": N_("The file has no column '{head}'."),
    "statement_column_twice": N_("The column '{head}' is chosen for two things."),
    "statement_without_amounts": N_("Choose the column with the amounts."),
    "statement_without_jobs": N_("Choose the column with the job IDs, or the one with the times, or both."),
    "statement_decimal_unknown": N_("The sign before decimals is a point or a comma."),
    "statement_zone_unknown": N_("There is no time zone '{value}'."),
    "statement_of_no_provider": N_("There is no provider '{name}'."),
    "statement_of_coming_month": N_("{month} has not begun yet."),
    "statement_of_other_month": N_("This very file was uploaded for {month} already. Discard it there first."),
    # A cell
    "statement_cell_empty": N_("This cell is empty."),
    "statement_amount_unreadable": N_("'{value}' is no amount as this file writes them."),
    "statement_amount_too_large": N_("'{value}' is too large for one line."),
    "statement_currency_unknown": N_("'{value}' is neither USD nor IDR."),
    "statement_time_unreadable": N_("'{value}' is no day and no time."),
    "statement_job_too_long": N_("A job ID has {limit} characters at most."),
    # What is done with it
    "statement_not_found": N_("There is no such statement."),
    "statement_reason_missing": N_("Say in a word why these differences are accepted."),
    "statement_reason_too_long": N_("The reason has {limit} characters at most."),
    "statement_lines_missing": N_("Name the lines to accept."),
    "statement_line_not_found": N_("A line is not in this statement any more. Look at it again."),
    "statement_line_not_acceptable": N_("There is nothing to accept of a line. Look at the statement again."),
    "statement_was_accepted": N_("Differences of this statement were accepted, so it stays."),
}
