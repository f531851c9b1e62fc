"""The page of the settings: every variable of the environment, its default and what it means."""

from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from core import config, setting_files, sign_in_settings
from core.config import Settings
from core.db import server
from core.providers import registry
from core.worker import local_stack
from tools.reference_docs import markdown


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable; a name that begins with NAME_ stands for one variable a provider."""

    name: str
    default: str
    meaning: str


def variables() -> Sequence[Variable]:
    """All of them; figures are those of a process that was given none of them."""
    with TemporaryDirectory() as folder:
        demo = config.load({"DATA_DIR": folder})
        served = config.load({"DATA_DIR": folder, "REDIS_URL": "redis://localhost"})
    return (
        Variable("DATA_DIR", "`./data`", "Folder of everything that is written locally."),
        Variable(
            "DATABASE_URL",
            "SQLite in `DATA_DIR`",
            "Any SQLAlchemy address, as `postgresql://user:password@host/name`; PostgreSQL for more than one machine.",
        ),
        *_of_the_database(),
        Variable(
            "REDIS_URL",
            "unset",
            "`redis://`, `rediss://` or `unix://`. Unset: the app starts a Redis and a worker of its own. "
            "Set: nothing is started; run `python worker.py`.",
        ),
        Variable(
            "STORAGE_URL",
            "a folder in `DATA_DIR`",
            "`file:///absolute/path` of the clips and images, or `s3://bucket/prefix`, also `gs://` and `az://`; see "
            "[store files in S3](../how-to/store-files-in-s3.md). A bucket, or a shared folder, for more than one "
            "machine.",
        ),
        *_of_buckets(served),
        Variable(
            "SECRET_KEY",
            "made on first start and kept in `DATA_DIR`",
            "Signs media links, provider callbacks and webhooks. Must be the same on every machine.",
        ),
        Variable(
            "SECRET_KEY_OLD",
            "unset",
            "The key before, while it is changed: what it has signed stays valid, and webhooks are signed with both.",
        ),
        Variable(
            "CREDENTIALS_CERTIFICATE_FILE",
            "a certificate of the installation's own, made on first start",
            "PEM file of the certificates that clips are signed with, the signer's own first; see "
            "[sign clips with your own key](../how-to/sign-clips.md). The same on every machine with workers.",
        ),
        Variable(
            "CREDENTIALS_KEY_FILE",
            "a key of the installation's own, kept in the database",
            "PEM file of the private key of that certificate, without a password.",
        ),
        Variable(
            "AUTH_MODE",
            f"`{demo.auth_mode}`",
            "`local`: one person, no password, answers this machine only. `oidc`: people sign in with an identity "
            "provider. `proxy`: a front has signed them in and says who they are. `open`: one person on any address, "
            "for trusted networks only.",
        ),
        *_sign_in(served),
        Variable(
            "SIGNUP_CREDITS", _demo(demo.signup_credits, served.signup_credits), "Credits booked to a new person."
        ),
        Variable(
            "POLL_SECONDS",
            _demo(local_stack.DEMO_POLL_SECONDS, f"{served.poll_seconds:g}"),
            "How often a waiting clip is asked about; each provider at least at its own pace.",
        ),
        Variable(
            "AUTO_MIGRATE",
            "on with SQLite, off with PostgreSQL",
            "Whether a process that finds an older schema brings it up to date. Off: it says so and ends, and "
            "`python -m core.admin migrate` is run once; see [upgrade](../how-to/back-up-and-upgrade.md#upgrade).",
        ),
        Variable(
            "DELIVERY_CHECKS",
            "on" if served.delivery_checks else "off",
            "Whether delivered clips are looked over for black, frozen or flickering pictures, black bars, and sound "
            "that is silent, distorted, too loud or too quiet. It costs a second or two of one core a clip, after it "
            "was delivered.",
        ),
        Variable("STORAGE_QUOTA_BYTES", f"{served.storage_quota_bytes}", "How much one person may keep."),
        Variable(
            "ARCHIVE_MAX_BYTES",
            f"{served.archive_max_bytes}",
            "How much is packed at once when all that matches a filter is fetched; it comes in several ZIP files.",
        ),
        Variable(
            "ARCHIVE_DAYS",
            f"{served.archive_days}",
            "For how many days these ZIP files are kept. Until then they count against the workspace's storage.",
        ),
        Variable(
            "ANALYST_PACK_NIGHTLY",
            served.analyst_pack_nightly,
            "Whether an [analyst pack](../how-to/analyse-in-duckdb.md) of everything is made each night (UTC) for "
            "analysts and administrators: `names`, `pseudonymous` or `off`. It is kept for `ARCHIVE_DAYS` days.",
        ),
        Variable(
            "API_REQUESTS_PER_MINUTE",
            f"{served.api_requests_per_minute}",
            "How many requests one token may make a minute; 0: as many as it likes.",
        ),
        Variable(
            "SHEET_ROWS",
            f"{served.sheet_rows}",
            "How many rows a table of orders may have, and how many clips it may order.",
        ),
        Variable(
            "PUBLIC_URL",
            "unset",
            "Address by which people and vendors reach this installation, with its path if it has one. Links in the "
            "API begin with it; vendors call it when a job moves, and waits get shorter.",
        ),
        Variable(
            "ALLOWED_HOSTS",
            "empty",
            "Host names, separated by commas, by which the pages answer besides that of `PUBLIC_URL`; `*.example.org` "
            "for all below. Addresses and this machine's own names always do.",
        ),
        Variable(
            "FRAME_ANCESTORS",
            "empty",
            "Origins such as `https://intranet.example.org`, separated by commas, whose pages may frame ours.",
        ),
        Variable(
            "CONNECTIONS_PER_ADDRESS",
            f"{served.connections_per_address}",
            "How many connections one address may have open; 0: no limit. Proxies named in `FORWARDED_ALLOW_IPS` have "
            "none.",
        ),
        *_seeing_inside(served),
        *_kept(served),
        Variable(
            "AUDIT_LOG_DAYS",
            f"{served.audit_log_days}",
            "How long entries of the audit log are kept, 30 days at least; 0: for ever.",
        ),
        Variable(
            "VENDORS_FILE",
            "empty",
            "A file in TOML that names further vendors of known kinds and further models; see "
            "[add a vendor by a file](../how-to/add-a-vendor-by-a-file.md).",
        ),
        Variable(
            "DOWNLOAD_ALLOW_HOSTS",
            "empty",
            "Private or plain-http `host:port`s, separated by commas, that finished clips may be fetched from.",
        ),
        Variable(
            "WEBHOOK_ALLOW_HOSTS",
            "empty",
            "Private or plain-http `host:port`s, separated by commas, that webhooks may be sent to.",
        ),
        *_mail(served),
        Variable("INBOX_DAYS", f"{served.inbox_days}", "For how many days what people were told is kept, read or not."),
        Variable(
            "LOW_BALANCE_CREDITS",
            f"{served.low_balance_credits}",
            "Below how many credits the managers of a workspace are told that few are left, and below a tenth of it "
            "once more; 0: never.",
        ),
        Variable("HTTP_PROXY", "empty", "By which proxy requests to http addresses leave; see `ALL_PROXY`."),
        Variable("HTTPS_PROXY", "empty", "By which proxy requests to https addresses leave; see `ALL_PROXY`."),
        Variable(
            "ALL_PROXY",
            "empty",
            "By which proxy orders, looks, files and webhooks leave, where the two above are empty: `http://`, "
            "`https://`, `socks5://` or `socks5h://`, with user and password where it wants them. All three also in "
            "small letters.",
        ),
        Variable(
            "NO_PROXY",
            "empty",
            "Hosts that are reached directly: domains with all below them, addresses, networks, each with a port or "
            "without, or `*`. This machine itself always is.",
        ),
        Variable("NAME_API_KEY", "unset", "The vendor's key. A provider without one is listed as not configured."),
        Variable(
            "NAME_BASE_URL",
            "the vendor's",
            "Scheme, host and port of a gateway or stand-in, without a path. Files from there may be fetched even if "
            "the address is private.",
        ),
        Variable(
            "NAME_WEBHOOK_SECRET",
            "what the vendor tells us",
            "What the vendor signs its calls to us with: a secret of OpenRouter's workspace settings or Eden AI's "
            "public key (PEM). fal, Replicate and Google tell theirs. A call that is not signed so is not read.",
        ),
        Variable("NAME_MODEL_IDS", "empty", "`ours=theirs,...`: what the vendor calls a model since it renamed it."),
        Variable(
            "NAME_MAX_IN_FLIGHT",
            "the vendor's smallest plan",
            "How many jobs the provider is given at once; 0: its default.",
        ),
    )


def _seeing_inside(defaults: Settings) -> Sequence[Variable]:
    """Those of logs, metrics and traces."""
    return (
        Variable(
            "LOG_FORMAT",
            f"`{defaults.log_format}`",
            "`text` or `json`: how all processes write their log; see [see inside](../how-to/see-inside.md).",
        ),
        Variable(
            "METRICS_PORT",
            "unset",
            "Port on which each process gives its [metrics](metrics.md) to Prometheus, without a token. The parts that "
            "`python worker.py` starts take the ports from there on, each its own.",
        ),
        Variable("METRICS_HOST", f"`{defaults.metrics_host}`", "Address of that port; in a pod `0.0.0.0`."),
        Variable(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "unset",
            "Where traces are sent by OTLP over HTTP; needs the extra `telemetry`. Other `OTEL_` variables are "
            "those of OpenTelemetry itself.",
        ),
    )


def _kept(served: Settings) -> list[Variable]:
    """How long what has been made is kept."""
    return [
        Variable(
            "TRASH_DAYS",
            f"{served.trash_days}",
            "For how many days a deleted clip can be brought back; 0: its files go at once.",
        ),
        Variable(
            "REJECTED_CLIP_DAYS",
            f"{served.rejected_clip_days}",
            "How many days after its rejection a clip goes to the trash; 0: never. Its people are told a week before. "
            "Needs `TRASH_DAYS`. See [keep and erase](../how-to/keep-and-erase.md).",
        ),
        Variable(
            "UNDECIDED_CLIP_DAYS",
            f"{served.undecided_clip_days}",
            "The same for a clip that nobody has judged, from its end on. Kept clips and favourites never go.",
        ),
        Variable(
            "EVENT_DAYS",
            f"{served.event_days}",
            "How many days after a clip's end its steps are folded into its row, where they take less room; 0: never.",
        ),
        Variable(
            "DEPARTED_PROMPT_DAYS",
            f"{served.departed_prompt_days}",
            "How many days after somebody was deactivated their prompts are forgotten; 0: never.",
        ),
        Variable(
            "WEBHOOK_DELIVERY_DAYS",
            f"{served.webhook_delivery_days}",
            "For how many days what was delivered to webhooks can be looked at and sent again.",
        ),
    ]


def _mail(defaults: Settings) -> Sequence[Variable]:
    """Those of the mail server."""
    return (
        Variable("SMTP_HOST", "unset", "Mail server, for who wants to be told by e-mail; the dispatcher reaches it."),
        Variable("SMTP_PORT", f"{defaults.smtp_port}", "Its port."),
        Variable(
            "SMTP_SECURITY",
            f"`{defaults.smtp_security}`",
            "`starttls`: encrypted after a plain beginning. `tls`: from the first byte. `none`: not, for a server "
            "on this machine.",
        ),
        Variable("SMTP_USER", "unset", "Who signs in there."),
        Variable("SMTP_PASSWORD", "unset", "The password of that account."),
        Variable(
            "SMTP_FROM", "unset", "Address that mail comes from, `Name <name@host>` or bare; `SMTP_HOST` needs it."
        ),
    )


def _of_the_database() -> Sequence[Variable]:
    """How a process uses a server of PostgreSQL."""
    web, worker = server.ROLES["web"], server.ROLES["submit"]
    return (
        Variable(
            "DATABASE_POOL",
            f"{web.kept} in a web process, {worker.kept} or {server.ROLES['dispatcher'].kept} in a worker",
            "How many connections to PostgreSQL a process keeps open to read, and as many to write; see "
            "[run on many machines](../how-to/run-on-many-machines.md).",
        ),
        Variable(
            "DATABASE_POOL_OVERFLOW",
            f"{web.extra} in a web process, {worker.extra} or {server.ROLES['dispatcher'].extra} in a worker",
            "How many more of each it makes in a rush.",
        ),
        Variable(
            "DATABASE_PREPARED_STATEMENTS",
            "by itself",
            "Whether statements are prepared on PostgreSQL. Unset: only where no pooler such as PgBouncer is in "
            "between. `on` for one that knows them (PgBouncer from 1.21 on, with `max_prepared_statements`).",
        ),
        Variable(
            "DATABASE_STATEMENT_SECONDS",
            f"{web.statement_seconds} in a web process, else as the server has it",
            "How long one statement may take on PostgreSQL; 0: as the server has it. Changes of the schema have no "
            "limit.",
        ),
        Variable(
            "DATABASE_IDLE_SECONDS",
            f"{web.idle_seconds}",
            "After how long without a statement PostgreSQL ends a transaction that was left open, with its connection; "
            "0: as the server has it.",
        ),
    )


def _of_buckets(served: Settings) -> Sequence[Variable]:
    """What counts where files lie in a bucket; the stores' own variables are called as their other tools have them."""
    return (
        Variable(
            "MEDIA_LINKS",
            f"`{served.media_links}`",
            "`proxy`: browsers get files from the app. `direct`: straight from the bucket, by links that end within "
            "hours; until then whoever has one can read that file.",
        ),
        Variable(
            "STORAGE_PUBLIC_URL",
            "the store's own",
            "Address by which browsers reach the store, if it is another one than the app's.",
        ),
        Variable("AWS_ENDPOINT_URL", "Amazon's", "Address of the S3 server, as `https://s3.example.org`."),
        Variable("AWS_REGION", "`us-east-1`", "Region of the bucket."),
        Variable("AWS_DEFAULT_REGION", "unset", "The same, where `AWS_REGION` is not set."),
        Variable("AWS_ACCESS_KEY_ID", "by the machine's role", "Name of the key for the bucket."),
        Variable("AWS_SECRET_ACCESS_KEY", "by the machine's role", "The key itself."),
        Variable("AWS_SESSION_TOKEN", "unset", "What belongs to a key that is lent for a while."),
        Variable("AWS_CA_BUNDLE", "unset", "PEM file of the authority of the store's certificate, if it is your own."),
        Variable("GOOGLE_APPLICATION_CREDENTIALS", "by the machine's role", "File with the key for a `gs://` bucket."),
        Variable("GOOGLE_SERVICE_ACCOUNT_KEY", "unset", "The same key, as the JSON that is in such a file."),
        Variable("AZURE_STORAGE_ACCOUNT_NAME", "unset", "Account of an `az://` container."),
        Variable("AZURE_STORAGE_ACCOUNT_KEY", "unset", "Its key."),
        Variable("AZURE_STORAGE_SAS_KEY", "unset", "A signature of Azure's that lets in, in place of the key."),
        Variable("AZURE_STORAGE_ENDPOINT", "Azure's own", "Address of the account, if it is another one."),
    )


