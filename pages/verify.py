"""Verify: what the content credentials of a file say that is dropped here, and whether it was changed since."""

from pages.sections.verify import dropped_file
from pages.ui import components

with components.error_boundary():
    dropped_file.show()
