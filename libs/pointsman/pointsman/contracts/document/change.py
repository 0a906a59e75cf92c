"""Changing a plain document: differences, merge patches, one entry of one section. Pure; nothing changes in place."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypedDict

from pointsman.contracts.document.inactive import escaped

SECTIONS: dict[str, tuple[str, ...]] = {
    "connectors": ("connectors",),
    "channels": ("channels",),
    "categories": ("classify", "categories"),
    "queues": ("queues",),
    "agents": ("agents",),
    "teams": ("teams",),
    "calendars": ("calendars",),
    "policies": ("sla", "policies"),
    "ladders": ("sla", "ladders"),
    "notify": ("sla", "notify"),
    "webhooks": ("webhooks",),
    "replies": ("replies",),
}
"""What `/config/{section}/{slug}` can name, and where it stands. Policies are a list; their `name` is the slug."""

_ABSENT: Any = object()


class Change(TypedDict, total=False):
    """One difference: `pointer`, `change`, and the values before and after where there are some."""

    pointer: str
    change: Literal["added", "removed", "changed"]
    old: Any
    new: Any


class UnknownSection(KeyError):
    """The document has no section of that name with entries."""


class UnknownEntry(KeyError):
    """The section has no entry of that slug."""


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """What leads from one plain document to another, in the order of the new one, what was removed last.

    Mappings are compared key by key; a list whose length changed is one change.
    """
    return list(_differences("", old, new))


def _differences(pointer: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, value in new.items():
            below = f"{pointer}/{escaped(key)}"
            if key in old:
                yield from _differences(below, old[key], value)
            else:
                yield {"pointer": below, "change": "added", "new": value}
        for key, value in old.items():
            if key not in new:
                yield {"pointer": f"{pointer}/{escaped(key)}", "change": "removed", "old": value}
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(f"{pointer}/{place}", before, after)
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield {"pointer": pointer, "change": "changed", "old": old, "new": new}


def merge_patched(document: Any, patch: Any) -> Any:
    """The document with a JSON merge patch (RFC 7386): null removes, a mapping merges, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patched(merged.get(key), value)
    return merged


def entry_of(document: Mapping[str, Any], section: str, slug: str) -> Any:
    """The entry as it was written. Raises `UnknownSection`, `UnknownEntry`."""
    entries = _entries(document, section)
    if isinstance(entries, list):
        entries = {entry.get("name"): entry for entry in entries}
    if slug not in entries:
        raise UnknownEntry(slug)
    return entries[slug]


def with_entry(document: Mapping[str, Any], section: str, slug: str, entry: Any) -> dict[str, Any]:
    """The document with an entry put: replaced where it stood, else at the end. Raises `UnknownSection`."""
    entries = _entries(document, section)
    if isinstance(entries, list):
        named = {**entry, "name": slug} if isinstance(entry, Mapping) else entry
        replaced = [named if old.get("name") == slug else old for old in entries]
        return _put(document, section, replaced if named in replaced else [*entries, named])
    return _put(document, section, {**entries, slug: entry})


def without_entry(document: Mapping[str, Any], section: str, slug: str) -> dict[str, Any]:
    """The document without an entry. Raises `UnknownSection`, `UnknownEntry`."""
    entry_of(document, section, slug)
    entries = _entries(document, section)
    if isinstance(entries, list):
        return _put(document, section, [entry for entry in entries if entry.get("name") != slug])
    return _put(document, section, {key: entry for key, entry in entries.items() if key != slug})


def _entries(document: Mapping[str, Any], section: str) -> Any:
    if section not in SECTIONS:
        raise UnknownSection(section)
    value: Any = document
    for step in SECTIONS[section]:
        value = value.get(step, _ABSENT)
        if value is _ABSENT:
            return [] if section == "policies" else {}
    return value


def _put(document: Mapping[str, Any], section: str, entries: Any) -> dict[str, Any]:
    first, *rest = SECTIONS[section]
    below = {**document.get(first, {}), rest[0]: entries} if rest else entries
    return {**document, first: below}
