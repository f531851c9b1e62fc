"""`python -m tools.reference_docs` writes the generated pages; `--check` changes nothing and fails on a stale one."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.reference_docs.pages import PAGES, stale

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def main(arguments: Sequence[str], folder: Path = REFERENCE) -> int:
    """Write the pages of a folder or check them; 1 when a page was found stale by `--check`."""
    parser = argparse.ArgumentParser(prog="python -m tools.reference_docs", description="Writes docs/reference.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a page is stale")
    options = parser.parse_args(arguments)
    found = stale(folder)
    for name in found:
        if options.check:
            print(f"{folder / name} is stale: run python -m tools.reference_docs", file=sys.stderr)
        else:
            (folder / name).write_text(PAGES[name](), encoding="utf-8")
            print(f"{folder / name} written")
    return 1 if options.check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
