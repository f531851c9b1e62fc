"""Starts the studio: `python -m studio --port 8710 --folder jobs`."""

import sys

from studio.server import main

sys.exit(main())
