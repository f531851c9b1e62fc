"""Fills a SQLite database with many generations as the product would have left them: ledger, roll-ups, words.

Rows are written in bulk, past the services, because through them a million would take a day; indexes and triggers are
taken away before and made again after, from the database's own words. `audit.run` (without a look at the files, which
are not there) says that the books are right all the same.
"""

import io
import json
import random
import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

from core import installation
from core.billing import ledger, pricing
from core.billing.quote import idr_of_microusd
from core.catalog.price_list import IDR_PER_USD
from core.db.enums import Stage, Status, WorkspaceRole
from core.db.tables import Workspace, WorkspaceMember
from core.files.storage import Storage
from core.identity import users
from core.providers import registry
from core.providers.models import VideoModel
from tests.factories.generations import CLIP_FACTS

PEOPLE = 200
WORKSPACES = 20
REACH = 5
"""In so many workspaces is the person whose pages are measured, beside their personal one; everybody else is in one."""
PROJECTS_OF_ONE = 60
LOCAL_SHARE = 0.5
"""The workspace where they are at work has so much of everything, and they have made so much of that."""
DAYS = 365
POSTERS = 240
LIVE = 50
BATCH = 20_000
SIGNUP_CREDITS = 4_000_000_000

WORDS = """
lake dawn rain roof heron fox snow street market lantern paper boat ink water river mountain mist forest city
night neon tram bicycle child dog running slow close macro glass steam coffee bread oven hands clay wheel kiln
train window desert dune camel storm lightning field wheat wind turbine harbour crane ship gull cliff wave surf
drone orbit planet ring dust star nebula garden tulip bee honey kitchen knife onion dancer stage curtain violin
wide shot golden light soft focus handheld tracking pan tilt cinematic film grain warm cold blue green red quiet
""".split()  # noqa: SIM905 -- readable as a text
RARE = ("xylophone", "quokka", "zeppelin", "obsidian")
MOVED_EVERY, KEPT_EVERY, REJECTED_EVERY = 200, 8, 30
FAVOURITE_EVERY = 15
"""A thousand rows have more favourites than a page shows: pages of fewer clips would be quicker for that alone."""
Values = Mapping[str, object]


def fill(count: int) -> None:
    """Write `count` generations into the present installation's empty SQLite database, and posters to its storage."""
    with installation.opened() as opened:
        with opened.database.write_session() as session:
            local = users.local_person(session, opened.settings)
            others = [users.ensure(session, f"person{n}@example.org", signup_credits=0) for n in range(1, PEOPLE)]
            teams = [Workspace(name=f"{WORDS[number].capitalize()} team") for number in range(WORKSPACES)]
            session.add_all(teams)
            session.flush()
            makers: dict[str, list[str]] = {}
            for number, team in enumerate(teams):
                ledger.open_account(session, team.id)
                makers[team.id] = [person.id for person in others[number::WORKSPACES]]
                if number < REACH:
                    makers[team.id].insert(0, local.id)
                session.add_all(
                    WorkspaceMember(workspace_id=team.id, user_id=person_id, role=WorkspaceRole.MAKER)
                    for person_id in makers[team.id]
                )
            users.note_workspace(session, local, workspace_id=teams[0].id)
        posters(opened.storage)
        with opened.database.write_session() as session:
            accounts = {row.workspace_id: row.id for row in session.connection().exec_driver_sql(_ACCOUNTS)}
    path = opened.settings.database_url.removeprefix("sqlite:///")
    Writer(path, makers, accounts).write(count)


_ACCOUNTS = "SELECT workspace_id, id FROM accounts"


def posters(store: Storage) -> None:
    """Pictures of about 10 kB, all different, that rows share."""
    chance = random.Random(1)
    for number in range(POSTERS):
        small = Image.frombytes("RGB", (32, 18), chance.randbytes(32 * 18 * 3))
        target = io.BytesIO()
        small.resize((480, 270), Image.Resampling.BICUBIC).save(target, "WEBP", quality=80)
        store.put_bytes(poster_key(number), target.getvalue(), media_type="image/webp")


def poster_key(number: int) -> str:
    """Where a poster lies."""
    return f"videos/{uuid.UUID(int=number)}/0123456789abcdef.webp"


