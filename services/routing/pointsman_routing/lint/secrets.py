"""What needs a secret and names none: it is valid, and nothing comes of it."""

from collections.abc import Iterator

from pointsman_routing.lint.finding import Finding, Path
from pointsman_routing.lint.view import DocumentView


def unnamed_secret(view: DocumentView) -> Iterator[Finding]:
    """A webhook, a connector's sending or its proof that lacks the name of a secret without which it does nothing."""
    for slug, hook in view.document.webhooks.items():
        for key in ("url_from", "secret"):
            if getattr(hook, key) is None:
                yield _lacks(("webhooks", slug), key, f"the webhook {slug} sends no event")
    for slug, connector in view.document.connectors.items():
        send, verify = connector.send, connector.verify
        for key in ("url_from", "secret"):
            if send is not None and send.kind == "webhook" and getattr(send, key) is None:
                yield _lacks(("connectors", slug, "send"), key, f"no reply leaves through {slug}")
        if verify.scheme is not None and verify.secret is None:
            yield _lacks(("connectors", slug, "verify"), "secret", f"every webhook of {slug} is refused")


def _lacks(path: Path, key: str, effect: str) -> Finding:
    what = "the address" if key == "url_from" else "the key"
    return Finding(
        "unnamed-secret",
        "warning",
        path,
        f"There is no `{key}`, which names the secret with {what}: {effect}.",
        f"Write `{key}: NAME`, and set it with `pointsman secret set NAME`.",
    )
