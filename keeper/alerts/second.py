"""The channels for when Telegram stays away: a webhook and mail, each in a thread of its own while it sends."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from http.client import HTTPException
from typing import IO, Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import anyio
import anyio.to_thread
import orjson

from keeper.alerts.cases import Book, Message
from keeper.alerts.dispatch import Away, Later, Outcome, Rejected, Sent
from keeper.alerts.render import incident_document, plain
from lib.life.config import Config

WEBHOOK = "webhook"
MAIL = "mail"
_TIMEOUT_S = 10.0


class Second(Protocol):
    """A channel that takes one message after another and never changes one."""

    name: str

    async def send(self, message: Message, book: Book) -> Outcome: ...


def second_channels(config: Config) -> list[Second]:
    """Those that are set up."""
    found: list[Second] = []
    if config.alert_webhook:
        found.append(Webhook(config.alert_webhook))
    if config.alert_mail:
        found.append(Mail(config.alert_smtp, config.alert_mail, config.host))
    return found


class Webhook:
    """Posts JSON: `text` for a person (the field that chat programs show), `purpose`, and the `incident`."""

    name = WEBHOOK

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, message: Message, book: Book) -> Outcome:
        """One POST. An answer other than 2xx means that it was not taken."""
        case = book.cases.get(message.case or "")
        body = orjson.dumps(
            {
                "id": message.id,
                "purpose": message.purpose,
                "text": plain(message.text),
                "incident": None if case is None else incident_document(case.incident, is_open=case.open),
            }
        )
        return await anyio.to_thread.run_sync(_post, self._url, body, abandon_on_cancel=True)


class Mail:
    """One mail for each message, to all addresses at once. `smtp` is smtp://user:password@host:port, or smtps://."""

    name = MAIL

    def __init__(self, smtp: str, to: tuple[str, ...], host: str) -> None:
        self._smtp = smtp
        self._to = to
        self._host = host

    async def send(self, message: Message, book: Book) -> Outcome:
        """One mail."""
        text = plain(message.text)
        mail = EmailMessage()
        mail["Subject"] = " ".join(text.partition("\n")[0].split())[:200]
        mail["From"] = self._sender()
        mail["To"] = ", ".join(self._to)
        mail["Message-ID"] = f"<{message.id}@vakanz.invalid>"  # a repetition is the same mail
        mail.set_content(text)
        return await anyio.to_thread.run_sync(_mail, self._smtp, mail, abandon_on_cancel=True)

    def _sender(self) -> str:
        user = unquote(urlsplit(self._smtp).username or "")
        return user if "@" in user else f"vakanz@{self._host}"


class _NoRedirects(HTTPRedirectHandler):
    """A redirected POST would become a GET that nobody reads."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        return None


def _post(url: str, body: bytes) -> Outcome:
    request = Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")
    try:
        with build_opener(_NoRedirects).open(request, timeout=_TIMEOUT_S):
            return Sent()
    except HTTPError as error:
        error.close()
        if error.code == 429:
            return Later(_retry_after(error.headers.get("Retry-After")))
        return Rejected(f"HTTP {error.code}") if 300 <= error.code < 500 else Away(f"HTTP {error.code}")
    except (URLError, OSError, HTTPException, ValueError) as error:
        return Away(f"{type(error).__name__}: {error}")


def _mail(smtp: str, mail: EmailMessage) -> Outcome:
    try:
        url = urlsplit(smtp)
        secure = ssl.create_default_context()
        host, port = url.hostname or "localhost", url.port
        if url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=_TIMEOUT_S, context=secure)
        else:
            server = smtplib.SMTP(host, port or 25, timeout=_TIMEOUT_S)
        with server:
            server.ehlo()
            if url.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=secure)
                server.ehlo()
            elif url.scheme == "smtp" and url.username:
                raise smtplib.SMTPNotSupportedError("the server takes no encryption, so it gets no password")
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(mail)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        return Rejected(f"{type(error).__name__}: {error}")
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Away(f"{type(error).__name__}: {error}")
    return Sent()


def _retry_after(given: str | None) -> float:
    return min(3600.0, float(given)) if given is not None and given.isascii() and given.isdigit() else 60.0
