"""Commands for sla: alerts and silences. Their subject is the alert or the silence."""

from pointsman.contracts.base import Moment, Value
from pointsman.contracts.commands import TOPIC, Command
from pointsman.contracts.shapes import Severity


class AlertAck(Command, topic=TOPIC, type="alert.ack"):
    """`POST /alerts/{id}/ack`."""

    alert_id: str
    comment: str | None = None
    for_seconds: int | None = None


class AlertUnack(Command, topic=TOPIC, type="alert.unack"):
    """`POST /alerts/{id}/unack`."""

    alert_id: str


class SilenceMatch(Value):
    """Which alerts a silence covers: every key given must hold, one of its values each. Empty: all."""

    severity: tuple[Severity, ...] = ()
    policy: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()


class SilenceAdd(Command, topic=TOPIC, type="silence.add"):
    """`POST /silences`: alerts that match notify nobody until then."""

    match: SilenceMatch = SilenceMatch()
    until: Moment
    reason: str


class SilenceEnd(Command, topic=TOPIC, type="silence.end"):
    """`DELETE /silences/{id}`."""

    silence_id: str
