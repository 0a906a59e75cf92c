"""How long things last in a scenario: exponential, deterministic, lognormal, or drawn from measured values."""

from collections.abc import Callable
from math import log, log1p, sqrt
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pointsman.contracts.document.parts import Part

Mean = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
VALUES_MAX = 1_000_000

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]
"""So many values, in the scenario's time unit. The same generator gives the same values however they are asked for."""


class Exponential(Part):
    """Memoryless, by its mean."""

    distribution: Literal["exponential"]
    mean: Mean

    def draw(self, chance: np.random.Generator, count: int) -> NDArray[np.float64]:
        """By inversion, so that another mean stretches the same customers' times."""
        return -self.mean * np.log1p(-chance.random(count))


class Deterministic(Part):
    """Always the same."""

    distribution: Literal["deterministic"]
    mean: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]

    def draw(self, chance: np.random.Generator, count: int) -> NDArray[np.float64]:
        return np.full(count, self.mean)


class Lognormal(Part):
    """By its own mean and its coefficient of variation (standard deviation over mean), not those of its logarithm."""

    distribution: Literal["lognormal"]
    mean: Mean
    cv: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]

    def draw(self, chance: np.random.Generator, count: int) -> NDArray[np.float64]:
        variance = log1p(self.cv**2)
        return np.exp(log(self.mean) - variance / 2 + sqrt(variance) * chance.standard_normal(count))


class Empirical(Part):
    """One of the measured values of a file, each as likely as any other."""

    distribution: Literal["empirical"]
    file: Annotated[str, Field(min_length=1, max_length=1_000)]


Distribution = Annotated[Exponential | Deterministic | Lognormal | Empirical, Field(discriminator="distribution")]


def draw_of(distribution: Any, folder: Path) -> Draw:
    """How to draw from it. A relative file is in the scenario's folder. Raises `ValueError` for an unusable file."""
    if not isinstance(distribution, Empirical):
        draw: Draw = distribution.draw
        return draw
    values = measured(folder / distribution.file)
    return lambda chance, count: values[np.floor(chance.random(count) * len(values)).astype(np.int64)]


def measured(path: Path) -> NDArray[np.float64]:
    """The values of a text file: one number a line, or several parted by commas; a first line that is no number is a
    heading. Raises `ValueError` that says what and where."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8") from error
    values: list[float] = []
    for number, line in enumerate(lines, 1):
        for word in line.replace(",", " ").split():
            try:
                value = float(word)
            except ValueError as error:
                if number == 1:
                    break
                raise ValueError(f"{path}, line {number}: {word[:40]!r} is not a number") from error
            if not 0 <= value < float("inf"):
                raise ValueError(f"{path}, line {number}: {word[:40]} is not a duration")
            values.append(value)
    if not 1 <= len(values) <= VALUES_MAX:
        raise ValueError(f"{path} has {len(values)} values; 1 to {VALUES_MAX:,} are wanted")
    return np.array(values)
