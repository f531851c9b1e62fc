"""What a value of a setting must be; each function takes the text and gives the value, or ValueError with a sentence.

No sentence shows a secret: of addresses the account and the query are left out.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from core.redaction import shown_address

AUTH_MODES = ("local", "open", "oidc", "proxy")
CREDITS_LIMIT = 10**12
"""The most that one booking may move, in credits; the ledger holds to the same figure."""

COUNT_LIMIT = 10**15
"""More than any count or size that is meant; a database keeps integers up to nine times 10^18."""

SHORTEST_LOG_DAYS = 30
"""The database itself removes no younger entry of the audit log (migration 0013)."""

BLANK = " \t\r\n\v\f\u00a0\u200b\u2060\ufeff"
"""What is invisible at the ends of a value that was pasted, or that came out of a file with other line ends."""


_SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def cut(value: str) -> str:
    """A value without what nobody sees at its ends, and without quotation marks around the whole of it."""
    bare = value.strip(BLANK)
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"":
        bare = bare[1:-1].strip(BLANK)
    return bare


def folder(path: Path) -> Path:
    """A folder that we can write into; made, for its owner alone, where there is none."""
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):  # a mount can be read-only however the modes look
            pass
    except OSError as failure:
        what = "write into" if path.is_dir() else "make"
        raise ValueError(f"cannot {what} the folder {path}: {failure.strerror}.") from None
    return path


def readable_file(path: Path) -> Path:
    """A file that is there and can be read."""
    try:
        with path.open("rb"):
            return path.absolute()
    except OSError as failure:
        raise ValueError(f"the file {path} cannot be read: {failure.strerror}.") from None


def database_url(url: str) -> str:
    """An address of SQLite or PostgreSQL; `postgres://` is what PostgreSQL's own tools take as well."""
    found = re.match(r"([a-z0-9]+)(\+[a-z0-9_]+)?://", url)
    if found is None or found[1] not in ("sqlite", "postgresql", "postgres"):
        raise ValueError(f"'{shown_address(url)}' does not start with sqlite:// or postgresql://.")
    return re.sub("^postgres(?=[+:])", "postgresql", url)


def address(url: str, *schemes: str) -> str:
    """A URL with one of these schemes, whose parts can be read."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        starts = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(f"'{shown_address(url)}' is no address that starts with {starts}.")
    return url


def web_address(url: str) -> str:
    """An address of a server on the web."""
    parts = urlsplit(address(url, "http", "https"))
    if not parts.hostname:
        raise ValueError(f"'{shown_address(url)}' names no host.")
    if parts.query or parts.fragment:
        raise ValueError(f"'{shown_address(url)}' has a ? or # in it, and further paths are put behind it.")
    return url


LOG_FORMATS = ("text", "json")
NIGHTLY_PACKS = ("off", "names", "pseudonymous")
SMTP_SECURITY = ("starttls", "tls", "none")


def host_name(value: str) -> str:
    """The name or address of one server, without scheme and port."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:]+\]?", value):
        raise ValueError(f"'{_short(value)}' is not a host name.")
    return value.strip("[]")


def port(value: object) -> int:
    """A port of TCP."""
    if not str(value).isdecimal() or not 0 < int(str(value)) < 65536:
        raise ValueError(f"'{_short(str(value))}' is not a port.")
    return int(str(value))


def smtp_security(value: str) -> str:
    """How mail is kept from being read on its way to its server."""
    if value not in SMTP_SECURITY:
        raise ValueError(f"'{_short(value)}' is none of {', '.join(SMTP_SECURITY)}.")
    return value


def log_format(value: str) -> str:
    """How lines of the log are written."""
    if value not in LOG_FORMATS:
        raise ValueError(f"'{_short(value)}' is none of {', '.join(LOG_FORMATS)}.")
    return value


def nightly_pack(value: str) -> str:
    """Whether an analyst pack is made each night, and with names or with pseudonyms."""
    if value not in NIGHTLY_PACKS:
        raise ValueError(f"'{_short(value)}' is none of {', '.join(NIGHTLY_PACKS)}.")
    return value


def sender(value: str) -> str:
    """The address that mail comes from: `name@host`, or `Name <name@host>`."""
    _name, address = parseaddr(value)
    if not re.fullmatch(r"[^@\s<>]+@[A-Za-z0-9.-]+", address) or not value.isprintable():
        raise ValueError(f"'{_short(value)}' is no address of mail.")
    return value


def prefix(url: str) -> str:
    """An address that paths are added to: no slash at its end."""
    return url.rstrip("/")


