"""How the studio and its renderers end with whoever started them, however that one ends."""

import os
import threading
from contextlib import suppress


def end_with_parent() -> None:
    """End this process at once when standard input, a pipe that the parent holds and never writes to, is closed."""

    def watch() -> None:
        with suppress(OSError):
            while os.read(0, 4096):
                pass
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
