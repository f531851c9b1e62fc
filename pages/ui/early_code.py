"""Which code of Streamlit's elements a browser fetches while the page is still asked for.

Streamlit fetches the code of an element when it first draws one, with a grey bar in its place; what is below jumps when
the element is drawn.
"""

from pathlib import Path

import streamlit

USUAL = (
    "BidiComponent",
    "Button",
    "ButtonGroup",
    "Checkbox",
    "FileUploader",
    "Html",
    "Multiselect",
    "NumberInput",
    "PageLink",
    "Selectbox",
    "StreamlitMarkdown",
    "TextArea",
    "TextInput",
    "Tooltip",
)
"""Modules of elements that most pages draw. One that some version of Streamlit lacks is fetched when it is drawn."""


def links() -> str:
    """What stands in the head of a document, in the form of its own links; seen from the folder of the pages."""
    code = Path(streamlit.__file__).parent / "static" / "static" / "js"
    files = [path.name for name in USUAL for path in sorted(code.glob(f"{name}.*.js"))]
    return "".join(
        f'<link rel="modulepreload" fetchpriority="low" crossorigin href="./static/js/{file}">' for file in files
    )
