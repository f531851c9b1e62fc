"""The command `python -m core.audit`: checks everything, prints one line a rule with counts and names the offenders."""

import logging
import sys

from core import errors, installation, logs, process_settings, startup
from core.audit import runs, slices


def main() -> int:
    """Check this installation; 0 when all holds, 1 when a rule is broken, 2 when it cannot be looked at."""
    try:
        with startup.entry_point():
            logs.configure("audit", form=process_settings.log_format(), level=logging.WARNING)
            with installation.opened() as opened:
                found = slices.everything(opened.database)
                results = [*found.results, slices.missing_files(opened.database, opened.storage.exists)]
    except errors.StorageUnavailable as away:
        print(away, file=sys.stderr)  # noqa: T201 -- its output
        return 2
    for line in runs.lines(results):
        print(line)  # noqa: T201 -- its output
    return 0 if all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
