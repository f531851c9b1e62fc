import re
from pathlib import Path

import streamlit

from pages.ui import early_code

STATIC = Path(streamlit.__file__).parent / "static"


def test_code_of_every_usual_element_is_fetched_early() -> None:
    """Each has one file in the Streamlit that is installed, and the links are written as those of its own document."""
    files = re.findall(r'href="\./([^"]+)"', early_code.links())
    assert [Path(file).name.partition(".")[0] for file in files] == list(early_code.USUAL)
    assert all((STATIC / file).is_file() for file in files)
    assert '<link rel="modulepreload" crossorigin href="./static/js/' in (STATIC / "index.html").read_text("utf-8")
