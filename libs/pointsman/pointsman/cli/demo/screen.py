"""The demo's screen: the live figures, drawn on standard error while the day runs."""

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

BAR_CELLS = 24
LINES_MAX = 6


@dataclass(slots=True)
class Scene:
    """What is shown: how far the day is, the playing processes' counts, the wallboard's figures, what happened."""

    url: str
    seconds: float
    elapsed: float = 0.0
    posted: int = 0
    accepted: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Any] | None = None
    updates: int = 0
    happened: list[str] = field(default_factory=list)


class Screen:
    """Draws scenes on a terminal; elsewhere it says only what happens, a line each."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=False)

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self.draw()
            self._live.stop()

    def draw(self) -> None:
        """Draws the scene as it is."""
        if self._console.is_terminal:
            self._live.update(drawn(self.scene), refresh=True)

    def happens(self, what: str) -> None:
        """Something that the watcher should notice."""
        self.scene.happened.append(f"{self.scene.elapsed:5.1f} s  {what}")
        if self._console.is_terminal:
            self.draw()
        else:
            self._console.print(self.scene.happened[-1], highlight=False, soft_wrap=True)


def drawn(scene: Scene) -> Panel:
    """The scene as a panel."""
    share = min(1.0, scene.elapsed / scene.seconds)
    done = round(share * 40)
    head = Text.assemble(
        ("━" * done, "cyan"),
        ("━" * (40 - done), "dim"),
        f"  {scene.elapsed:4.1f} of {scene.seconds:.0f} s   ",
        scene.url,
    )
    counts = scene.counts
    line = Text.assemble(
        ("posted ", "bold"),
        f"{scene.posted:,}  ",
        ("accepted ", "bold"),
        f"{scene.accepted:,}  ",
        ("offers ", "bold"),
        f"{counts.get('offers', 0):,}  ",
        ("taken ", "bold"),
        f"{counts.get('accepted', 0):,}  ",
        ("declined ", "bold"),
        f"{counts.get('declined', 0):,}  ",
        ("answered ", "bold"),
        f"{counts.get('replied', 0):,}  ",
        ("resolved ", "bold"),
        f"{counts.get('resolved', 0):,}",
    )
    parts: list[Any] = [head, line]
    if scene.figures is not None:
        parts.extend(_figures(scene.figures))
    parts.extend(Text(what, style="dim") for what in scene.happened[-LINES_MAX:])
    return Panel(Group(*parts), title="Pointsman: a support day", border_style="cyan")


def _figures(figures: dict[str, Any]) -> list[Any]:
    queues = Table(box=None, pad_edge=False, show_header=False)
    queues.add_column(style="bold")
    queues.add_column(justify="right")
    queues.add_column()
    queues.add_column(justify="right")
    most = max([10, *(queue["waiting"] for queue in figures["queues"].values())])
    for name, queue in figures["queues"].items():
        cells = round(queue["waiting"] / most * BAR_CELLS)
        queues.add_row(name, str(queue["waiting"]), "█" * cells, f"{queue['oldest_seconds']:.1f} s")
    agents = figures["agents"]
    line = Text.assemble(
        ("agents ", "bold"),
        f"{agents['available']} available, {agents['away']} away, {agents['offline']} offline  ",
        ("in hand ", "bold"),
        f"{agents['in_hand']}  ",
        ("due soon ", "bold"),
        f"{figures['due_soon']}  ",
        ("breached ", "bold"),
        (str(figures["breached"]), "red" if figures["breached"] else ""),
    )
    return [line, queues]
