import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from core import errors
from core.audit import runs
from core.billing import ledger, pricing
from core.db import Database
from core.db.enums import EntryKind
from core.db.tables import Account, LedgerEntry
from core.workspaces.access import Member
from tests.factories.generations import build_spec, create_generation
from tests.factories.users import ensure_member

pytestmark = pytest.mark.both_databases  # no overdraft, by the locks of each database


def test_grant_when_repeated(database: Database, person: Member) -> None:
    """A key that was booked before changes nothing."""
    for expected in (True, False):
        with database.write_session() as session:
            booked = ledger.grant(session, person.id, credits=500, key="bonus", actor="root", reason="Thanks")
            assert booked is expected

    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_500, 0)


def test_hold_when_not_covered(database: Database, person: Member) -> None:
    """An overdraft is refused with both figures, and nothing moves."""
    row = create_generation(database, person)
    with pytest.raises(errors.InsufficientCredits) as raised, database.write_session() as session:
        ledger.adjust(session, person.id, credits=-10_000, key="fine", actor="root", reason="Too much")

    assert (raised.value.needed_credits, raised.value.available_credits) == (10_000, 10_000 - row.credits)
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000 - row.credits, row.credits)


def test_hold_many_when_some_cost_nothing(database: Database, person: Member) -> None:
    """What costs nothing leaves no row; the others are held by their sum, or none of them is."""
    with database.write_session() as session:
        ledger.hold_many(session, person.workspace_id, {"free": 0, "free too": 0}, actor="test")
    ids = [create_generation(database, person, model_id="demo-film").id for _ in range(2)]
    with database.write_session() as session:
        for row_id in ids:
            ledger.release(
                session, person.workspace_id, generation_id=row_id, credits=50, actor="test", reason="to begin with"
            )
        session.execute(delete(LedgerEntry).where(LedgerEntry.key == f"generation:{ids[0]}:hold"))
        ledger.hold_many(session, person.workspace_id, {ids[0]: 7, "free": 0}, actor="test")
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(9_993, 7)
        with pytest.raises(errors.InsufficientCredits):
            ledger.hold_many(session, person.workspace_id, {"one": 9_000, "two": 994}, actor="test")
        newest = ledger.entries(session, person.workspace_id, limit=1)[0]
        assert (newest.amount_credits, newest.available_after, newest.held_after) == (7, 9_993, 7)


def test_settle_and_release_when_both_come(database: Database, person: Member) -> None:
    """Whichever ends a hold first wins; the other, and every replay, changes nothing."""
    row = create_generation(database, person)
    moved = []
    for _ in range(2):
        with database.write_session() as session:
            moved.append(ledger.settle(session, person.id, generation_id=row.id, credits=row.credits, actor="system"))
        with database.write_session() as session:
            moved.append(
                ledger.release(
                    session, person.id, generation_id=row.id, credits=row.credits, actor="system", reason="Late"
                )
            )

    assert moved == [True, False, False, False]
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000 - row.credits, 0)


def test_settle_when_nothing_is_held(database: Database, person: Member) -> None:
    """What is not held cannot be charged."""
    row = create_generation(database, person)
    with pytest.raises(errors.AppError), database.write_session() as session:
        ledger.settle(session, person.id, generation_id=row.id, credits=row.credits + 1, actor="system")

    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id).held_credits == row.credits


@pytest.mark.parametrize("parallel", [50])
def test_hold_when_fifty_come_at_once(database: Database, parallel: int) -> None:
    """Of 50 parallel orders against credits for seven, exactly seven are taken."""
    with database.write_session() as session:
        user = ensure_member(session, "poor@example.org", signup_credits=7 * 50 + 49)
    barrier = threading.Barrier(parallel)

    def try_once(_n: int) -> bool:
        barrier.wait()
        try:
            create_generation(database, user)
        except errors.InsufficientCredits:
            return False
        return True

    with ThreadPoolExecutor(parallel) as threads:
        taken = list(threads.map(try_once, range(parallel)))

    assert sum(taken) == 7
    with database.read_session() as reading:
        assert ledger.balance(reading, user.id) == ledger.Balance(49, 350)
        assert [r.rule for r in runs.run(reading) if not r.holds] == []


