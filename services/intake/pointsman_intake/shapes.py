"""What `POST /messages`, `/events` and the reply calls take: pydantic shapes, in which an unknown field is an error."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic_core import PydanticCustomError

from pointsman.contracts.base import Slug
from pointsman.contracts.shapes import Priority
from pointsman.core.addresses import is_mail_address
from pointsman.core.storable import unstorable
from pointsman.runtime.http.instants import GivenInstant

_NO_NUL = r"^[^\x00]*$"  # PostgreSQL stores none

Key = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=_NO_NUL)]
Name = Annotated[str, StringConstraints(max_length=512, pattern=_NO_NUL)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=320, pattern=_NO_NUL)]


def _mail_address(text: str) -> str:
    if not is_mail_address(text.strip()):
        raise PydanticCustomError("mail_address", "is no mail address; e.g. ada@example.com")
    return text


MailAddress = Annotated[Address, AfterValidator(_mail_address)]
Levels = Annotated[dict[Slug, Annotated[int, Field(ge=1, le=10)]], Field(max_length=50)]


def _keepable(metadata: dict[str, Any]) -> dict[str, Any]:
    """Every other field says itself what it holds; this one may hold anything that can be kept."""
    for path, why in unstorable(metadata):
        raise ValueError(f"{'/'.join(map(str, path))} {why}")
    return metadata


Metadata = Annotated[dict[str, Any], AfterValidator(_keepable), Field(max_length=100, default_factory=dict)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AuthorIn(Shape):
    """Who wrote it; an `agent` wrote it in the provider's own app."""

    kind: Literal["customer", "agent", "bot"]
    agent: Slug | None = None


class CustomerIn(Shape):
    """The customer, by whatever the connector knows. `id` is the connector's own name for them, or ours."""

    id: Key | None = None
    name: Name | None = None
    email: MailAddress | None = None
    phone: Address | None = None
    handle: Address | None = None
    language: Annotated[str, StringConstraints(max_length=35, pattern=_NO_NUL)] | None = None
    tier: Annotated[str, StringConstraints(max_length=63, pattern=_NO_NUL)] | None = None


class AttachmentIn(Shape):
    """One of: `attachment_id`; `name`, `content_type`, `content_base64`; `name`, `url`."""

    attachment_id: Key | None = None
    name: Name | None = None
    content_type: Annotated[str, StringConstraints(max_length=255, pattern=_NO_NUL)] | None = None
    content_base64: str | None = None
    url: Annotated[str, StringConstraints(max_length=2048, pattern=r"^https?://")] | None = None


class RoutingIn(Shape):
    """Hints for routing; only from a connector with `hints: true`."""

    queue: Slug | None = None
    category: Slug | None = None
    priority: Priority | None = None
    requires: Levels = Field(default_factory=dict)
    prefers: Levels = Field(default_factory=dict)
    agent: Slug | None = None


class MessageIn(Shape):
    """One message. `external_id` is its key within the connector; without `thread` it begins a conversation of its own.
    It says something: a text, HTML, a subject or an attachment. An `edit`, `delete` or `reaction` is about the message
    `replaces`, by its `external_id`, and on its conversation whatever `thread` says; a `delete` needs no text, and a
    `reaction` without one was taken back.

    `text` above 64 KiB is cut and the message marked `truncated`; the raw bytes keep the whole.
    """

    connector: Slug
    external_id: Key
    thread: Key | None = None
    author: AuthorIn | None = None
    kind: Literal["message", "edit", "delete", "reaction", "comment", "review"] = "message"
    replaces: Key | None = None
    customer: CustomerIn | None = None
    to: Annotated[tuple[Address, ...], Field(max_length=100)] = ()
    cc: Annotated[tuple[Address, ...], Field(max_length=100)] = ()
    subject: Annotated[str, StringConstraints(max_length=2000)] | None = None
    text: str | None = None
    html: str | None = None
    attachments: Annotated[tuple[AttachmentIn, ...], Field(max_length=50)] = ()
    occurred_at: GivenInstant | None = None
    routing: RoutingIn | None = None
    metadata: Metadata


class EventIn(Shape):
    """Something about a conversation, or about a reply (`message_id`), that is no message."""

    connector: Slug
    external_id: Key
    thread: Key
    kind: Literal["left", "returned", "ended", "typing", "delivered", "read", "failed"]
    message_id: Key | None = None
    occurred_at: GivenInstant | None = None


class DeliveredIn(Shape):
    """A reply was handed to the provider: its id there, and the conversation that the provider put it in."""

    external_id: Key | None = None
    thread: Key | None = None


class FailedIn(Shape):
    """A reply could not be handed to the provider; unless `permanent` it is offered again."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    permanent: bool = False


class CustomerPut(Shape):
    """What is known of a customer, whole: what is left out is emptied."""

    name: Name | None = None
    emails: Annotated[tuple[MailAddress, ...], Field(max_length=50)] = ()
    phones: Annotated[tuple[Address, ...], Field(max_length=50)] = ()
    handles: Annotated[tuple[Address, ...], Field(max_length=50)] = ()
    language: Annotated[str, StringConstraints(max_length=35, pattern=_NO_NUL)] | None = None
    tier: Annotated[str, StringConstraints(max_length=63, pattern=_NO_NUL)] | None = None
    organization: Name | None = None
    owner: Slug | None = None


MESSAGE: TypeAdapter[MessageIn] = TypeAdapter(MessageIn)
EVENT: TypeAdapter[EventIn] = TypeAdapter(EventIn)
