"""How often intervals of simulated studies hold the truth, which is known there.

python tests/soak/coverage.py --studies 1000

People and images are drawn anew for each study. Their effects on an answer's logit are normal; half of
their variance is the same in all conditions. The truth is the mean over all people and images that could
have been drawn. Asked for are 92 to 98 % from 30 people and 40 images on; 15 by 20 is only shown.
"""

import argparse
import itertools
import math
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtri

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT / "workflow"))

from deepcolor.study.analysis import intervals, resampling  # noqa: E402

BAND = (0.92, 0.98)
# Enough for the ends to be off by less than a twentieth of their distance.
RESAMPLES = 1999
# In which condition a person sees an image, by the sum of their numbers: half of them real.
SPARSE = ("one", "two", "three", "real", "real", "real")
MEASURES = ("share", "real", "difference", "d′", "criterion", "Wilson")


@dataclass(frozen=True)
class Design:
    """A study: its size, its Latin square, and what answers depend on.

    Attributes:
        people: How many.
        images: How many.
        square: Of `SPARSE`, or ("one",), where all see all images colored by one run.
        spread: Standard deviations of the effects of people and of images, on the logit scale.
        rate: The share of the runs' pictures that are taken for real; the second run's is 0.05 nearer
            to one half, that of real photographs 0.25 nearer to 1, but not above 0.95.
    """

    people: int
    images: int
    square: tuple[str, ...]
    spread: tuple[float, float]
    rate: float

    def rates(self) -> dict[str, float]:
        """The true share of each condition."""
        near = self.rate + math.copysign(0.05, 0.5 - self.rate)
        rates = {"one": self.rate, "two": near, "three": self.rate, "real": min(self.rate + 0.25, 0.95)}
        return {name: rate for name, rate in rates.items() if name in self.square}


@cache
def logit_of_mean(rate: float, deviation: float) -> float:
    """The logit around which normal logits have this mean share."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)

    def excess(center: float) -> float:
        return float(expit(center + deviation * nodes) @ weights / weights.sum() - rate)

    return float(brentq(excess, -20, 20))


def answers(
    design: Design, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """People, images, conditions and answers (1: real) of one study, a row each."""
    people, images = (each.ravel() for each in np.indices((design.people, design.images), dtype="int64"))
    rates = design.rates()
    names = sorted(rates)
    places = np.array([names.index(name) for name in design.square])
    shown = places[(people + images) % len(places)]
    centers = np.array([logit_of_mean(rates[name], math.hypot(*design.spread)) for name in names])
    logits = centers[shown]
    for numbers, count, spread in zip(
        (people, images), (design.people, design.images), design.spread, strict=True
    ):
        own, common = random.normal(size=(count, len(names))), random.normal(size=(count, 1))
        logits += spread * ((own + common) / math.sqrt(2))[numbers, shown]
    return people, images, np.array(names)[shown], (random.random(len(logits)) < expit(logits)) * 1


def covered(design: Design, random: np.random.Generator) -> dict[str, bool]:
    """Of one simulated study, which intervals hold the truth."""
    table = intervals.TwoWay(*answers(design, random))
    rates = design.rates()
    found = {
        "share": (table.share("one"), rates["one"]),
        "Wilson": (intervals.wilson(*table.counts("one")), rates["one"]),
    }
    if len(rates) > 1:
        real, one = (float(ndtri(rates[name])) for name in ("real", "one"))
        found |= {
            "real": (table.share("real"), rates["real"]),
            "difference": (table.difference("one", "two"), rates["one"] - rates["two"]),
            "d′": (table.sensitivity("real", "one"), real - one),
            "criterion": (table.criterion("real", "one"), -(real + one) / 2),
        }
    return {name: bool(each.low <= truth <= each.high) for name, (each, truth) in found.items()}


def coverage(design: Design, studies: int, seed: int = 0) -> dict[str, float]:
    """The share of simulated studies whose intervals hold the truth, by measure."""
    before, random = resampling.RESAMPLES, np.random.default_rng(seed)
    resampling.RESAMPLES = RESAMPLES
    try:
        found = [covered(design, random) for _ in range(studies)]
    finally:
        resampling.RESAMPLES = before
    return {name: sum(each[name] for each in found) / studies for name in found[0]}


def designs() -> list[Design]:
    """All that are tried."""
    sizes = [
        (30, 40, SPARSE),
        (30, 40, ("one",)),
        (200, 40, SPARSE),
        (400, 40, SPARSE),
        (15, 20, SPARSE),
    ]
    spreads = [(0.3, 0.3), (0.3, 1.0), (1.0, 0.3), (1.0, 1.0)]
    tried = itertools.product(sizes, spreads, (0.1, 0.3, 0.5, 0.9))
    return [Design(*size, spread, rate) for size, spread, rate in tried]


def main() -> None:
    """Print the table; end with 1 where a coverage is outside the band by more than chance."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--studies", type=int, default=1000, help="simulated ones of each kind")
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()
    print(f"{'people × images, runs, effects, rate':40s}" + "".join(f"{name:>12s}" for name in MEASURES))
    outside = 0
    with ProcessPoolExecutor(args.cores) as pool:
        tried = designs()
        tasks = pool.map(coverage, tried, itertools.repeat(args.studies))
        for design, found in zip(tried, tasks, strict=True):
            size = f"{design.people} × {design.images}, {max(len(design.rates()) - 1, 1)}"
            print(f"{f'{size}, {design.spread}, {design.rate}':40s}", end="")
            for name in MEASURES:
                print(f"{found[name]:12.1%}" if name in found else f"{'':12s}", end="")
            print(flush=True)
            chance = [2.6 * math.sqrt(end * (1 - end) / args.studies) for end in BAND]
            asked = [found[name] for name in found if name != "Wilson"] if design.people >= 30 else []
            outside += sum(
                not BAND[0] - chance[0] <= each <= min(BAND[1] + chance[1], 1) for each in asked
            )
    print(f"{outside} outside {BAND[0]:.0%} to {BAND[1]:.0%} by more than chance")
    sys.exit(outside > 0)


if __name__ == "__main__":
    main()