def test_accounts_when_overdrawn_by_hand(database: Database, person: Member) -> None:
    """The tables themselves refuse a negative figure and an entry of nothing."""
    with pytest.raises(IntegrityError), database.write_session() as session:
        session.execute(update(Account).values(available_credits=-1))
    with database.read_session() as session:
        account_id = session.scalars(text("SELECT id FROM accounts")).one()
    with pytest.raises(IntegrityError), database.write_session() as session:
        session.execute(
            insert(LedgerEntry).values(
                account_id=account_id,
                kind=EntryKind.ADJUST,
                amount_credits=0,
                key="nothing",
                available_after=10_000,
                held_after=0,
                actor="root",
                reason="Test",
            )
        )


def test_entries_when_many(database: Database, person: Member) -> None:
    """The list is newest first and pages without gaps or repeats."""
    for n in range(7):
        with database.write_session() as session:
            ledger.grant(session, person.id, credits=n + 1, key=f"g{n}", actor="root", reason="Test")
    seen: list[int] = []
    before = None
    with database.read_session() as session:
        while page := ledger.entries(session, person.id, before_id=before, limit=3):
            seen += [entry.amount_credits for entry in page]
            before = page[-1].id

    assert seen == [7, 6, 5, 4, 3, 2, 1, 10_000]


def test_total_credited_counts_what_came_in(database: Database, person: Member) -> None:
    """Grants and corrections are summed; what orders hold and give back is not."""
    row = create_generation(database, person)
    with database.write_session() as session:
        ledger.adjust(session, person.id, credits=-500, key="mistake", actor="root", reason="Booked twice")
        ledger.release(session, person.id, generation_id=row.id, credits=row.credits, actor="system", reason="Failed")
        account = session.scalars(select(Account.id)).one()
        assert ledger.total_credited(session, [account, "nobody's"]) == {account: 9_500}


def test_entries_of_a_generation_are_its_receipt(database: Database, person: Member) -> None:
    """All that one generation moved, oldest first, and nothing of another."""
    row, _other = create_generation(database, person), create_generation(database, person)
    with database.write_session() as session:
        ledger.settle(session, person.id, generation_id=row.id, credits=row.credits, actor="system")
        receipt = ledger.entries_of_generation(session, row.id)

    assert [(entry.kind, entry.amount_credits) for entry in receipt] == [
        (EntryKind.HOLD, row.credits),
        (EntryKind.SETTLE, row.credits),
    ]


def test_grant_to_nobody(database: Database) -> None:
    """Who has no account cannot be given anything."""
    with pytest.raises(errors.NotFound), database.write_session() as session:
        ledger.grant(session, "nobody", credits=1, key="gift", actor="root", reason="Thanks")


