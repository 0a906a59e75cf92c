"""What somebody probably meant who wrote a name that there is not."""

import difflib
from collections.abc import Collection

LISTED_MAX = 10
LENGTH_MAX = 200


def nearest(name: str, known: Collection[str], *, count: int = 3) -> list[str]:
    """Those of `known` that were probably meant by `name`, the likeliest first. By a name that is longer than any there
    may be, none: to compare takes time that grows with it."""
    if len(name) > LENGTH_MAX:
        return []
    by_case = {one.casefold(): one for one in known}
    begun = [one for one in known if len(name) > 2 and one.startswith(name)]
    close = [by_case[one] for one in difflib.get_close_matches(name.casefold(), by_case, count, cutoff=0.6)]
    return list(dict.fromkeys([*close, *begun]))[:count]


def no_such(what: str, name: str, known: Collection[str]) -> str:
    """One line: there is no such thing, and what was probably meant, or what there is."""
    if near := nearest(name, known):
        more = f"; did you mean {' or '.join(near)}?"
    elif known:
        listed = sorted(known)[:LISTED_MAX]
        more = (
            f"; there {'is' if len(known) == 1 else 'are'} {', '.join([*listed, *['…'] * (len(known) > LISTED_MAX)])}"
        )
    else:
        more = ", nor any other"
    return f"there is no {what} {name!r}{more}"
