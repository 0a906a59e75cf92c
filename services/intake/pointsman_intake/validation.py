"""What pydantic found wrong, as the problem that every route answers."""

from pydantic import ValidationError

from pointsman.runtime.http.problems import Problem, invalid_request


def refused(error: ValidationError) -> Problem:
    """400 when the body is no JSON, else 422 with a pointer for each error."""
    found = error.errors(include_url=False, include_input=False)
    return invalid_request([{**item, "loc": ("body", *item["loc"])} for item in found])