@pytest.mark.parametrize(("book", "credits"), [(ledger.grant, 0), (ledger.grant, -1), (ledger.adjust, 0)])
def test_booking_of_nothing(database: Database, person: Member, book: Callable[..., bool], credits: int) -> None:
    """A grant is above 0 and a correction is not 0."""
    with pytest.raises(errors.InvalidRequest) as raised, database.write_session() as session:
        book(session, person.id, credits=credits, key="nothing", actor="root", reason="Thanks")

    assert list(raised.value.fields) == ["credits"]


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (update(Account).values(available_credits=Account.available_credits + 5), "account_figures"),
        (update(LedgerEntry).values(available_after=LedgerEntry.available_after + 1), "balance_chain"),
        (delete(LedgerEntry).where(LedgerEntry.kind == "hold"), "reserved_once"),
        (delete(LedgerEntry).where(LedgerEntry.key == "gift:in"), "transfers_balance"),
        (update(LedgerEntry).where(LedgerEntry.key == "gift:out").values(amount_credits=-6), "transfers_balance"),
    ],
)
def test_audit_when_books_are_damaged(database: Database, person: Member, damage: object, rule: str) -> None:
    """The audit names the rule that somebody's hand on the tables broke."""
    create_generation(database, person)
    with database.write_session() as session:
        ben = ensure_member(session, "ben@example.org")
        ledger.transfer(session, person.id, ben.id, credits=5, key="gift", actor=person.email, reason="Campaign")
    with database.read_session() as reading:
        assert [result.code for result in runs.run(reading) if not result.holds] == []
    with database.write_session() as session:
        session.execute(damage)  # type: ignore[call-overload]  # any statement

    with database.read_session() as session:
        broken = [result for result in runs.run(session) if not result.holds]

    assert rule in {result.code for result in broken}
    assert all(result.offenders for result in broken)


class Books(RuleBasedStateMachine):
    """Random histories of grants, transfers, orders and their ends; after each step the books must be right."""

    database: Database
    live = Bundle("live")

    @initialize(start=st.integers(0, 2_000))
    def begin(self, start: int) -> None:
        """A new person in the same database."""
        with self.database.write_session() as session:
            count = session.scalars(text("SELECT count(*) FROM users")).one()
            self.user = ensure_member(session, f"p{count}@example.org", signup_credits=start)
            self.other = ensure_member(session, f"p{count}b@example.org")
        self.available, self.held, self.number, self.handed_on = start, 0, 0, 0

    @rule(credits=st.integers(1, 1_000))
    def grant(self, credits: int) -> None:
        """Credits come in."""
        self.number += 1
        with self.database.write_session() as session:
            ledger.grant(
                session, self.user.id, credits=credits, key=f"{self.user.id}:{self.number}", actor="root", reason="Test"
            )
        self.available += credits

    @rule(credits=st.integers(1, 1_000), back=st.booleans(), times=st.integers(1, 2))
    def transfer(self, credits: int, back: bool, times: int) -> None:
        """Credits go to another workspace and back, exactly when they are there, and once however often it is said."""
        self.number += 1
        giver, receiver = (self.other, self.user) if back else (self.user, self.other)
        covered = credits <= (self.handed_on if back else self.available)
        for again in range(times):
            try:
                with self.database.write_session() as session:
                    moved = ledger.transfer(
                        session,
                        giver.id,
                        receiver.id,
                        credits=credits,
                        key=f"transfer:{self.user.id}:{self.number}",
                        actor="root",
                        reason="Test",
                    )
            except errors.InsufficientCredits:
                assert not covered
                return
            assert moved is not bool(again)
        self.available += credits if back else -credits
        self.handed_on += -credits if back else credits

    @rule(target=live, seconds=st.integers(1, 16))
    def order(self, seconds: int) -> tuple[str, int] | None:
        """An order is taken exactly when the balance covers it."""
        price = pricing.priced(build_spec(duration_seconds=seconds)).total_credits
        if price > self.available:
            with pytest.raises(errors.InsufficientCredits):
                create_generation(self.database, self.user, duration_seconds=seconds)
            return None
        row = create_generation(self.database, self.user, duration_seconds=seconds)
        self.available -= row.credits
        self.held += row.credits
        return row.id, row.credits

    @rule(which=live, settle=st.booleans(), times=st.integers(1, 3))
    def end(self, which: tuple[str, int] | None, settle: bool, times: int) -> None:
        """An order ends, possibly said several times and both ways."""
        if which is None:
            return
        generation_id, credits = which
        for again in range(times):
            with self.database.write_session() as session:
                if settle != bool(again):
                    moved = ledger.settle(
                        session, self.user.id, generation_id=generation_id, credits=credits, actor="system"
                    )
                    back = 0
                else:
                    moved = ledger.release(
                        session,
                        self.user.id,
                        generation_id=generation_id,
                        credits=credits,
                        actor="system",
                        reason="Test",
                    )
                    back = credits
            if moved:
                self.held -= credits
                self.available += back

    @invariant()
    def books_are_right(self) -> None:
        """The account says what the model says, and is the sum of its rows."""
        if not hasattr(self, "user"):
            return
        with self.database.read_session() as session:
            assert ledger.balance(session, self.user.id) == ledger.Balance(self.available, self.held)
            assert ledger.balance(session, self.other.id) == ledger.Balance(self.handed_on, 0)
            broken = {result.code for result in runs.run(session) if not result.holds}
        assert broken & {"account_figures", "balance_chain", "transfers_balance"} == set()


