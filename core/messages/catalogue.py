"""Every message of core: its code, and its sentence in English, which is also its name in the catalogues of gettext.

A place is written as `str.format` does. A format such as `{credits:,}` marks a figure that each language writes in its
own way; a number without one (a year, a status, a port) stays as it is. A code is kept in the database for ever: reword
a sentence freely, but give another meaning another code. The sentences of the errors stand with them in `core.errors`.
"""

from typing import NewType

Source = NewType("Source", str)
"""An English sentence without places that the catalogues know, made by `N_` alone."""


def N_(text: str) -> Source:  # noqa: N802 -- the name that gettext's tools know for "mark only"
    """Mark a text for the catalogues; it is put into the reader's language where it is shown."""
    return Source(text)


PLAIN = "text"
"""The code of a message that is a text: one that is marked where it stands, or one of before messages had codes."""

TEMPLATES: dict[str, str] = {
    PLAIN: "{text}",
    # The life of a generation, as its timeline and the ledger tell it
    "ordered": N_("Ordered; {total_credits:,} credits reserved"),
    "next_in_line": N_("Next in line at {provider}"),
    "sending": N_("Sending to {provider}"),
    "accepted": N_("Accepted by {provider}"),
    "not_accepted_yet": N_("Not accepted yet, tried again in {seconds:.0f} s. {error}"),
    "put_back": N_("Put back from the journal of what was sent; the database did not know this order any more"),
    "credits_put_back": N_("Credits of an order that was put back"),
    "found_in_list": N_("Found in the provider's own list"),
    "found_by_administrator": N_("An administrator found the job at the provider"),
    "provider_finished": N_("The provider has finished"),
    "fetching": N_("Fetching the finished clip"),
    "fetched_again": N_("Fetching the clip was interrupted; it is fetched again"),
    "not_fetched_yet": N_("Could not fetch the clip yet, tried again in {seconds:.0f} s. {error}"),
    "stored": N_("Clip stored and checked; {credits:,} credits charged."),
    "stored_otherwise": N_("Clip stored and checked; {credits:,} credits charged. {gaps}"),
    "delivered_unsigned": N_("Delivered without content credentials. {reason}"),
    "delivered_unmarked": N_("Delivered without the visible mark, which could not be put into the picture."),
    "cannot_carry_credentials": N_("Only MP4, MOV, JPEG, PNG and WebP files can be checked."),
    "failed": N_("Failed; {credits:,} credits returned. {error}"),
    "cancel_requested": N_("Cancelling was asked for"),
    "cancelled": N_("Cancelled; {credits:,} credits returned"),
    "reserved_at_submit": N_("Reserved at submit"),
    "clip_stored": N_("Clip stored"),
    "hold_released_by_cancel": N_("Cancelled"),
    "signup_credits": N_("Credits for a new person"),
    # Why one ended or cannot go on
    "never_received": N_(
        "The provider has no such job: it never got it, or has forgotten it. Nothing was charged; try again."
    ),
    "never_made": N_("An administrator found that the provider never made this clip."),
    "no_new_jobs": N_("The provider did not take this job in time. Nothing was charged."),
    "sent_is_unknown": N_(
        "The database was put back from a copy, and this order may have been sent since. "
        "The credits stay reserved until it is settled; nothing is sent a second time."
    ),
    "cannot_note_send": N_("This cannot be sent while the disk takes no note of it. It is tried again by itself."),
    "overdue": N_(
        "The provider has had this for longer than it should take. We keep asking; the credits stay reserved."
    ),
    "cannot_fetch_from_there": N_(
        "The finished clip cannot be fetched from where the provider put it. An administrator can see why."
    ),
    "cannot_store": N_("The finished clip could not be stored. An administrator has to look at the disk."),
    "not_a_video": N_("This is not a video that can be shown."),
    # How a delivered clip differs from its order
    "other_shape": N_("Asked for {aspect_ratio}, delivered {width} × {height}."),
    "other_size": N_("Asked for {resolution} ({asked_width} × {asked_height}), delivered {width} × {height}."),
    "other_length": N_("Asked for {duration_seconds} s, delivered {seconds:.1f} s."),
    "no_sound": N_("Asked for sound, delivered without."),
    # What a delivered clip shows when it is looked over
    "found_black": N_("The picture is black from {start_seconds:.1f} s to {end_seconds:.1f} s."),
    "found_frozen": N_("The picture stands still from {start_seconds:.1f} s to {end_seconds:.1f} s."),
    "found_flicker": N_(
        "The picture flickers from {start_seconds:.1f} s to {end_seconds:.1f} s, "
        "{flashes_per_second:.0f} times a second."
    ),
    "found_bars": N_("Of the picture, black bars take {percent:.0f}%."),
    "found_silent": N_("Asked for sound, delivered a silent track."),
    "found_clipped": N_("The sound is distorted: it is cut off at its limit."),
    "found_too_loud": N_("The sound is far too loud, at {lufs:.1f} LUFS."),
    "found_too_quiet": N_("The sound can hardly be heard, at {lufs:.1f} LUFS."),
    # What can be done with a generation
    "status_pending": N_("pending"),
    "status_processing": N_("processing"),
    "status_uncertain": N_("uncertain"),
    "status_completed": N_("completed"),
    "status_failed": N_("failed"),
    "status_cancelled": N_("cancelled"),
    "generation_not_found": N_("This generation does not exist, or it is not yours."),
    "no_such_generation": N_("This generation does not exist."),
    "already_ended": N_("This generation is already {status}."),
    "already_made": N_("The clip is already made."),
    "cannot_retry": N_("Only a failed or cancelled generation can be tried again."),
    "cannot_delete_yet": N_("This generation is still under way. Cancel it first, or wait for its end."),
    "cannot_judge_yet": N_("Only a finished clip can be kept or rejected."),
    "reason_without_rejection": N_("Only a rejected clip has a reason for it."),
    "cannot_move_yet": N_("This clip is still under way. It can be moved when it has ended."),
    "cannot_extend_yet": N_("Only a completed clip can be extended. Wait until it is here."),
    "no_frame_yet": N_("Only a completed clip has pictures to take. Wait until it is here."),
    "job_of_another": N_("The job {job_id} belongs to another generation."),
    "job_known": N_("The provider's job id of this generation is known already."),
    "job_id_unusable": N_("A provider's job id has 1 to {limit} printable characters."),
    "not_uncertain": N_("This generation is {status}, not uncertain."),
    "told_by_provider": N_("The provider told us this job by itself."),
    "too_many_tags": N_("Use at most {limit} tags for a clip."),
    "comma_in_tag": N_("A tag has no comma; write one tag at a time."),
    "too_many_at_once": N_("Choose at most {limit} clips at once."),
    "batch_size": N_("Order 1 to {limit} clips at once; these are {ordered}."),
    "idempotency_key_unusable": N_("Use 1 to {limit} printable characters, new for each request."),
    # The sample company
    "sample_is_local": N_("A sample company is only for AUTH_MODE=local, where nobody signs in."),
    "sample_needs_room": N_(
        "The sample company could not be written, and nothing of it is left. It needs about 100 MB where this "
        "installation keeps its files: free some space there, then try again."
    ),
    "sample_is_at_work": N_(
        "Clips that are still being made in the sample company: {number:,}. Wait until they have ended, or decide "
        "the unclear ones under Admin; then remove it again."
    ),
    "sample_is_elsewhere": N_(
        "Somebody of the sample company has made things in the workspace '{workspace}', whose figures would change "
        "without them. Transfer or delete what they made there, then remove it again."
    ),
    # Models, settings and prices
    "vendors_do_not_work": N_("These vendors do not work: {names}."),
    "no_such_vendor": N_("There is no vendor {name}. There are: {known}."),
    "no_such_model": N_("There is no model '{model_id}'. Choose one of: {known}."),
    "unusable_provider_key": N_(
        "The key of {provider} holds characters that no key has. An administrator has to set it again."
    ),
    "key_was_mended": N_(
        "{variable} has spaces, a line end or quotation marks around it. They are cut off; set it again without them."
    ),
    "provider_has_no_address": N_("{provider} has no address here. An administrator can set {variable}."),
    "provider_has_no_key": N_("{provider} has no key here. An administrator can add one."),
    "provider_refuses_account": N_(
        "{provider} does not accept our account at the moment. An administrator has to look."
    ),
    "provider_refuses_field": N_(
        'The provider does not accept what was chosen for "{field}". Change it and try again; nothing was charged.'
    ),
    "provider_has_moved": N_("{provider} has moved to another address. An administrator has to set {setting}."),
    "provider_has_trouble": N_("{provider} has trouble at the moment. Orders wait and are sent when it is back."),
    "no_price_of_model": N_("There is no price for the model '{model_id}'."),
    "no_price_of_resolution": N_("'{resolution}' has no price. Use one of: {known}."),
    "duration_not_positive": N_("The duration must be a positive number of seconds."),
    "model_makes_resolutions": N_("{name} makes {resolutions}."),
    "model_makes_durations": N_("{name} makes clips of {durations} seconds."),
    "model_makes_ratios": N_("{name} makes {aspect_ratios}."),
    "one_of": N_("{others} or {last}"),
    "from_to": N_("{first} to {last}"),
    "no_negative_prompt": N_("{name} takes no negative prompt. Leave it empty."),
    "no_start_image": N_("{name} takes no start image. Remove it or choose another model."),
    "no_end_image": N_("{name} takes no end image. Remove it or choose another model."),
    "end_image_needs_start": N_("{name} takes an end image only together with a start image."),
    "needs_start_image": N_("{name} needs a start image."),
    "makes_no_sound": N_("{name} makes no sound. Switch it off or choose another model."),
    "no_enhancement": N_("{name} does not enhance prompts. Switch it off or choose another model."),
    "takes_no_seed": N_("{name} takes no seed. Leave it empty."),
    "seed_out_of_range": N_("A seed is a whole number from 0 to {limit}."),
    "model_makes_frame_rates": N_("{name} makes {frame_rates} frames a second."),
    "no_frame_rates": N_("{name} decides by itself how many frames a second it makes. Leave it open."),
    "takes_no_references": N_("{name} takes no references. Remove them or choose another model."),
    "too_many_references": N_("{name} takes {limit} reference images at most."),
    "takes_no_images": N_("{name} takes no images as references. Remove them or choose another model."),
    "takes_no_videos": N_("{name} takes no videos as references. Remove them or choose another model."),
    "takes_no_sounds": N_("{name} takes no sounds as references. Remove them or choose another model."),
    "too_many_reference_videos": N_("{name} takes {limit} videos as references at most."),
    "too_many_reference_sounds": N_("{name} takes {limit} sounds as references at most."),
    "no_such_role": N_("{name} knows {roles} as roles of a reference."),
    "no_roles": N_("{name} knows no roles of references. Leave it empty."),
    "prompt_missing": N_("Write what the clip should show."),
    "model_withdrawn": N_("{name} has ended. Use {successor} instead."),
    "model_withdrawn_alone": N_("{name} has ended, and no model here takes its place. Choose another one."),
    "model_hidden": N_("{name} is not offered here. Choose another model."),
    "change_too_far": N_("Choose a time within {years} years."),
    "change_at_that_moment": N_(
        "Another change of the same begins at that very moment. Take that one back first, or choose another moment."
    ),
    "change_has_begun": N_("This change has begun, and what was ordered since stays as it is. Make another change."),
    "change_is_taken_back": N_("This change is taken back already."),
    "change_not_found": N_("There is no such change."),
    "change_begins_at_once": N_("This holds at once; it cannot be set for later."),
    "model_exists": N_("There is a model '{model_id}' already. Choose another id."),
    "model_id_unusable": N_(
        "An ID has 1 to {limit} letters, digits, dots, dashes, colons or slashes, as veo3 or fal/veo."
    ),
    "no_such_provider": N_("There is no provider '{provider}'. Choose one of: {known}."),
    "successor_is_itself": N_("A model cannot take its own place. Choose another one."),
    "model_note_not_found": N_("This note does not exist."),
    "base_price_not_positive": N_("A base price is a whole number above 0."),
    "weight_out_of_range": N_("A weight is between 1 and {most}."),
    "rate_out_of_range": N_("A dollar is between {least:,} and {most:,} rupiah."),
    "rate_begins_in_the_past": N_("A rate begins at once or at a moment to come."),
    "vendor_percent_not_positive": N_("A factor on the provider's price is at least 1 percent."),
    "markup_too_low": N_("A markup is at least 100 percent of the cost."),
    # Credits and budgets
    "credits_short": N_("This needs {needed_credits:,} credits and {available_credits:,} are available."),
    "booking_too_large": N_("At most {limit:,} credits can be booked at once."),
    "reason_unusable": N_("Give a reason of 1 to {limit} printable characters; it is kept in the ledger."),
    "period_backwards": N_("The first day must not be after the last."),
    "period_too_long": N_("Ask for {limit} days at most."),
    "period_unknown": N_("Name a month such as 2026-10, a quarter such as 2026-Q3, or a number of days."),
    "period_to_come": N_("This period has not begun yet."),
    "period_or_days": N_("Give a period by name, or its first and last day, not both."),
    "one_or_two_dimensions": N_("Choose one or two different dimensions."),
    "usage_view_not_found": N_("This saved view does not exist, or it is not shared with you."),
    "usage_view_name_missing": N_("Give the view a name."),
    "usage_view_name_taken": N_("You have a view named '{name}' already. Choose another name, or change that one."),
    "too_many_usage_views": N_("You have {limit} saved views already. Delete one first."),
    "too_many_rows": N_("These are more than {limit:,} rows. Ask for fewer days, longer steps or fewer dimensions."),
    "grant_not_positive": N_("A grant is a whole number above 0."),
    "adjustment_of_nothing": N_("An adjustment of 0 changes nothing."),
    "transfer_not_positive": N_("A transfer is a whole number above 0."),
    "sample_apart": N_("The sample company keeps to itself, since it goes with all that is in it."),
    "transfer_to_itself": N_("These are one and the same workspace. Choose another one."),
    "no_account": N_("There is no account for the person {user_id}."),
    "budget_not_positive": N_("A budget is a whole number above 0. Leave it empty for none."),
    "budget_that_stops": N_("This budget stops orders. Change it with PUT /budgets, or on the page Budgets."),
    "budget_of_nobody": N_("Nobody of this id is in the workspace."),
    "time_zone_unknown": N_("Name a time zone such as Asia/Jakarta, or UTC."),
    "budget_stops_workspace": N_(
        "This needs {needed_credits:,} credits. Of the workspace's budget of {limit_credits:,} for this month, "
        "{left_credits:,} are left."
    ),
    "budget_stops_project": N_(
        "This needs {needed_credits:,} credits. Of the budget of {limit_credits:,} that the project {name} has for "
        "this month, {left_credits:,} are left."
    ),
    "budget_stops_member": N_(
        "This needs {needed_credits:,} credits. Of the budget of {limit_credits:,} that {name} has for this month, "
        "{left_credits:,} are left."
    ),
    # Texts, people and tokens
    "text_too_long": N_("Use at most {limit:,} characters; these are {length:,}."),
    "control_characters": N_("Remove the control characters; they may have come with a paste."),
    "not_an_email": N_("'{email}' is not an e-mail address."),
    "no_such_person": N_("There is no person with the address {email}."),
    "not_a_language": N_("This is not a language tag."),
    "cursor_unusable": N_("This is not a value that was handed out here."),
    "administrators_only": N_("This is for administrators."),
    "name_missing": N_("Give it a name."),
    "time_has_passed": N_("Choose a time that is still to come."),
    "cap_out_of_range": N_("A cap is a whole number from 1 to {limit:,}. Leave it empty for none."),
    "capped_token_moves_none": N_("A token with a cap moves no credits. Use one without a cap, or the browser."),
    "capped_token_makes_none": N_("A token with a cap makes no other token. Use one without a cap, or the browser."),
    "too_many_tokens": N_("You have {limit} tokens already. Revoke some that are no longer used."),
    # Projects, presets and images
    "not_allowed": N_("Your role in this workspace does not allow this."),
    "analysts_see_everybody": N_("Only analysts and administrators may look at everybody's figures."),
    "personal_workspace": N_("This is somebody's personal workspace, where nobody else can be. Use a team instead."),
    "workspace_archived": N_("This workspace is archived. An administrator can bring it back."),
    "workspace_with_role": N_("Choose a workspace together with a role in it."),
    "not_a_member": N_("This person is not in this workspace."),
    "already_a_member": N_("{email} is in this workspace already. Change their role there instead."),
    "member_by_claims": N_(
        "The groups of their sign-in have put this person here. It is changed where these groups are kept."
    ),
    "last_manager": N_("This is the last manager here. Make somebody else a manager first."),
    "last_administrator": N_("This is the last administrator. Make somebody else an administrator first."),
    "person_not_found": N_("This person does not exist."),
    "person_deactivated": N_("This person is deactivated. Let them in again first."),
    "person_merged": N_("This person was merged into another one, and stays so."),
    "merge_with_itself": N_("These are one and the same person. Choose another one."),
    "invitation_unusable": N_("This invitation was used or taken back, or it has expired. Ask for another one."),
    "invitation_of_another": N_("This invitation is for another address. Sign in with that one, or ask for another."),
    "project_is_there": N_("This project is in this workspace already."),
    "project_under_way": N_("Clips of this project are still under way. It can be transferred when they have ended."),
    "workspace_not_found": N_("This workspace does not exist, or you are not in it."),
    "project_of_another_workspace": N_("This project is in another workspace. Choose one of the same."),
    "project_not_found": N_("This project does not exist, or it is not yours."),
    "project_archived": N_("This project is archived. Bring it back first."),
    "project_has_generations": N_(
        "This project has generations, so its charges must stay on record. Archive it instead."
    ),
    "project_name_missing": N_("Give the project a name."),
    "preset_not_shared": N_("This preset does not exist, or it is not shared with you."),
    "preset_not_found": N_("This preset does not exist, or it is not yours."),
    "preset_name_missing": N_("Give the preset a name."),
    "preset_name_taken": N_("You have a preset named '{name}' already. Choose another name, or change that one."),
    "too_many_presets": N_("You have {limit} presets already. Delete one first."),
    "unknown_ratio": N_("'{ratio}' is not an aspect ratio such as 16:9."),
    # Links for people outside, and notes
    "share_link_not_found": N_("This link does not exist, or it is not of your workspace."),
    "share_without_clips": N_("Choose at least one clip."),
    "share_too_many_clips": N_("Choose at most {limit} clips."),
    "share_not_completed": N_("Only completed clips can be shared."),
    "share_one_workspace": N_("The clips of one link must be of one workspace."),
    "share_lifetime": N_("Choose between 1 hour and {days} days."),
    "password_too_short": N_("Use at least {limit} characters."),
    "note_not_found": N_("This note does not exist, or it is not yours."),
    "note_is_empty": N_("Write something."),
    "note_beyond_clip": N_("This clip is {seconds:.1f} s long. Choose a moment within it."),
    # Signing in
    "sign_in_no_subject": N_("The sign-in does not say who you are. Ask an administrator."),
    "sign_in_no_email": N_("The sign-in does not say your e-mail address, which is needed here. Ask an administrator."),
    "sign_in_email_unverified": N_(
        "Your e-mail address is not verified by who signs you in. Verify it there, or ask an administrator."
    ),
    "sign_in_domain_not_allowed": N_("People with an address of your domain may not sign in here."),
    "sign_in_no_role": N_("None of your groups lets you in here. Ask an administrator."),
    "sign_in_address_taken": N_("Somebody else has signed in with your e-mail address. Ask an administrator."),
    "sign_in_deactivated": N_("This person is deactivated. Ask an administrator."),
    "sign_in_slowed": N_("Too many tries went wrong. Wait {seconds:.0f} s, then try again."),
    "sign_in_link_over": N_("This link was used, or is over. Ask for another one."),
    "nobody_signs_in": N_("With AUTH_MODE={mode} nobody signs in, so there is no link for it."),
    "front_not_trusted": N_("Only the company's own entrance may say who somebody is. Come in through it."),
    "sign_in_with": N_("Sign in with {name}"),
    "sign_in_away": N_("{name} could not be reached a moment ago. You can try all the same."),
    "sign_in_as": N_("Sign in as {email}"),
    "signed_out": N_("You are signed out."),
    "from_another_site": N_("This was asked for by another site, so nothing was done."),
    # Webhooks
    "webhook_not_found": N_("This webhook does not exist, or it is not yours."),
    "webhook_is_stopped": N_("This webhook is stopped. Start it again first."),
    "too_many_webhooks": N_("You have {limit} webhooks, which is the most. Delete one first."),
    "no_event_chosen": N_("Choose at least one event."),
    "no_such_event": N_("There are these events: {known}."),
    "not_an_address": N_("This is not an address. Give one such as https://example.org/hooks."),
    "address_refused": N_("This address cannot be used: {refused}. Give a public one that begins with https."),
    "address_unknown": N_("This address cannot be used: {failure}. Look for a misspelling."),
    "host_has_no_address": N_("{host} has no address"),
    "host_without_https": N_("{host} is not reached by https"),
    "host_not_public": N_("{host} is not a public address"),
    "address_has_password": N_("a user name or password in the address"),
    "address_without_host": N_("no host in the address"),
    "port_refused": N_("port {port} of {host} is not one of 80 and 443"),
    "nothing_sent": N_("Nothing was sent: {refused}."),
    "connection_not_in_time": N_("No connection could be made in time."),
    "no_connection": N_("No connection could be made: {failure}."),
    "answer_not_in_time": N_("No answer came within {seconds:g} s."),
    "connection_broke": N_("The connection broke off ({name})."),
    "answer_was": N_("The answer was {status}."),
    "answer_redirects": N_("The answer was {status}: redirects are not followed. Change the address."),
    "webhook_stopped": N_("The webhook was stopped."),
    "webhook_stopped_before": N_("The webhook was stopped before this arrived."),
    "replaced_by_replay": N_("Replaced by a replay."),
    # What must always be true of money and clips, and what it promises to people
    "rule_account_figures": N_("account figures are the sum of their ledger rows"),
    "promise_account_figures": N_("A balance is the sum of its movements and nothing else."),
    "rule_balance_chain": N_("balances written on ledger rows follow one another"),
    "promise_balance_chain": N_("No movement was changed, added in between or taken out afterwards."),
    "rule_transfers_balance": N_("what a transfer takes from one account, it brings to another"),
    "promise_transfers_balance": N_("Credits that are handed from one workspace to another arrive there, all of them."),
    "rule_budgets_counted": N_("what is counted against budgets is what was reserved and charged"),
    "promise_budgets_counted": N_("A budget counts every order of its month, once, and gives back what came back."),
    "rule_reserved_once": N_("every generation was reserved once, at its quoted price"),
    "promise_reserved_once": N_("The price shown is the price reserved, once a clip."),
    "rule_charged_once": N_("every completed one is charged once, as quoted"),
    "promise_charged_once": N_("A delivered clip costs what was shown, once."),
    "rule_checked_file": N_("every completed one has a checked file"),
    "promise_checked_file": N_("Nobody pays for a clip that is not there: its file was opened and checked first."),
    "rule_returned_once": N_("every failed or cancelled one was returned once"),
    "promise_returned_once": N_("A clip that failed or was cancelled costs nothing: its credits came back, once."),
    "rule_no_stray_hold": N_("no hold without a live generation"),
    "promise_no_stray_hold": N_("Credits stay reserved only for clips under way."),
    "rule_live_uncharged": N_("no live one was charged or returned"),
    "promise_live_uncharged": N_("Nothing is charged or returned before a clip has ended."),
    "rule_flights_follow": N_("all that is under way stands in the table of flights as it is, and nothing else does"),
    "promise_flights_follow": N_("No clip under way is forgotten, and none that has ended is worked on."),
    "rule_first_event": N_("every generation has its first event"),
    "promise_first_event": N_("Every clip has its story from the beginning."),
    "rule_daily_usage": N_("daily usage equals the ledger"),
    "promise_daily_usage": N_("The usage page shows what was really charged."),
    "rule_project_spend": N_("every project has spent the sum of its charges"),
    "promise_project_spend": N_("What a project has spent is what its clips were charged."),
    "rule_verdicts": N_("daily usage counts verdicts as they stand"),
    "rule_tags_told": N_("each tag of a clip that has ended tells what the clip came to"),
    "promise_tags_told": N_("Usage by tag is that of the clips that have the tag."),
    "promise_verdicts": N_("What was kept and what was rejected is counted as people last decided."),
    "rule_costs_adjusted": N_("daily costs hold exactly what was accepted of vendors' statements"),
    "promise_costs_adjusted": N_("What was accepted of a vendor's statement is in the costs, once."),
    "rule_closed_periods": N_("closed months are as they were closed"),
    "promise_closed_periods": N_("Figures of a closed month never change: not a byte of its rows was touched."),
    "rule_in_time": N_("no live one is older than its deadline by an hour"),
    "promise_in_time": N_(
        "Nothing stays under way for ever: what takes too long is ended, or shown to administrators."
    ),
    "month_not_over": N_("{month} can be closed one hour after it has ended."),
    "month_without_entries": N_("Nothing was booked up to {month}, so there is nothing to close."),
    "month_still_moves": N_("Something was booked in {month} just now. Close it again in a moment."),
    "no_month": N_("Write the month as 2026-10."),
    "rule_files_present": N_("the file of every completed one is in storage"),
    "promise_files_present": N_("Every clip that was paid for can be played."),
}
