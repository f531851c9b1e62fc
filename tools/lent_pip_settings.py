"""Writes what pip of this machine is set to into one file, and prints the files and folders that this names.

`python tools/lent_pip_settings.py PIP_CONF`, for a build elsewhere that shall install from where this machine does.
Nothing but the standard library: it runs before anything is installed.
"""

import ast
import configparser
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path


def settings() -> Mapping[str, str]:
    """What `pip config list` knows, with the variables of the environment above the files."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    files: dict[str, str] = {}
    environment: dict[str, str] = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in ("global", "install", ":env:"):
            (environment if section == ":env:" else files)[option] = str(ast.literal_eval(value))
    return files | environment


def paths(values: Mapping[str, str]) -> Iterator[Path]:
    """What of this machine these values name: files as they are, folders of packages with what lies beside them."""
    for value in values.values():
        for word in value.split():
            path = Path(word.removeprefix("file://"))
            if path.is_absolute() and path.exists():
                yield path if path.is_file() else Path(*path.parts[:3])


def main(target: Path) -> None:
    """Write the file, print the paths."""
    found = settings()
    written = configparser.RawConfigParser()
    written["global"] = dict(found)
    with target.open("w", encoding="utf-8") as file:
        written.write(file)
    for path in sorted(set(paths(found))):
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