def _sign_in(defaults: Settings) -> Sequence[Variable]:
    """Those of signing in."""
    return (
        Variable(
            "OIDC_ISSUER", "unset", "Address of the identity provider; `https`. `oidc` needs it and `PUBLIC_URL`."
        ),
        Variable("OIDC_CLIENT_ID", "unset", "What this installation is called there."),
        Variable("OIDC_CLIENT_SECRET", "unset", "Its secret; without one it is a public client."),
        Variable("OIDC_NAME", "host of the issuer", "What the button on the sign-in page calls the provider."),
        Variable("OIDC_SCOPES", f"`{sign_in_settings.SCOPES}`", "What is asked for."),
        Variable(
            "OIDC_GROUPS_CLAIM", f"`{sign_in_settings.GROUPS_CLAIM}`", "The claim with the groups; may be a path."
        ),
        Variable(
            "OIDC_EMAIL_VERIFIED",
            f"`{sign_in_settings.EMAIL_VERIFIED[0]}`",
            "`claim`: an address is verified when the provider says so. `always`: all of its addresses are its own.",
        ),
        Variable("OIDC_2_ISSUER, ...", "unset", "The same of a second provider, `OIDC_3_` of a third, and so on."),
        Variable(
            "ROLE_MAP",
            "empty",
            "`group=role,...` or `group=role;...`, with `user`, `analyst`, `admin` or `workspace:NAME:` and `viewer`, "
            "`maker` or `manager`. Counts at each sign-in.",
        ),
        Variable(
            "DEFAULT_ROLE",
            f"`{defaults.default_role}`",
            "What somebody is who is in no group of the map: `user`, or `none` to refuse them unless they are invited.",
        ),
        Variable(
            "ALLOWED_EMAIL_DOMAINS", "all", "Domains of verified addresses that may come in, separated by commas."
        ),
        Variable("ADMIN_EMAILS", "empty", "Verified addresses of people who are always administrators."),
        Variable("SESSION_HOURS", f"{defaults.session_hours}", "How long a session of a browser lasts at most."),
        Variable("SESSION_IDLE_MINUTES", f"{defaults.session_idle_minutes}", "After so long without use it ends."),
        Variable(
            "TRUSTED_PROXIES",
            "empty",
            "Addresses and networks of fronts that may say who somebody is; `proxy` needs it.",
        ),
        Variable("PROXY_USER_HEADER", "unset", "The header with a person's e-mail address."),
        Variable("PROXY_GROUPS_HEADER", "unset", "The header with their groups, separated by commas."),
        Variable("PROXY_JWT_HEADER", "unset", "The header with a signed assertion, which is then needed."),
        Variable("PROXY_JWKS_URL", "unset", "Where the keys are published that it is signed with."),
        Variable("PROXY_JWT_AUDIENCE", "unset", "For whom it must have been made (`aud`)."),
        Variable("PROXY_JWT_ISSUER", "any", "Who must have made it (`iss`)."),
    )


