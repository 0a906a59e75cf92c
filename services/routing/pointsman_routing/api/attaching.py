"""What an agent attaches: files that intake keeps, asked of it before the desk hears of them.

The question goes to intake's lane as a command without a row, and is answered on `outcomes`. While nobody can answer it
the reply is not applied (503), like a reply while the desk itself is away.
"""

from starlette.requests import Request

from pointsman.contracts.commands import AttachmentsDescribe
from pointsman.contracts.shapes import Attachment
from pointsman.contracts.wire import actor
from pointsman.runtime.auth import Caller
from pointsman.runtime.http.idempotency import ask
from pointsman.runtime.http.problems import invalid


async def described(request: Request, caller: Caller, ids: tuple[str, ...]) -> tuple[Attachment, ...]:
    """The files of these ids, with name, type and size. Raises `Problem` 422 for those that there are not."""
    if not ids:
        return ()
    question = AttachmentsDescribe(actor=actor(caller.role, caller.sub), attachment_ids=ids)
    answer, _, _ = await ask(request, caller, question, subject="attachments")
    found = tuple(Attachment.model_validate(one) for one in answer["attachments"])
    known = {one.attachment_id for one in found}
    errors = [
        {"pointer": f"/attachment_ids/{place}", "detail": "there is no such attachment"}
        for place, id in enumerate(ids)
        if id not in known
    ]
    if errors:
        raise invalid(errors)
    return found
