"""Which version of the product this is; pyproject.toml says the same, and the release's tag is `v` and this."""

VERSION = "0.1.0"
