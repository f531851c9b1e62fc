"""The published command `python -m core.admin`; see `core/cli.py`."""

import sys

from core.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
