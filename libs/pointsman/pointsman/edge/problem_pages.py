"""The pages that a problem's `type` names, as the documentation has them: docs/problems/<code>.md."""

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

IN_WHEEL = Path(__file__).parent / "problems"
IN_CHECKOUT = Path(__file__).parents[4] / "docs/problems"

_CODE = re.compile(r"[a-z0-9-]{1,63}")


class ProblemPages:
    """The endpoint `/problems/{code}`: the page as plain text; 404 for a code without one. Without a folder it serves
    those that the package brought along."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or (IN_WHEEL if IN_WHEEL.is_dir() else IN_CHECKOUT)

    async def __call__(self, request: Request) -> Response:
        code = request.path_params["code"]
        page = self._folder / f"{code}.md"
        if not _CODE.fullmatch(code) or not page.is_file():
            return PlainTextResponse("there is no page of this problem\n", 404)
        return PlainTextResponse(page.read_text())
