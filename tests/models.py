"""Models as data that tests are tried on; see `tests/fixtures/models/fifteen.toml`."""

from pathlib import Path

from core.providers import model_files
from core.providers.contract import VideoModel

FIFTEEN: tuple[VideoModel, ...] = tuple(
    record.model
    for record in model_files.read(Path(__file__).parent / "fixtures" / "models" / "fifteen.toml", provider="vendor")
)
