"""What can be typed behind `python -m core.cli`, and what it means. It does nothing by itself."""

import argparse
from datetime import date
from pathlib import Path

from core.rest_client import access, connection
from core.rest_client.answers import ENDED, UNCERTAIN, Wanted

EXIT_CODES = """exit codes:
  0  it worked
  1  the clip failed or was cancelled; its credits went back
  2  it was refused, could not be understood, or not be written to the disk: the sentence says why
  3  nobody answered for longer than --patience
  4  the clip has not ended yet: --for is over, or somebody has to decide about it"""

STATUSES = ("pending", "processing", *ENDED, UNCERTAIN)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    made = argparse.ArgumentParser(
        prog="python -m core.cli",
        description="Make clips from scripts.",
        epilog=f"{access.ADDRESS} is the address of the API, {access.TOKEN} the token, {access.WORKSPACE} the id of\n"
        f"a workspace if it is not the token's own.\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    everywhere.add_argument(
        "--patience",
        type=_seconds,
        default=connection.PATIENCE_SECONDS,
        metavar="SECONDS",
        help="how long to go on trying when the connection is lost (default: %(default).0f)",
    )
    commands = made.add_subparsers(dest="command", required=True)
    models = commands.add_parser("models", parents=[everywhere], help="list what can be made, and by which models")
    models.add_argument("--all", action="store_true", help="also those that cannot be ordered here now")
    wish = _wish()
    commands.add_parser("quote", parents=[everywhere, wish], help="what a clip would cost; nothing is ordered")
    _add_order(commands.add_parser("order", parents=[everywhere, wish], help="order a clip, wait, and download it"))
    wait = commands.add_parser("wait", parents=[everywhere], help="wait until a clip has ended")
    wait.add_argument("id")
    _add_for(wait)
    _add_find(commands.add_parser("find", parents=[everywhere], help="list clips, newest first"))
    download = commands.add_parser("download", parents=[everywhere], help="download a clip")
    download.add_argument("id")
    _add_output(download)
    spend = commands.add_parser("spend", parents=[everywhere], help="what there is to spend, and what was charged")
    spend.add_argument("--since", type=_day, metavar="DAY", help="first day, as 2026-11-01 (default: 30 days)")
    spend.add_argument("--until", type=_day, metavar="DAY", help="last day (default: today)")
    spend.add_argument("--project", help="of one project, by name or id")
    return made


def wanted(chosen: argparse.Namespace) -> Wanted:
    """The clip that was asked for."""
    return Wanted.model_validate({name: getattr(chosen, name) for name in Wanted.model_fields})


def _wish() -> argparse.ArgumentParser:
    wish = argparse.ArgumentParser(add_help=False)
    wish.add_argument("prompt")
    wish.add_argument("--model", required=True, help="the id of a model")
    wish.add_argument("--project", required=True, help="name or id; a new name makes a project when it is ordered")
    wish.add_argument("--duration", type=int, metavar="SECONDS", help="length (default: the model's usual one)")
    wish.add_argument("--resolution", help="such as 720p (default: 720p where the model makes it)")
    wish.add_argument("--aspect-ratio", metavar="RATIO", help="such as 16:9 (default: the model's first)")
    wish.add_argument("--negative-prompt", default="", metavar="TEXT", help="what must not be in it")
    wish.add_argument("--audio", action="store_true", help="with sound")
    wish.add_argument("--seed", type=int, help="the same number makes similar clips")
    wish.add_argument("--start-image", metavar="PATH", help="the filePath that the API gave for an image")
    wish.add_argument("--end-image", metavar="PATH", help="the same, for the last picture")
    wish.add_argument(
        "--take",
        type=int,
        default=1,
        metavar="N",
        help="the same order again is the same clip; 2, 3, ... are further ones (default: 1)",
    )
    return wish


def _add_order(order: argparse.ArgumentParser) -> None:
    price = order.add_mutually_exclusive_group(required=True)
    price.add_argument("--up-to", type=_credits, metavar="CREDITS", help="order only if it costs no more")
    price.add_argument("--confirm", metavar="CODE", help="order what `quote` gave this code for")
    until = order.add_mutually_exclusive_group()
    until.add_argument("--no-wait", action="store_true", help="end once it is ordered")
    until.add_argument("--no-download", action="store_true", help="wait, but leave the file where it is")
    _add_for(order)
    _add_output(order)


def _add_find(find: argparse.ArgumentParser) -> None:
    find.add_argument("words", nargs="*", help="words, or beginnings of words, of the prompt")
    find.add_argument("--status", action="append", default=[], choices=STATUSES, help="may be given several times")
    find.add_argument("--model", help="the id of a model")
    find.add_argument("--project", help="name or id")
    find.add_argument("--limit", type=int, choices=range(1, 201), default=20, metavar="N", help="(default: 20)")


def _add_for(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--for", dest="seconds", type=_seconds, metavar="SECONDS", help="wait no longer (default: until its end)"
    )


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output", type=Path, default=Path(), metavar="PATH", help="file, or folder for ID.mp4 (default: this folder)"
    )


def _seconds(value: str) -> float:
    if not (value.isascii() and value.isdigit() and len(value) < 9):
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number of seconds.")
    return float(value)


def _credits(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 14):
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number of credits.")
    return int(value)


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is no day. Write it as 2026-11-21.") from None
