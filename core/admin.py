"""The published command `python -m core.admin`; see `core/operator_cli.py`."""

import sys

from core.operator_cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
