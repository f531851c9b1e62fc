"""What people are told in their inbox and in messages."""

from collections.abc import Mapping

from core.messages.catalogue import N_

SENTENCES: Mapping[str, str] = {
    # Clips
    "notice_clip_done": N_("A clip is finished: {project} ({model})"),
    "notice_clips_done": N_("{clips:,} clips are finished: {project}"),
    "notice_clips_mixed": N_("{done:,} of {total:,} clips are finished: {project}"),
    "notice_clip_failed": N_("A clip failed: {project} ({model})"),
    "notice_clips_failed": N_("{clips:,} clips failed: {project}"),
    "notice_clip_returned": N_("{reason} {credits:,} credits came back."),
    "notice_some_failed": N_("{failed:,} failed, and {credits:,} credits came back."),
    "notice_some_unclear": N_("{unclear:,} need review."),
    "notice_parts": N_("{parts}"),
    "notice_clips_late": N_("Clips that were under review have ended: {project}"),
    "notice_clip_unclear": N_("A clip needs review: {project} ({model})"),
    "notice_clips_unclear": N_("{clips:,} clips need review: {project} ({model})"),
    "notice_unclear_meaning": N_(
        "It is not known whether the provider made it. Its credits stay reserved, and an administrator decides."
    ),
    "notice_clips_to_decide": N_("{clips:,} unclear clips in {workspace} need your decision"),
    "notice_decide_meaning": N_("Look at the provider's own list, then release their credits or name the job."),
    # Credits, budgets, storage
    "notice_balance_low": N_("Few credits are left: {workspace}"),
    "notice_balance_nearly_nothing": N_("Credits are nearly used up: {workspace}"),
    "notice_balance": N_("{credits:,} credits can be spent."),
    "notice_credits_added": N_("{credits:,} credits were added: {workspace}"),
    "notice_by": N_("By {actor}"),
    "notice_storage": N_("Storage is nearly full: {workspace}"),
    "notice_storage_used": N_("{percent} % of it is used. Delete clips that are not needed."),
    "notice_budget": N_("{percent} % of the budget is used: {name}"),
    "notice_budget_used": N_("{used:,} of {budget:,} credits."),
    "notice_clip_leaves": N_("A clip goes to the trash on {day}: {workspace}"),
    "notice_clip_leaves_meaning": N_("Nobody has kept it. Keep it, or make it a favourite, and it stays."),
    "notice_clips_leave": N_("{clips:,} clips go to the trash on {day}: {workspace}"),
    "notice_clips_leave_meaning": N_("Nobody has kept them. Keep one, or make it a favourite, and it stays."),
    # Models and providers
    "notice_model_ends": N_("{model} ends on {day}"),
    "notice_model_ended": N_("{model} has ended"),
    "notice_model_ends_meaning": N_(
        "Clips were made with it in the last 30 days, by you or where you manage. "
        "Presets and scripts that name it need another model."
    ),
    "notice_provider_refuses": N_("{provider} needs an administrator"),
    "notice_provider_refuses_meaning": N_("{reason} Orders for its models fail until that is mended."),
    "notice_provider_works": N_("{provider} works again"),
    "notice_provider_took_order": N_("It has accepted an order."),
    "notice_provider_took_key": N_("A check of its key has succeeded."),
    # Where people belong
    "notice_member_added": N_("You are now in the team {workspace}, as {role}"),
    "notice_member_role": N_("You are now {role} in {workspace}"),
    "notice_installation_role": N_("You are now {role} in this installation"),
    "notice_invited": N_("You are invited to the team {workspace}"),
    "notice_invited_here": N_("You are invited to this installation"),
    "notice_invited_by": N_("{actor} has made the invitation and has the link for you."),
    "notice_role_viewer": N_("viewer"),
    "notice_role_maker": N_("maker"),
    "notice_role_manager": N_("manager"),
    "notice_role_user": N_("user"),
    "notice_role_analyst": N_("analyst"),
    "notice_role_admin": N_("administrator"),
    # Views of usage that somebody has sent to themselves
    "notice_report": N_("{view}, {since} to {until}"),
    "notice_report_attached": N_("The figures are in the file {file}, as on the page Usage. Days are UTC."),
    "notice_report_too_large": N_("The file is too large to be sent. The page Usage has it. Days are UTC."),
    "notice_report_failed": N_("A report was not sent: {view}"),
    "notice_report_why": N_("You get this because you have it sent to you: Usage, Explore, Sent to me."),
    "report_not_found": N_("This report does not exist, or it is not yours."),
    "report_way_off": N_("You are not told in this way any more. Turn it on under Account, Being told."),
    "report_way_takes_no_files": N_("A report is sent by e-mail or to a webhook of yours."),
    "too_many_reports": N_("{limit} reports are sent to you already. Stop one first."),
    "notice_test": N_("This is a test"),
    "notice_test_meaning": N_("It shows that you can be told in this way. Nothing has happened."),
    # Around them, in messages that leave the installation
    "notice_digest": N_("{number:,} pieces of news from AI Video Generator"),
    "notice_prompt": N_("Prompt: {prompt}"),
    "notice_open": N_("Open"),
    "notice_why": N_("You get this because you switched it on under Account, Being told."),
    # What is refused, and what went wrong with a message
    "notice_not_found": N_("This notice does not exist, or it is not yours."),
    "way_not_found": N_("You are not told in this way yet."),
    "way_has_no_address": N_("This way has no address of its own. Leave it out."),
    "way_has_no_digest": N_("Only e-mail can come once a day."),
    "inbox_stays_on": N_("The inbox cannot be turned off; choose which kinds of notices it shows."),
    "mail_is_off": N_("No mail server is set up in this installation. An administrator sets SMTP_HOST and SMTP_FROM."),
    "mail_not_taken": N_("The mail server did not take the message ({code})."),
    "mail_not_reached": N_("The mail server was not reached ({name})."),
    "mail_no_address": N_("The address you sign in with can take no mail."),
    "too_many_tests": N_("A test was sent a moment ago. Wait a minute."),
}
"""Code of a message -> its sentence, as in `core.messages.catalogue`."""
