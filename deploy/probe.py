"""Asks an address of this container whether all is well: exit code 0 or 1, for health checks without a shell or curl.

`python deploy/probe.py http://127.0.0.1:8502/health`
"""

import http.client
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

SECONDS = 4.0


def main(arguments: Sequence[str]) -> int:
    """0 if the address answers with a 2xx."""
    parts = urlsplit(arguments[0])
    connection = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
    try:
        connection.request("GET", parts.path)
        return 0 if 200 <= connection.getresponse().status < 300 else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
