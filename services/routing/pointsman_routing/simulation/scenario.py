"""A scenario as people write it: docs/simulation.md says what each key means. Times are in its own `unit`."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, StrictBool, Tag, model_validator

from pointsman.contracts.document.parts import Level, Part, Slug
from pointsman.contracts.document.queues import Choice
from pointsman.contracts.shapes import Channel, Priority
from pointsman_routing.simulation.distributions import Distribution
from pointsman_routing.simulation.plan import DAY_US

UNIT_US = {"seconds": 1_000_000, "minutes": 60_000_000, "hours": 3_600_000_000, "days": DAY_US}
AGENTS_MAX = 10_000
YEARS_MAX = 2_000

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Time = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Name = Annotated[str, BeforeValidator(lambda given: str(given) if type(given) is int else given), Field(min_length=1)]


class Step(Part):
    """From this time on, arrivals come at this rate."""

    from_: Annotated[Time, Field(alias="from")]
    rate: Time


class Agents(Part):
    """`count` agents alike; with `id` they are named in the result. The other keys are those of a workspace's agent."""

    count: Annotated[int, Field(strict=True, ge=1, le=AGENTS_MAX)] = 1
    id: Name | None = None
    present: tuple[tuple[Time, Time], ...] | None = None
    name: Any = None
    team: Any = None
    capacity: Any = None
    caps: Any = None
    reserve: Any = None
    skills: Any = None
    queues: Any = None

    def plain(self) -> dict[str, Any]:
        """As the workspace document has it."""
        return self.model_dump(exclude={"count", "id", "present"}, exclude_unset=True)


class DeskPart(Part):
    """The desk: keys of a workspace document. `choice` holds for every queue that names none."""

    choice: Choice | None = None
    skills: Any = ()
    queues: dict[Slug, Any] = {"main": {}}
    agents: Annotated[
        Annotated[tuple[Agents, ...], Tag("list")] | Annotated[dict[Slug, Any], Tag("mapping")],
        Discriminator(lambda given: "mapping" if isinstance(given, dict) else "list"),
    ]
    teams: Any = None
    channels: dict[Channel, Any] = {}
    wrap_up_seconds: Any = None
    sla: Any = None
    calendars: Any = None


class Class(Part):
    """Customers alike. `priority` is a number, the higher the more urgent, or a workspace's priority by name."""

    name: Name
    rate: Time | Annotated[tuple[Step, ...], Field(min_length=1, max_length=10_000)]
    service: Distribution
    patience: Distribution | None = None
    queue: Slug | None = None
    channel: Channel = "email"
    priority: Finite | Priority = 0
    weight: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 1
    requires: dict[str, Level] = {}
    prefers: dict[str, Level] = {}
    balk: StrictBool = False
    head_start_minutes: Finite | None = None
    slope: Annotated[float, Field(strict=True, gt=0, le=1_000_000)] | None = None


class Scenario(Part):
    """What is simulated: see docs/simulation.md."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 7
    replications: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 20
    unit: Literal["seconds", "minutes", "hours", "days"] = "minutes"
    warmup: Time = 0.0
    horizon: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
    sla: StrictBool = False
    desk: DeskPart
    classes: Annotated[tuple[Class, ...], Field(min_length=1, max_length=1_000)]

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.warmup >= self.horizon:
            raise ValueError(f"the horizon ({self.horizon}) has to be later than the warm-up ({self.warmup})")
        if self.horizon * UNIT_US[self.unit] > YEARS_MAX * 365 * DAY_US:
            raise ValueError(f"the horizon is more than {YEARS_MAX} years of {self.unit}")
        return self
