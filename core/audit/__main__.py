"""The published command `python -m core.audit`."""

import sys

from core.audit.runs import main

if __name__ == "__main__":
    sys.exit(main())