def test_books_in_random_histories(database: Database) -> None:
    """No history of grants, orders and ends leaves the books wrong."""
    Books.database = database
    run_state_machine_as_test(
        Books,
        settings=settings(max_examples=settings().max_examples // 5, stateful_step_count=20),
    )


@pytest.mark.parametrize("book", [ledger.grant, ledger.adjust])
@pytest.mark.parametrize(
    ("credits", "reason"),
    [(10**12 + 1, "Campaign"), (0, "Campaign"), (5, ""), (5, "  "), (5, "x" * 501), (5, "Campaign\x00")],
)
def test_booking_when_amount_or_reason_cannot_be_booked(
    database: Database, person: Member, book: Callable[..., bool], credits: int, reason: str
) -> None:
    """Whichever door asks: an amount beyond the limit and a reason nobody can read are refused by field."""
    with pytest.raises(errors.InvalidRequest) as refused, database.write_session() as session:
        book(session, person.id, credits=credits, key="k", actor="root", reason=reason)

    assert list(refused.value.fields) == ["credits" if reason == "Campaign" else "reason"]
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id).available_credits == 10_000


def test_booking_at_its_limits(database: Database, person: Member) -> None:
    """The most that may be moved at once, and the longest reason, are booked; a correction may take as much away."""
    most, longest = ledger.BOOKING_LIMIT_CREDITS, "x" * ledger.REASON_LIMIT_CHARS
    with database.write_session() as session:
        assert ledger.grant(session, person.id, credits=most, key="in", actor="root", reason=longest)
        assert ledger.adjust(session, person.id, credits=-most, key="out", actor="root", reason=longest)
        assert ledger.balance(session, person.workspace_id).available_credits == 10_000


def test_transfers_that_cross(database: Database, person: Member) -> None:
    """Many in both directions at once neither wait for each other for ever nor make or lose a credit."""
    with database.write_session() as session:
        ben = ensure_member(session, "ben@example.org", signup_credits=10_000)

    def hand_over(number: int) -> None:
        giver, receiver = (person, ben) if number % 2 else (ben, person)
        with database.write_session() as session:
            ledger.transfer(
                session, giver.id, receiver.id, credits=7, key=f"t{number}", actor="root", reason="Back and forth"
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hand_over, range(24)))

    with database.read_session() as reading:
        assert [ledger.balance(reading, each.id).available_credits for each in (person, ben)] == [10_000, 10_000]
        assert [result.code for result in runs.run(reading) if not result.holds] == []


def test_transfer_of_more_than_there_is(database: Database, person: Member) -> None:
    """What is not covered moves on neither account."""
    with database.write_session() as session:
        ben = ensure_member(session, "ben@example.org")

    with pytest.raises(errors.InsufficientCredits), database.write_session() as session:
        ledger.transfer(session, person.id, ben.id, credits=10_001, key="t", actor="root", reason="Too much")

    with database.read_session() as reading:
        assert ledger.balance(reading, person.id).available_credits == 10_000
        assert ledger.balance(reading, ben.id).available_credits == 0
