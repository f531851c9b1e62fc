"""Sends one mail by the server that the settings name; what came of it is an outcome, never an exception."""

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape

from core.config import Settings
from core.messages import Message, message

TIMEOUT_SECONDS = 15.0
"""Of each exchange with the server; a mail takes a handful."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that comes with a mail, byte for byte; `parameters` are those of its media type."""

    name: str
    media_type: str
    parameters: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as its reader gets it. `id` makes its Message-ID, the same in every attempt; `links` are (words, address).

    `written_at` is its date, the same in every attempt, too.
    """

    id: str
    to: str
    subject: str
    lines: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    footer: str
    written_at: datetime
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class MailResult:
    """What came of an attempt: `error` is a sentence for people, None when the server took the mail."""

    error: Message | None
    is_final: bool = False
    """No further attempt can change it."""


def send(settings: Settings, mail: Mail) -> MailResult:
    """Hand a mail to the server; it has taken it exactly if it answered the text of the mail with "250".

    A connection that ends before that answer leaves unknown whether it was taken: the next attempt has the same
    Message-ID, by which a double is known.
    """
    try:
        letter = compose(settings, mail)
    except ValueError:
        return MailResult(message("mail_no_address"), is_final=True)
    try:
        server = _connect(settings)
        try:
            server.send_message(letter)
        finally:
            _leave(server)
    except smtplib.SMTPRecipientsRefused as refused:
        code = next(iter(refused.recipients.values()))[0]
        return MailResult(message("mail_not_taken", code=code), is_final=code >= 500)
    except smtplib.SMTPResponseException as refused:
        return MailResult(message("mail_not_taken", code=refused.smtp_code))
    except (smtplib.SMTPException, OSError) as failure:
        return MailResult(message("mail_not_reached", name=type(failure).__name__))
    return MailResult(None)


def compose(settings: Settings, mail: Mail) -> EmailMessage:
    """The mail with the same words in every attempt; ValueError for an address that takes none."""
    _name, sender = parseaddr(settings.smtp_from)
    letter = EmailMessage()
    letter["From"] = settings.smtp_from
    letter["To"] = Address(addr_spec=mail.to)
    letter["Subject"] = " ".join(mail.subject.split())[:200]
    letter["Date"] = format_datetime(mail.written_at)
    letter["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    links = [f"{words}: {address}" for words, address in mail.links]
    letter.set_content("\n\n".join([*mail.lines, *links, f"-- \n{mail.footer}"]) + "\n")
    paragraphs = [f"<p>{escape(line)}</p>" for line in mail.lines]
    paragraphs += [f'<p><a href="{escape(address)}">{escape(words)}</a></p>' for words, address in mail.links]
    paragraphs.append(f'<p style="color:#666;font-size:12px">{escape(mail.footer)}</p>')
    letter.add_alternative(f"<!doctype html><html><body>{''.join(paragraphs)}</body></html>", subtype="html")
    if (file := mail.attachment) is not None:
        main, _slash, sub = file.media_type.partition("/")
        letter.add_attachment(file.data, maintype=main, subtype=sub, filename=file.name, params=dict(file.parameters))
    return letter


def _connect(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
    except BaseException:
        server.close()
        raise
    return server


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye; what goes wrong with that changes nothing about the mail."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
