"""What is counted: answers to scripts, and what became of clips around each fault; one line of a table a fault."""

from collections import Counter
from dataclasses import dataclass, field

import httpx


@dataclass
class Load:
    """What was answered: status -> how often, what was refused or had no answer, and which clips were ordered."""

    answers: Counter[int] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    repeated: int = 0
    """How many orders were sent once more, with their key, because the way to us was cut."""

    @property
    def asked(self) -> int:
        """How many requests were made."""
        return self.answers.total() + len(self.unanswered)

    @property
    def failures(self) -> list[str]:
        """What went wrong."""
        return self.refused + self.unanswered

    def note(self, answer: httpx.Response, *, allowed: frozenset[int]) -> None:
        """Remember one answer; who is told to come back must be told when."""
        self.answers[answer.status_code] += 1
        if answer.status_code in allowed and "retry-after" in answer.headers:
            return
        if not answer.is_success:
            said = f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:200]}"
            self.refused.append(said)


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the clips that were ordered around one fault; `left_open` wait for a person to decide."""

    what: str
    clips: int
    completed: int
    left_open: int
    lost: int
    twice: int
    stuck: int
    seconds: float
    asked: int = 0
    repeated: int = 0
    failed: int = 0

    def line(self) -> str:
        """One line of the table."""
        figures = (self.clips, self.completed, self.left_open, self.lost, self.twice, self.stuck)
        return (
            f"{self.what:<46}"
            + "".join(f"{each:>10,}" for each in (*figures, self.asked, self.repeated, self.failed))
            + (f"{self.seconds:>9.1f}")
        )


HEAD = (
    f"{'fault':<46}"
    + "".join(
        f"{name:>10}"
        for name in ("clips", "completed", "uncertain", "lost", "twice", "stuck", "requests", "repeated", "failed")
    )
    + f"{'seconds':>9}"
)