def page() -> str:
    """The page as it must stand in docs/reference."""
    names = ", ".join(f"`{provider.name.upper()}`" for provider in registry.providers())
    rows = [(f"`{each.name}`", each.default, each.meaning) for each in variables()]
    return markdown.page(
        "Settings",
        "Settings are variables of the environment, read once when a process starts; a file `.env` beside the app is "
        "read as well, and the environment wins. A bad value stops the start with a sentence that names the variable. "
        "The exit code is 2. An empty value counts as unset. Spaces, line ends and quotation marks around a value are "
        "cut off, but for secret keys. Names that are nearly ours, and models that no provider has, are warned about.",
        "What is written locally can be read by the account alone that the processes run under; files of a version "
        "before that others could read are made private at the start.",
        f"A secret may lie in a file instead, as containers and service managers hand them over: {_in_files()}. The "
        "file is read at the start; line ends at its end do not count. One that is missing, unreadable or empty, or a "
        "secret that is given in both ways, stops the start.",
        markdown.table(("variable", "default", "meaning"), rows),
        f"`NAME` is the provider's name in capitals: {names}.",
        "The address and port of the app itself are Streamlit's own settings, in `.streamlit/config.toml` or as "
        "`--server.address` and `--server.port`.",
    )


def _in_files() -> str:
    """The variables that say where a secret lies."""
    given = (*setting_files.SECRETS, "OIDC_CLIENT_SECRET", *(f"NAME{end}" for end in setting_files.OF_PROVIDERS))
    names = [f"`{name}{setting_files.SUFFIX}`" for name in given]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _demo(demo: object, served: object) -> str:
    return f"{demo} in the demo, else {served}"
