"""What is said to who runs an installation: copies of it, its schema, and the place of its files."""

from collections.abc import Mapping

from core.messages.catalogue import N_

SENTENCES: Mapping[str, str] = {
    # Copies of an installation
    "backup_target_unusable": N_("Name a folder that is not there yet, and not inside the media: {folder}"),
    "no_backup": N_("This is no copy that `backup` has made: {folder}"),
    "backup_of_other_database": N_(
        "This copy holds a {name}, which does not fit the database that DATABASE_URL names."
    ),
    "backup_check_unreadable": N_("This is no copy that `backup` has made, no SQLite file, and no database of ours."),
    "backup_check_damaged": N_("What was restored cannot be used: {said}"),
    "backup_check_no_scratch": N_(
        "No database can be made to restore into: {said}. Let the role of DATABASE_URL make databases, "
        "or restore it elsewhere by your own means and give its address."
    ),
    "backup_check_failed": N_("The audit of what was restored has found what must not be; see the lines above."),
    "distrust_backwards": N_("--since has to come before --until, and --until before now."),
    "backup_files_need_folder": N_("This copy holds files: restore it with STORAGE_URL of a folder, then move them."),
    "something_runs": N_("The app or a worker is running. Stop it first, so that nothing is lost or sent twice."),
    "postgresql_program_missing": N_(
        "{program} is not there. Install the client programs of your PostgreSQL's version, "
        "or copy the database by your own means and say `restored` after it was put back."
    ),
    "schema_is_behind": N_("The database is at {found}, and this version needs {wanted}. Run `migrate`."),
    "schema_is_not_whole": N_("What migrations leave for afterwards is missing: {names}. Run `migrate` again."),
    "schema_wait_is_over": N_("It is not ready after {seconds} seconds: {reason}"),
    "sql_needs_postgresql": N_("SQL is written for PostgreSQL. A SQLite file is brought up to date by `migrate`."),
    "role_may_not_prune": N_(
        "This database role may not remove entries of the audit log. Use the owner's DATABASE_URL."
    ),
    "postgresql_program_failed": N_("{program} has failed: {said}"),
    # People who are erased, and what is kept of them
    "erase_other_address": N_("This is not their address. Write it exactly as it is shown."),
    "erase_not_oneself": N_("You cannot erase yourself. Another administrator can."),
    "person_erased": N_("This person is erased already."),
    "erase_waits": N_("{clips:,} clips are still under way. Erasing goes on when they have ended."),
    "erase_waits_for_decision": N_(
        "{clips:,} unclear clips need a decision first: see Attention. Erasing goes on after it."
    ),
    "erase_books_differ": N_("Closed months are not as they were closed: {months}. Look into that first."),
    "role_may_not_erase": N_(
        "This database role may not change names in the audit log. Run `erase` with the owner's DATABASE_URL."
    ),
    # The place of files
    "storage_is_the_same": N_("FROM and TO are the same place."),
    "storage_is_odd": N_("What comes back is not what was written, or it does not go. This cannot be used for files."),
    "storage_move_not_whole": N_("Not all files are sound in the new place; see the lines above."),
}