class Writer:
    """Keeps the running figures while rows are written in the order of their time."""

    def __init__(self, path: str, makers: dict[str, list[str]], accounts: dict[str, str]) -> None:
        self.chance = random.Random(7)
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.makers = makers  # workspace -> who works there
        self.workspaces = list(makers)
        self.accounts = accounts
        self.balances: dict[str, tuple[int, int]] = dict.fromkeys(makers, (0, 0))
        self.projects = {w: [self._id(datetime.now(UTC)) for _ in range(PROJECTS_OF_ONE)] for w in makers}
        self.clips: dict[str, int] = defaultdict(int)
        self.spent: dict[str, int] = defaultdict(int)
        self.stored: dict[str, int] = defaultdict(int)
        self.days: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * 10)
        self.models = [m for m in registry.models() if m.provider in ("demo", "modelslab", "edenai")]
        self.orders = {m.id: _priced(m.id) for m in self.models}
        self.costs = {m.id: _estimated_idr(m) for m in self.models}
        self.facts = json.dumps(CLIP_FACTS | {"size_bytes": 1_500_000})

    def write(self, count: int) -> None:
        """All rows in one transaction; what is built from rows is built once, at its end, which is far quicker."""
        run = self.connection.execute
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
            run(f"PRAGMA {pragma}")
        run("BEGIN")
        triggers, indexes = self._taken_away("trigger"), self._taken_away("index")
        run("DELETE FROM ledger_entries")
        self._grants()
        self._projects()
        for rows in self._batches(count):
            self._insert("generations", [row[0] for row in rows])
            self._insert("ledger_entries", [entry for row in rows for entry in row[1]])
            self._insert("generation_events", [row[2] for row in rows])
        self._sums()
        for made in indexes:
            run(made)
        self._words(next(made for made in triggers if "generation_words_insert" in made))
        for made in triggers:
            run(made)
        run("COMMIT")
        run("PRAGMA journal_mode=WAL")
        self.connection.close()

    def _taken_away(self, kind: str) -> list[str]:
        """Drop every trigger or index of the large tables; how each is made."""
        large = "('generations', 'ledger_entries', 'generation_events')"
        query = "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND tbl_name IN "
        found = self.connection.execute(query + large, (kind,)).fetchall()
        for name, _sql in found:
            self.connection.execute(f"DROP {kind} {name}")
        return [sql for _name, sql in found]

    def _words(self, trigger: str) -> None:
        """The index of words as the trigger would have written it, collected in memory in large parts."""
        values = trigger.partition("VALUES (")[2].rpartition(");")[0]
        run = self.connection.execute
        run("INSERT INTO generation_words (generation_words, rank) VALUES ('hashsize', 268435456)")
        run(
            "INSERT INTO generation_words (generation_id, prompt, keys) "  # noqa: S608 -- the trigger's own words
            f"SELECT {values} FROM generations AS new ORDER BY id"
        )
        run("INSERT INTO generation_words (generation_words, rank) VALUES ('hashsize', 1048576)")

    def _insert(self, table: str, rows: list[Values]) -> None:
        names = ", ".join(rows[0])
        places = ", ".join("?" * len(rows[0]))
        self.connection.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 -- our own names
            (tuple(row.values()) for row in rows),
        )

    def _id(self, at: datetime) -> str:
        value = (int(at.timestamp() * 1000) << 80) | self.chance.getrandbits(80)
        value = (value & ~(0xF << 76)) | (0x7 << 76)
        return str(uuid.UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62)))

    def _book(self, workspace: str, kind: str, amount: int, *, key: str, at: str, of: str | None) -> Values:
        available, held = self.balances[workspace]
        sign = {"grant": (1, 0), "hold": (-1, 1), "settle": (0, -1), "release": (1, -1)}[kind]
        self.balances[workspace] = (available + sign[0] * amount, held + sign[1] * amount)
        return {
            "account_id": self.accounts[workspace],
            "kind": kind,
            "amount_credits": amount,
            "generation_id": of,
            "key": key,
            "available_after": self.balances[workspace][0],
            "held_after": self.balances[workspace][1],
            "actor": "benchmark",
            "reason": "",
            "created_at": at,
        }

    def _grants(self) -> None:
        at = _text(datetime.now(UTC) - timedelta(days=DAYS + 1))
        self._insert(
            "ledger_entries",
            [self._book(w, "grant", SIGNUP_CREDITS, key=f"grant:{w}", at=at, of=None) for w in self.workspaces],
        )

    def _projects(self) -> None:
        now = datetime.now(UTC)
        self._insert(
            "projects",
            [
                {
                    "id": project,
                    "workspace_id": workspace,
                    "user_id": makers[number % len(makers)],
                    "name": f"{self.chance.choice(WORDS)} {self.chance.choice(WORDS)} {number}".capitalize(),
                    "description": " ".join(self.chance.choices(WORDS, k=8)),
                    "generation_count": 0,
                    "spent_credits": 0,
                    "created_at": _text(now - timedelta(days=DAYS)),
                    "updated_at": _text(now - timedelta(hours=number)),
                }
                for workspace, makers in self.makers.items()
                for number, project in enumerate(self.projects[workspace])
            ],
        )

    def _batches(self, count: int) -> Iterator[list[tuple[Values, list[Values], Values]]]:
        now = datetime.now(UTC)
        begun, step = now - timedelta(days=DAYS), timedelta(days=DAYS) / (count + 1)
        for first in range(0, count, BATCH):
            numbers = range(first, min(count, first + BATCH))
            yield [self._one(begun + step * (n + 1), n, live=n >= count - LIVE) for n in numbers]

    def _one(self, at: datetime, number: int, *, live: bool) -> tuple[Values, list[Values], Values]:
        chance = self.chance
        first, *further = self.workspaces
        workspace = first if live or chance.random() < LOCAL_SHARE else chance.choice(further)
        makers = self.makers[workspace]
        user = makers[0] if chance.random() < LOCAL_SHARE else chance.choice(makers)
        # Squared, so that some projects are large and most are small.
        charged_in = project = self.projects[workspace][int(chance.random() ** 2 * PROJECTS_OF_ONE)]
        if not live and number % MOVED_EVERY == 0:
            project = chance.choice(self.projects[workspace])
        model = chance.choice(self.models)
        seconds, credits, quote = self.orders[model.id]
        status = Status.PROCESSING if live else chance.choices(_ENDS, weights=(90, 7, 3))[0]
        done = status is Status.COMPLETED
        row_id = self._id(at)
        submitted, ended = at + timedelta(seconds=2), at + timedelta(seconds=chance.randint(20, 300))
        words = chance.choices(WORDS, k=chance.randint(8, 30))
        if number % 5000 == 17:
            words.append(chance.choice(RARE))
        kept = int(not number % KEPT_EVERY) if done and not (number % KEPT_EVERY and number % REJECTED_EVERY) else None
        row: Values = {
            "id": row_id,
            "workspace_id": workspace,
            "user_id": user,
            "project_id": project,
            "charged_project_id": charged_in if charged_in != project else None,
            "request_hash": f"{number:064x}",
            "recipe_hash": f"{number // 2:064x}",
            "provider": model.provider,
            "model_id": model.id,
            "model_name": model.name,
            "prompt": " ".join(words).capitalize(),
            "prompt_words": " ".join(words),  # plain small words are their own normal form
            "negative_prompt": "",
            "resolution": "720p",
            "duration_seconds": seconds,
            "aspect_ratio": "16:9",
            "generate_audio": 0,
            "enhance_prompt": 0,
            "credits": credits,
            "quote": quote,
            "status": status.value,
            "stage": (Stage.WAITING if live else Stage.FINALIZED).value,
            "version": 6,
            "next_at": _FAR_AHEAD if live else None,
            "attempt": 1,
            "collect_attempt": 1,
            "progress": 0.4 if live else 1.0,
            "progress_is_estimate": 0,
            "provider_job_id": f"job-{number}",
            "provider_cost_is_estimate": 1,
            "error_code": "generation_failed" if status is Status.FAILED else None,
            "error_message": "The provider could not make this clip." if status is Status.FAILED else None,
            "output_key": f"videos/{row_id}/0123456789abcdef.mp4" if done else None,
            "thumbnail_key": poster_key(number % POSTERS) if done else None,
            "stored_bytes": 1_500_000 if done else 0,
            "output_facts": self.facts if done else None,
            "favourite": int(done and number % FAVOURITE_EVERY == 0),
            "kept": kept,
            "created_at": _text(at),
            "updated_at": _text(at),
            "submitted_at": _text(submitted),
            "ended_at": None if live else _text(ended),
        }
        hold = self._book(workspace, "hold", credits, key=f"generation:{row_id}:hold", at=_text(at), of=row_id)
        entries = [hold]
        if not live:
            kind = "settle" if done else "release"
            entries.append(
                self._book(workspace, kind, credits, key=f"generation:{row_id}:end", at=_text(ended), of=row_id)
            )
            key = (ended.date().isoformat(), workspace, user, charged_in, model.provider, model.id)
            self._count(key, status, kept, credits=credits, seconds=seconds)
        self.clips[project] += 1
        self.spent[charged_in] += credits if done else 0
        self.stored[workspace] += 1_500_000 if done else 0
        event: Values = {
            "generation_id": row_id,
            "at": _text(at),
            "status": Status.PENDING.value,
            "stage": Stage.QUEUED.value,
            "what": f"Ordered; {credits} credits reserved",
            "actor": "benchmark",
        }
        return row, entries, event

    def _count(self, key: tuple[str, ...], status: Status, kept: int | None, *, credits: int, seconds: int) -> None:
        sums = self.days[key]
        sums[_ENDS.index(status)] += 1
        if status is Status.COMPLETED:
            cost = self.costs[key[-1]]
            for place, amount in ((3, credits), (5, seconds), (6, cost)):
                sums[place] += amount
            if kept is not None:
                for place, amount in ((7, kept), (8, kept * seconds), (9, 1 - kept)):
                    sums[place] += amount
        else:
            sums[4] += credits

    def _sums(self) -> None:
        """What is kept beside the rows: flights, roll-ups, counts, balances."""
        self.connection.execute(
            "INSERT INTO flights (id, workspace_id, user_id, provider, model_id, resolution, duration_seconds, status, "
            "stage, version, turn, next_at, setbacks, progress, progress_is_estimate, provider_job_id, created_at, "
            "submitted_at) SELECT id, workspace_id, user_id, provider, model_id, resolution, duration_seconds, status, "
            "stage, version, 0, next_at, 0, progress, progress_is_estimate, provider_job_id, created_at, submitted_at "
            "FROM generations WHERE stage <> 'ended'"
        )
        self.connection.executemany(
            "INSERT INTO usage_days (day, workspace_id, user_id, project_id, provider, model_id, completed, failed, "
            "cancelled, settled_credits, released_credits, video_seconds, estimated_cost_idr, kept_count, "
            "kept_seconds, rejected_count) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [(*key, *sums) for key, sums in self.days.items()],
        )
        self.connection.executemany(
            "UPDATE projects SET generation_count = ?, spent_credits = ? WHERE id = ?",
            [(self.clips[one], self.spent[one], one) for those in self.projects.values() for one in those],
        )
        self.connection.executemany(
            "UPDATE accounts SET available_credits = ?, held_credits = ? WHERE workspace_id = ?",
            [(*balance, workspace) for workspace, balance in self.balances.items()],
        )
        self.connection.executemany(
            "UPDATE workspaces SET storage_bytes = ? WHERE id = ?",
            [(size, workspace) for workspace, size in self.stored.items()],
        )


_ENDS = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


def _priced(model_id: str) -> tuple[int, int, str]:
    """Seconds, credits and the frozen quote of the model's plainest clip."""
    plain = pricing.plain_clip(registry.model(model_id))
    price = pricing.priced(plain)
    return plain.duration_seconds, price.total_credits, json.dumps(price.to_json())


def _estimated_idr(model: VideoModel) -> int:
    """What the vendor will probably take for such a clip."""
    estimate = pricing.estimated_cost(pricing.plain_clip(model))
    return idr_of_microusd(estimate.microusd, IDR_PER_USD) if estimate else 0


def _text(at: datetime) -> str:
    """As SQLAlchemy writes a time to SQLite; `at` is UTC."""
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


_FAR_AHEAD = _text(datetime.now(UTC) + timedelta(days=3650))


def folder_for(count: int, parent: Path) -> Path:
    """Where a filled installation of this size is kept."""
    return parent / f"video-benchmark-{count}"