def host_names(value: str) -> tuple[str, ...]:
    """Names of this installation, without scheme and port, separated by commas or blanks."""
    found = _names(value)
    for name in found:
        if not re.fullmatch(r"\*|(\*\.)?[a-z0-9._-]+", name):
            raise ValueError(f"'{_short(name)}' is not a host name.")
    return found


def origins(value: str) -> tuple[str, ...]:
    """Origins as Content-Security-Policy writes them: `https://host[:port]`."""
    found = _names(value)
    for origin in found:
        if not re.fullmatch(r"https?://(\*\.)?[a-z0-9.-]+(:\d+)?", origin):
            raise ValueError(f"'{_short(shown_address(origin))}' is not https://host.")
    return found


def _names(value: str) -> tuple[str, ...]:
    return tuple(item.lower() for item in re.split(r"[,\s]+", value) if item)


def base_url(url: str) -> str:
    """Scheme, host and port of a vendor; its paths are known, so one given here would be sent twice or wrongly."""
    parts = urlsplit(web_address(url))
    if parts.path.strip("/"):
        raise ValueError(
            f"'{shown_address(url)}' has more than scheme, host and port. Without the rest: "
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        )
    return url


def auth_mode(mode: str) -> str:
    """One of AUTH_MODES."""
    if mode not in AUTH_MODES:
        raise ValueError(f"'{mode}' is not one of {', '.join(AUTH_MODES)}.")
    return mode


def count(value: str, limit: int = COUNT_LIMIT) -> int:
    """A whole number from 0 to the limit."""
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"'{_short(value)}' is not a whole number of 0 or more.")
    if len(value.lstrip("0")) > len(str(limit)) or int(value) > limit:
        raise ValueError(f"{_short(value)} is more than {limit:,}.")
    return int(value)


def at_least_one(value: str) -> int:
    """A whole number from 1 to a million."""
    found = count(value, 10**6)
    if found == 0:
        raise ValueError("0 is too little: it must be 1 or more.")
    return found


def credits_amount(value: str) -> int:
    """A whole number of credits that can be booked at once."""
    return count(value, CREDITS_LIMIT)


def days(value: str) -> int:
    """For how many days something is kept: 0 for ever."""
    return count(value, 100 * 365)


def log_days(value: str) -> int:
    """For how many days a log is kept: 0 for ever, else long enough to look into what has just happened."""
    days = count(value, 100 * 365)
    if 0 < days < SHORTEST_LOG_DAYS:
        raise ValueError(f"{days} is less than {SHORTEST_LOG_DAYS} days; 0 keeps everything.")
    return days


def pause(value: str) -> float:
    """Seconds between two looks."""
    try:
        seconds = float(value)
    except ValueError:
        raise ValueError(f"'{_short(value)}' is not a number.") from None
    if not 0 < seconds <= 3600:
        raise ValueError(f"{_short(value)} is not above 0 and at most 3600 seconds.")
    return seconds


def switch(value: str) -> bool:
    """On or off."""
    found = _SWITCH.get(value.lower())
    if found is None:
        raise ValueError(f"'{_short(value)}' is neither on nor off.")
    return found


def hosts(value: str) -> frozenset[str]:
    """`host:port`s, separated by commas."""
    found = frozenset(item.strip() for item in value.split(",") if item.strip())
    for host in found:
        port = host.rpartition(":")[2]
        if not (port.isascii() and port.isdigit()):
            raise ValueError(f"'{shown_address(host)}' is not host:port.")
    return found


def pairs(value: str) -> Mapping[str, str]:
    """`ours=theirs,...`: what a vendor calls a model."""
    found = dict(item.strip().partition("=")[::2] for item in value.split(",") if item.strip())
    if not all(ours and theirs for ours, theirs in found.items()):
        raise ValueError(f"'{_short(value)}' is not a list of model=vendor's-name, separated by commas.")
    return found


def kept_secret_key(data_dir: Path, made: str) -> bytes:
    """The key kept in the data folder, which is `made` where there is none yet (once, also under a race)."""
    path = data_dir / "secret.key"
    try:
        if not path.exists():
            handle, draft = tempfile.mkstemp(prefix="secret.", dir=data_dir)  # readable by its owner only
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(made)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:  # another process was first: its key counts
                pass
            finally:
                Path(draft).unlink()
        key = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is damaged: it is no text. {_PUT_BACK}") from None
    except OSError as failure:
        raise ValueError(f"{path} cannot be read or made: {failure.strerror}.") from None
    if not key:
        raise ValueError(f"{path} is empty. {_PUT_BACK}")
    if not key.isprintable():
        raise ValueError(f"{path} is damaged: it is no text. {_PUT_BACK}")
    return key.encode()


_PUT_BACK = "Put back a copy of it, or set SECRET_KEY; without the old key, links end and webhooks have other secrets."


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}..."
