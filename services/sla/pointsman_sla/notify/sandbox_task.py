"""One task, in a process of its own that ends with it: render a template, or tell one address through apprise."""

import logging
import smtplib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType, OverflowMode
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from pointsman_sla.notify.allowed import NotAllowed, check_plugin, check_scheme
from pointsman_sla.notify.guard import shut_in

TITLE_CHARACTERS_MAX = 200
BODY_CHARACTERS_MAX = 4_000
REASON_CHARACTERS_MAX = 400
HEADER = "Pointsman-Notification"
"""Every HTTP request of a message has its id in this header, the same in each try."""

TYPES = {"breach": NotifyType.FAILURE, "warning": NotifyType.WARNING, "info": NotifyType.INFO}


def run(task: Mapping[str, Any]) -> dict[str, Any]:
    """Guards this process and does the task. The answer: `{ok, …}`, with the reason when it is not."""
    noticed = Noticed()
    shut_in(loopback=task["loopback"], refused=noticed.say)
    if task["job"] == "render":
        return render(task["templates"], task["variables"])
    return tell(task, noticed)


# -- templates ---------------------------------------------------------------------------------------------------------


def render(templates: Mapping[str, str], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The texts of title and body; not ok with what is wrong. Cut when too long, however much a template would give."""
    environment = SandboxedEnvironment(autoescape=False, trim_blocks=True, lstrip_blocks=True)
    limits = {"title": TITLE_CHARACTERS_MAX, "body": BODY_CHARACTERS_MAX}
    texts: dict[str, str] = {}
    for name, source in templates.items():
        parts, length = [], 0
        try:
            for part in environment.from_string(source).generate(**variables):
                parts.append(part)
                length += len(part)
                if length > limits[name]:
                    break
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, MemoryError,
                RecursionError) as error:  # fmt: skip
            return {"ok": False, "reason": f"{name}: {type(error).__name__}: {error}"[:REASON_CHARACTERS_MAX]}
        texts[name] = "".join(parts)[: limits[name]].strip()
    return {"ok": True, "texts": texts}


# -- telling -----------------------------------------------------------------------------------------------------------


@dataclass
class Noticed:
    """What was seen of the receiver's answers, without a word of the address, which is a secret."""

    words: list[str] = field(default_factory=list)
    retry_after_seconds: float | None = None

    def say(self, words: str) -> None:
        """Notes it, once."""
        if words not in self.words:
            self.words.append(words)

    def broke(self, words: str) -> None:
        """Notes why a connection broke off, unless more is known already."""
        if not self.words:
            self.say(words)

    def answer(self, response: requests.Response) -> None:
        """An HTTP answer that is not 2xx."""
        self.say(f"the receiver answered {response.status_code}")
        asked = response.headers.get("retry-after", "")
        if asked.isascii() and asked.isdigit():
            self.retry_after_seconds = float(asked[:6])
        elif asked:
            try:
                until = parsedate_to_datetime(asked) - parsedate_to_datetime(response.headers.get("date", ""))
            except (TypeError, ValueError):
                return
            self.retry_after_seconds = max(0.0, until.total_seconds())


def tell(task: Mapping[str, Any], noticed: Noticed) -> dict[str, Any]:
    """Tells one address."""
    _watch_http(noticed, task["notification"], task["seconds"])
    _watch_mail(noticed)
    logging.getLogger("apprise").disabled = True
    try:
        taken = _tell(task)
    except NotAllowed as error:
        return {"ok": False, "reason": str(error), "retry_after_seconds": None}
    reason = "; ".join(noticed.words) or "the address was not understood, or the receiver refused"
    return {
        "ok": taken,
        "reason": None if taken else reason[:REASON_CHARACTERS_MAX],
        "retry_after_seconds": noticed.retry_after_seconds,
    }


def _tell(task: Mapping[str, Any]) -> bool:
    address: str = task["address"]
    check_scheme(address)
    asset = AppriseAsset(
        app_id="Pointsman",
        app_desc="Pointsman",
        app_url="",
        async_mode=False,
        secure_logging=True,
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
        storage_mode="memory",
        allow_templates=False,
        service_timeout=0,
    )
    # Its errors quote the address.
    plugin = Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if plugin is None:
        raise NotAllowed("apprise does not understand the address")
    check_plugin(plugin)
    if "overflow=" not in address:
        plugin.overflow_mode = OverflowMode.TRUNCATE
    teller = Apprise(asset=asset)
    teller.add(plugin)
    result = teller.notify(
        body=task["body"], title=task["title"], notify_type=TYPES[task["type"]], body_format=NotifyFormat.TEXT
    )
    return bool(result)


def _watch_http(noticed: Noticed, notification: str, seconds: float) -> None:
    """Every HTTP request that apprise makes goes through requests' adapter: there redirects end, whatever the plugin
    or the address says."""
    original = requests.adapters.HTTPAdapter.send

    def send(self: Any, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        request.headers[HEADER] = notification
        given["timeout"] = seconds
        try:
            response = original(self, request, **given)
        except requests.RequestException as error:
            noticed.broke(_in_words(error))
            raise
        if 300 <= response.status_code < 400:
            noticed.say(f"the receiver answered {response.status_code}, and redirects are not followed")
            raise requests.TooManyRedirects("redirects are not followed")
        if response.status_code >= 400:
            noticed.answer(response)
        return response

    adapter: Any = requests.adapters.HTTPAdapter
    adapter.send = send


def _in_words(error: BaseException) -> str:
    """What kept a connection from being made, without the address that requests' own words quote."""
    found: BaseException | None = error
    seen: list[BaseException] = []
    while found is not None and found not in seen:
        if isinstance(found, OSError) and found.strerror and not isinstance(found, requests.RequestException):
            return f"no connection: {found.strerror}"
        seen.append(found)
        reason = getattr(found, "reason", None) or (found.args[0] if found.args else None)
        found = reason if isinstance(reason, BaseException) else found.__cause__ or found.__context__
    return f"no answer: {type(error).__name__}"


def _watch_mail(noticed: Noticed) -> None:
    """A mail server's refusals, in its own words, and why it was not reached."""
    getreply, connect, starttls = smtplib.SMTP.getreply, smtplib.SMTP.connect, smtplib.SMTP.starttls

    def heard(self: smtplib.SMTP) -> tuple[int, bytes]:
        code, words = getreply(self)
        if code >= 400 or code < 0:
            noticed.say(f"the mail server answered {code} {words.decode('utf-8', 'replace')[:200]}")
        return code, words

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            try:
                return method(*given, **named)
            except OSError as error:
                noticed.broke(f"no connection: {error.strerror or error}")
                raise

        return call

    # Typed as what they replace, these would have to repeat every argument.
    mail: Any = smtplib.SMTP
    mail.getreply, mail.connect, mail.starttls = heard, watched(connect), watched(starttls)
