"""The five common jobs as programs to copy, in curl and in Python; the tests run each of them against a server.

Both read where the API is and the token from the environment: VIDEO_API and VIDEO_TOKEN.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SET_UP = """export VIDEO_API="{base}"
export VIDEO_TOKEN="avg_..."
"""
"""What the shell must know before any of them; `{base}` is the address of the API."""

_CLIENT = """import os

import httpx

api = httpx.Client(
    base_url=os.environ["VIDEO_API"],
    headers={"Authorization": f"Bearer {os.environ['VIDEO_TOKEN']}"},
    timeout=60,
)
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One job. `needs` are variables that both programs read beside the two common ones."""

    title: str
    text: str
    curl: str
    python: str
    needs: Sequence[str] = ()


ESTIMATE = Recipe(
    title="Know the price first",
    text="The price is worked out by the same function that charges it, line by line. Nothing is ordered.",
    curl="""curl --fail-with-body -sS "$VIDEO_API/estimate-credits" \\
  -H "Authorization: Bearer $VIDEO_TOKEN" -H "Content-Type: application/json" \\
  -d '{"modelId": "veo3", "resolution": "1080p", "duration": 8}'
""",
    python=_CLIENT
    + """
answer = api.post("/estimate-credits", json={"modelId": "veo3", "resolution": "1080p", "duration": 8})
answer.raise_for_status()
estimate = answer.json()["estimate"]
print(f"{estimate['total']} credits: {estimate['breakdown']}")
""",
)

GENERATE = Recipe(
    title="Upload an image and order a clip",
    text=(
        "PROJECT is the id of a project, and start.png an image of yours. The Idempotency-Key makes it safe to send "
        "the order again when an answer was lost: the same key orders one clip, however often it comes."
    ),
    curl="""image=$(curl --fail-with-body -sS "$VIDEO_API/upload-image" \\
  -H "Authorization: Bearer $VIDEO_TOKEN" -F type=start -F file=@start.png \\
  | sed -E 's/.*"filePath": ?"([^"]+)".*/\\1/')
curl --fail-with-body -sS "$VIDEO_API/generate" \\
  -H "Authorization: Bearer $VIDEO_TOKEN" -H "Content-Type: application/json" \\
  -H "Idempotency-Key: lake-at-dusk-1" \\
  -d '{"projectId": "'"$PROJECT"'", "modelId": "demo-film", "prompt": "A lake at dusk, mist rising",
       "resolution": "720p", "duration": 5, "aspectRatio": "16:9", "startImagePath": "'"$image"'"}'
""",
    python=_CLIENT
    + """
with open("start.png", "rb") as file:
    upload = api.post("/upload-image", data={"type": "start"}, files={"file": file})
upload.raise_for_status()
answer = api.post(
    "/generate",
    headers={"Idempotency-Key": "lake-at-dusk-2"},
    json={
        "projectId": os.environ["PROJECT"],
        "modelId": "demo-film",
        "prompt": "A lake at dusk, mist rising",
        "resolution": "720p",
        "duration": 5,
        "aspectRatio": "16:9",
        "startImagePath": upload.json()["filePath"],
    },
)
answer.raise_for_status()
print(answer.json()["generation"]["id"])
""",
    needs=("PROJECT",),
)

WAIT = Recipe(
    title="Wait for a clip and download it",
    text="GENERATION is the id that the order gave. Asking every few seconds is plenty; a webhook needs no asking.",
    curl="""while status=$(curl --fail-with-body -sS "$VIDEO_API/generations/$GENERATION/status" \\
    -H "Authorization: Bearer $VIDEO_TOKEN") && echo "$status" \\
    && ! echo "$status" | grep -qE '"status": ?"(completed|failed|cancelled)"'; do
  sleep 2
done
curl --fail-with-body -sS -o clip.mp4 "$VIDEO_API/download/$GENERATION" -H "Authorization: Bearer $VIDEO_TOKEN"
""",
    python=_CLIENT.replace("import os\n", "import os\nimport time\n", 1)
    + """
generation = os.environ["GENERATION"]
while True:
    answer = api.get(f"/generations/{generation}/status")
    if answer.status_code in (429, 503):
        time.sleep(int(answer.headers["Retry-After"]))
        continue
    answer.raise_for_status()
    status = answer.json()["status"]
    if status["status"] in ("completed", "failed", "cancelled"):
        break
    time.sleep(2)
if status["status"] != "completed":
    raise SystemExit(f"No clip: {status['status']} {status['errorMessage'] or ''}")
with api.stream("GET", f"/download/{generation}") as answer, open("clip.mp4", "wb") as file:
    answer.raise_for_status()
    for chunk in answer.iter_bytes():
        file.write(chunk)
print("clip.mp4")
""",
    needs=("GENERATION",),
)

LIST = Recipe(
    title="List clips, a page at a time",
    text="Filters go together; `nextCursor` asks for the next page and is null on the last one.",
    curl="""curl --fail-with-body -sS --get "$VIDEO_API/generations" -H "Authorization: Bearer $VIDEO_TOKEN" \\
  -d status=completed -d status=failed -d since=2026-01-01T00:00:00Z -d limit=50
""",
    python=_CLIENT
    + """
wanted = {"status": ["completed", "failed"], "since": "2026-01-01T00:00:00Z", "limit": 50}
while True:
    answer = api.get("/generations", params=wanted)
    answer.raise_for_status()
    page = answer.json()
    for clip in page["generations"]:
        print(clip["id"], clip["status"], clip["creditUsed"], clip["prompt"])
    if page["nextCursor"] is None:
        break
    wanted["cursor"] = page["nextCursor"]
""",
)

USAGE = Recipe(
    title="Usage for a spreadsheet",
    text="Days are UTC, both included; amounts are whole credits and rupiah. `format=xlsx` is an Excel "
    "workbook, which opens the same way where lists are separated by semicolons.",
    curl="""curl --fail-with-body -sS --get -o usage.csv "$VIDEO_API/usage" -H "Authorization: Bearer $VIDEO_TOKEN" \\
  -d since=2026-01-01 -d until=2026-01-31 -d format=csv
""",
    python=_CLIENT
    + """
answer = api.get("/usage", params={"since": "2026-01-01", "until": "2026-01-31", "format": "csv"})
answer.raise_for_status()
with open("usage.csv", "wb") as file:
    file.write(answer.content)
print("usage.csv")
""",
)

ALL = (ESTIMATE, GENERATE, WAIT, LIST, USAGE)
