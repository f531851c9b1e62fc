"""Messages of the library: saved filters, names of fetched clips, assets, and what is done to all that matches."""

from collections.abc import Mapping

from core.messages.catalogue import N_

SENTENCES: Mapping[str, str] = {
    # Saved filters, names of fetched clips, and what is done to everything that matches
    "saved_filter_not_found": N_("This saved filter does not exist, or it is not shared with you."),
    "saved_filter_name_missing": N_("Give the filter a name."),
    "saved_filter_name_taken": N_("You have a filter named '{name}' already. Choose another name, or change that one."),
    "too_many_saved_filters": N_("You have {limit} saved filters already. Delete one first."),
    "filter_project_gone": N_("The project of this filter is no longer there, so clips of all projects are shown."),
    "filter_tag_gone": N_("No clip has the tag '{tag}' any more, so this filter is shown without it."),
    "filter_maker_gone": N_(
        "Nothing here is from the person of this filter any more, so clips of everybody are shown."
    ),
    "filter_model_gone": N_(
        "The model '{model_id}' of this filter is not here any more, so clips of all models are shown."
    ),
    "names_empty": N_("Write how clips are to be named, for example {example}."),
    "names_unknown_field": N_("There is no {field} to name clips by. Choose of: {known}."),
    "names_open_brace": N_("Write each part in braces, such as {example}; a brace alone means nothing."),
    "names_bad_sign": N_("A file name cannot have {sign} in it. Use letters, digits, spaces, and - _ . ( )"),
    "bulk_nothing": N_("No clip matches, so there is nothing to do."),
    "bulk_too_many": N_("More than {limit:,} clips match. Narrow the filter, for example to a month or a project."),
    "bulk_too_large": N_(
        "These clips have {size_gb:.1f} GB, and at most {limit_gb:.0f} GB are packed at once. "
        "Narrow the filter, for example to a month or a project."
    ),
    "bulk_tags_missing": N_("Choose or write a tag."),
    "bulk_project_missing": N_("Choose the project that the clips are to go to."),
    "bulk_not_found": N_("This task does not exist, or it is not yours."),
    "bulk_too_many_at_once": N_("You have {limit} tasks under way already. Wait until one has ended, or stop it."),
    "bulk_has_ended": N_("This task has ended already."),
    "bulk_departed": N_("It was stopped, since its person is no longer in this workspace or may no longer do this."),
    "bulk_broke": N_("It was begun several times and came to no end. An administrator can see why in the log."),
    "bulk_no_room": N_(
        "The files could not be written: the disk is full or cannot be written to. An administrator has to look at it."
    ),
    # Analyst packs
    "pack_not_found": N_("This pack does not exist, or it is not yours."),
    "pack_too_many": N_("You have {limit} packs under way already. Wait until one has ended."),
    "pack_departed": N_("It was stopped, since its person may no longer see these figures."),
    "pack_disagrees": N_(
        "Totals differ from the ledger, so this is not handed out: {checks}. "
        "The books are checked now; administrators find the result under Admin."
    ),
    "not_your_image": N_("This is not an image you uploaded. Upload it first."),
    "asset_of_another_kind": N_(
        "This is a file of another kind. Choose an image, a video or a sound as it is asked for."
    ),
    "asset_not_found": N_("This asset does not exist, or it is not in your workspace."),
    "asset_name_missing": N_("Give it a name."),
    "group_not_found": N_("This character, product or style does not exist, or it is not in your workspace."),
    "group_name_unusable": N_(
        "A name has 1 to {limit} letters, figures, dashes or underscores, begins with a letter and ends without a dash."
    ),
    "group_name_taken": N_("There is a character, product or style named '{name}' already. Choose another name."),
    "too_many_groups": N_("There are {limit} characters, products and styles already. Delete one first."),
    "too_many_items": N_("At most {limit} assets belong to one name."),
    "item_twice": N_("This asset is in the list twice."),
    "role_unusable": N_("A role has at most {limit} printable characters."),
    "no_such_mention": N_(
        "There is no @{name} here. Did you mean {near}? To keep it as text, put a backslash before it: \\@{name}"
    ),
    "mention_is_empty": N_("@{name} has no pictures yet. Add some to it under Assets."),
    "mentions_need_more": N_(
        "{names}: {needed} references in all, and {model} takes {limit} at most. Name fewer, or choose another model."
    ),
    "mentions_need_other_model": N_(
        "{names}: {needed} references in all, and {model} takes {limit} at most. {other} takes {more}."
    ),
    "mentions_need_references": N_(
        "{model} takes no references, so that {names} cannot go along. Choose another model."
    ),
    "mentions_need_referring_model": N_(
        "{model} takes no references, so that {names} cannot go along. {other} takes {more}."
    ),
    "video_format": N_("This is not an MP4, MOV or WebM video that can be read."),
    "video_too_large": N_("This video is larger than {limit_mb} MB. Make it shorter or smaller."),
    "video_too_wide": N_("This video is {width} × {height}. Each side has {limit} pixels at most."),
    "video_too_long": N_("This is {seconds:.1f} s long. What a model can refer to has {limit} s at most."),
    "video_too_short": N_("This is {seconds:.1f} s long. What a model can refer to has {limit} s or more."),
    "sound_format": N_("This is not a WAV, MP3, M4A, FLAC or Ogg sound that can be read."),
    "sound_too_large": N_("This sound is larger than {limit_mb} MB. Make it shorter."),
    "file_empty": N_("This file is empty. Choose another one."),
    "image_too_large": N_("This image is larger than {limit_mb} MB. Choose a smaller one."),
    "image_is_svg": N_("SVG drawings cannot be used. Export it as PNG or JPEG."),
    "image_is_html": N_("This is a web page, not an image. Use a JPEG, PNG or WebP."),
    "image_format": N_("This is not a JPEG, PNG or WebP image."),
    "image_of_other_kind": N_("This is a {kind} file. Use a JPEG, PNG or WebP image."),
    "image_has_too_many_pixels": N_("This image has more than {limit} million pixels. Make it smaller."),
    "image_too_small": N_("This image is too small: {width} × {height}. Each side needs {limit} pixels or more."),
    "image_animated": N_("This image is animated. Use a still one."),
    "image_damaged": N_("This image is damaged or incomplete. Open it, save it again and upload the new file."),
    "location_removed": N_("Location data was removed."),
    "turned_upright": N_("Turned upright."),
    "transparency_is_white": N_("Transparent parts are white now."),
    "made_smaller": N_("Made smaller: {width} × {height} pixels."),
    "colours_converted": N_("Colours were converted to sRGB."),
    "colours_unreadable": N_("The colour profile could not be read; colours may look a little different."),
    "side_data_left_out": N_("Damaged data beside the picture was left out."),
    "media_unreadable": N_("This file takes too much memory or time to read. Save it again and use the new file."),
    "not_in_trash": N_("This clip was not deleted."),
    "step_forgotten": N_("What was said here is forgotten."),
    "link_expired": N_("This link has expired or is not valid. Load the page again for a fresh one."),
}
