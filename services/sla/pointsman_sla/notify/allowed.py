"""Which addresses of apprise may be told: services over HTTPS, and mail.

An allow list: all of these send through `requests` or `smtplib`, whose connections the sandbox's process checks. What
runs local programs, writes to local logs or speaks protocols of its own is not here; a newer version of apprise adds
nothing by itself.
"""

from typing import Any
from urllib.parse import urlsplit

from apprise.plugins import NotifyBase

_NAMES = """
    apprise apprises azure betterstack bark barks cliq clicksend dingtalk discord evolution evolutions feishu
    firehydrant flock form forms gchat github goalert goalerts gotify gotifys guilded ifttt ilert incidentio
    jira json jsons lark line mailgun mailto mailtos matrix matrixs mmost mmosts msgbird ncloud nclouds nctalk
    nctalks ntfy ntfys o365 opsgenie pagerduty pagertree postmark pover resend revolt rocket rockets ryver
    sendgrid ses signal signals signl4 sinch slack smtp2go sns sparkpost spike splunk squadcast synology synologys
    tgram threema twilio twist victorops voipms vonage webex wecombot wxteams wxpusher whatsapp workflow
    workflows xmatters xml xmls zoom zulip
"""
SCHEMAS = frozenset(_NAMES.split())
"""The beginnings of addresses (`slack://…`) that are allowed."""


class NotAllowed(ValueError):
    """The address is none that may be told. The message names its kind, never the address, which is a secret."""


def check_scheme(address: str) -> None:
    """Raises `NotAllowed` unless the address begins as one that is allowed, or is a service's own `https` address."""
    try:
        scheme = urlsplit(address.strip()).scheme.lower()
    except ValueError as error:
        raise NotAllowed("it is no address") from error
    if not scheme:
        raise NotAllowed("it has no kind: it should begin as slack://, mailto:// or json:// do")
    if scheme != "https" and scheme not in SCHEMAS:
        raise NotAllowed(f"addresses that begin with {scheme[:40]}:// are not allowed")


def check_plugin(plugin: NotifyBase) -> None:
    """Raises `NotAllowed` for a plugin behind an address that looked allowed and is not."""
    given: tuple[Any, ...] = (plugin.protocol, plugin.secure_protocol)
    schemas = {name for names in given if names for name in ([names] if isinstance(names, str) else names)}
    if not schemas & SCHEMAS:
        raise NotAllowed(f"{plugin.service_name} is not allowed")
