"""What goes wrong at a ComfyUI server, in plain sentences: a workflow that is refused, and a job that breaks."""

from core import errors
from core.messages import N_
from core.providers import http
from core.providers.http import ACCOUNT_RULES, Condition, ErrorRules, Rule

OUT_OF_MEMORY = N_(
    "The machine's graphics memory was not enough for this clip. Choose a smaller size or fewer seconds, or try again "
    "when it is less busy; nothing was charged."
)
NO_FILE = N_(
    "The server lacks a file that this model needs. An administrator can see which; choose another model. Nothing was "
    "charged."
)
NO_NODE = N_(
    "The server lacks a node that this model's workflow needs. An administrator can see which; choose another model. "
    "Nothing was charged."
)
DOES_NOT_FIT = N_(
    "The server does not accept this model's workflow. An administrator can see why; choose another model. Nothing was "
    "charged."
)
NO_VIDEO = N_(
    "The workflow has ended without a video file. An administrator can see what it made; nothing was charged."
)
TOO_OLD = N_("This ComfyUI is older than 0.3.60: it cannot be asked for one job and no other. Update it.")
_MEMORY = http.code(r"(.*\.)?OutOfMemoryError") | http.text(r"out of memory|allocation on device")
_OF_A_CHOICE = Condition(lambda facts: bool(facts.names))

REFUSALS = ErrorRules(
    *ACCOUNT_RULES,
    Rule(_OF_A_CHOICE, errors.InvalidInput),
    Rule(http.code("missing_node_type|invalid_prompt"), errors.ModelUnavailable, NO_NODE),
    Rule(http.code("value_not_in_list"), errors.ModelUnavailable, NO_FILE),
    Rule(http.code("prompt_.*|no_prompt"), errors.ModelUnavailable, DOES_NOT_FIT),
)
FAILURES = ErrorRules(
    Rule(_MEMORY, errors.GenerationFailed, OUT_OF_MEMORY),
    Rule(http.code(r"FileNotFoundError|(.*\.)?SafetensorError"), errors.ModelUnavailable, NO_FILE),
    Rule(http.code("no_video"), errors.GenerationFailed, NO_VIDEO),
)
