"""The surcharges of the published price list, and what a credit is; data, and it knows no model.

What each model costs stands in its record (`core.catalog.records`).
"""

from collections.abc import Mapping

VERSION = "2026-11"
"""The published list that these surcharges belong to."""

IDR_PER_CREDIT = 50
IDR_PER_USD = 16_500
"""A dollar, until an administrator says otherwise; the prices of the first models were made with it."""

RESOLUTION_PERCENT: Mapping[str, int] = {"480p": 0, "720p": 0, "1080p": 30, "4K": 100}
DURATION_PERCENT_PER_SECOND = 10
START_IMAGE_PERCENT = 20
END_IMAGE_PERCENT = 30
BOTH_IMAGES_PERCENT = 40
AUDIO_CREDITS = 10
PROMPT_ENHANCEMENT_CREDITS = 5
