"""What is said of tables of orders: unreadable files, cells that need a change, and what was taken for what."""

from collections.abc import Mapping

from core.messages.catalogue import N_

SENTENCES: Mapping[str, str] = {
    # A file as a whole
    "sheet_is_no_table": N_(
        "This is neither a CSV file nor an Excel workbook (.xlsx). Save your table as one of them."
    ),
    "sheet_is_old_excel": N_(
        "This is an old Excel file or one with a password. Save it as .xlsx without a password, or as CSV."
    ),
    "sheet_is_damaged": N_("This workbook is damaged or incomplete. Open it, save it again and choose the new file."),
    "sheet_file_too_large": N_("This file is larger than {limit_mb} MB. Split it into several."),
    "sheet_unpacks_too_large": N_(
        "This workbook unpacks to more than {limit_mb} MB. Keep the columns of the order and save it anew."
    ),
    "sheet_empty": N_("There is nothing in this file. Its first row names the columns, each further one is an order."),
    "sheet_without_lines": N_("This file has names of columns and no row below them. Each row is an order."),
    "sheet_too_wide": N_("This table has more than {limit} columns. Take out those that are not needed."),
    "sheet_too_long": N_("This table has more than {limit:,} rows or {cells:,} cells. Split it into several."),
    "sheet_too_many_clips": N_("This table orders {clips:,} clips. One table can order {limit:,} at most."),
    "sheet_cell_too_long": N_("A cell of row {row} has more than {limit:,} characters. Shorten it."),
    "sheet_without_prompts": N_("No column is named Prompt. The first row has: {found}. Known columns are: {known}."),
    "sheet_column_twice": N_("The columns '{first}' and '{second}' say the same. Keep one of them."),
    "sheet_was_cp1252": N_("Read as Windows-1252. If letters look wrong, save the file as UTF-8."),
    # A cell
    "cell_missing_model": N_("No model is named, and the table has no model for empty cells."),
    "cell_no_model": N_("There is no model '{value}'."),
    "cell_no_model_but": N_("There is no model '{value}'. Is it '{nearest}'?"),
    "cell_several_models": N_("Several models are called '{value}'. Write its id: {known}."),
    "cell_missing_project": N_("No project is named, and the table has no project for empty cells."),
    "cell_no_project": N_("There is no project '{value}' in this workspace, or it is archived."),
    "cell_several_projects": N_("Several projects are called '{value}'. Write the id of one."),
    "cell_no_image": N_("There is no uploaded image '{value}' in this workspace. Upload it, and write its name."),
    "cell_several_images": N_("Several uploaded images are called '{value}'. Write the path of one: {known}."),
    "cell_image_is_address": N_(
        "Images are not fetched from addresses. Upload the image, and write its name or path here."
    ),
    "cell_not_whole": N_("'{value}' is not a whole number."),
    "cell_number_unclear": N_("'{value}' can be read as two numbers. Write it without dots and commas."),
    "cell_number_shortened": N_(
        "The spreadsheet has shortened this number to '{value}'. Format the column as text and write all its digits."
    ),
    "cell_not_yes_or_no": N_("'{value}' is neither yes nor no."),
    "cell_ratio_is_day": N_(
        "The spreadsheet has made the day '{value}' of this ratio. Format the column as text and write it as 16:9."
    ),
    "cell_variations": N_("Order 1 to {limit} variations of a row."),
    "cell_settings_of_table": N_("{problem} This is the value for empty cells."),
    # What was taken for what
    "cell_ratio_was_time": N_("The time '{value}' was taken for the ratio {ratio}."),
    "cell_number_written_out": N_("'{value}' was taken for {number}."),
    "cell_formula_is_text": N_("This begins like a formula. It is taken as text, and nothing is computed."),
    # Ordering
    "sheet_not_found": N_("This table does not exist, or it is not of your workspace."),
    "sheet_has_faults": N_("{rows} rows need a change. Nothing was ordered."),
    "sheet_orders_nothing": N_("Every row of this table is left out. Nothing was ordered."),
    "sheet_is_ordered": N_("This table was ordered already. Change a row to order again."),
    "sheet_has_changed": N_("Somebody has changed this table meanwhile, so nothing was ordered. Look at it again."),
    # Prompts with variables
    "variable_unclosed": N_("A brace is not closed. Write {{{{ for a brace that is meant as one."),
    "variable_unnamed": N_("Name a variable with letters, figures and spaces, as in {{animal}}."),
    "variable_without_values": N_("Give at least one value for '{name}'."),
    "variable_not_in_prompt": N_("The prompt has no variable '{name}'."),
    "variable_lists_differ": N_("Lists that go row by row have the same length. These have: {lengths}."),
    "prompt_without_variables": N_("The prompt has no variable. Write one in braces, as in: A {{animal}} at the lake."),
    "too_many_combinations": N_("These lists make {count:,} prompts. One table can have {limit:,} at most."),
}
"""Code of a message -> its sentence, as in `core.messages.catalogue`."""
