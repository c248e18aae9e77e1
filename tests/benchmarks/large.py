"""Measure the preparation of many photographs, from a list of files to indexed shards: `make bench`.

    python tests/benchmarks/large.py                       1,000, 10,000 and 100,000 photographs
    python tests/benchmarks/large.py --images 20000        as many
    python tests/benchmarks/large.py --quick               300, in small ranges and shards

Photographs are small JPEG files, 1,000 in a folder. The rules run through Snakemake, two at a time, in a
copy of the project. Of each kind of job stand the number of jobs, the longest one's seconds, and the
most memory that one took. Of Snakemake itself stand seconds of the clock and of the processor, and its
memory: for planning everything up to a report, which is not made; and for seeing that nothing is left
to do.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from conftest import copy_project  # noqa: E402
from deepcolor.config import folders  # noqa: E402

SIZE = 32
RULES = ("fetch_photographs", "write_manifest", "write_shards", "index_shards")
CONFIG = """\
results: results-large
data: data-large
image_size: {size}
images_per_range: {in_range}
images_per_shard: {in_shard}
data_sets:
  large: {{source: folder, folder: many, list: many.txt, training: {training}, validation: {validation}}}
compare: {{data_sets: [large]}}
"""


def write_photographs(folder: Path, count: int) -> list[str]:
    """Smooth pictures of random colors, no two alike; their paths in the folder."""
    generator = np.random.default_rng(0)
    names = [f"{number // 1000:04}/{number:07}.jpg" for number in range(count)]
    for name in names:
        colors = generator.integers(0, 256, (8, 8, 3), np.uint8)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        content = cv2.imencode(".jpg", cv2.resize(colors, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC))
        (folder / name).write_bytes(content[1].tobytes())
    return names


def run(folder: Path, options: str, target: str) -> tuple[float, float, float]:
    """Run Snakemake; seconds of the clock and of the processor, and the driver's memory in MB.

    The processor's are without those of jobs.
    """
    began = time.perf_counter()
    command = f"snakemake --cores 2 {options} --configfile large.yaml -- {target}".split()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with open(folder / "said.log", "w") as said:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PATH": path}, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit((folder / "said.log").read_text()[-3000:])
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def of_jobs(folder: Path, rule: str) -> str:
    """What the jobs of a rule took, by Snakemake's benchmarks."""
    seconds, memory = [], []
    for path in (folder / "results-large" / "benchmarks" / rule).glob("*.tsv"):
        with open(path) as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        seconds.append(float(row["s"]))
        memory.append(float(row["max_rss"]) if row["max_rss"] not in ("-", "NA") else 0)
    return f"{len(seconds)}x {max(seconds):.0f} s {max(memory):.0f} MB"


def measure(count: int, in_range: int, in_shard: int) -> None:
    """Prepare so many photographs, and print a row."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copy_project(folder)
        # As it is shipped, with the three networks.
        (folder / "config.yaml").write_text((TESTS.parent / "config.yaml").read_text())
        (folder / "many.txt").write_text("\n".join(write_photographs(folder / "many", count)))
        # Some are left for what is passed over.
        validation = count // 50
        training = count * 9 // 10 - validation
        sizes = {"size": SIZE, "in_range": in_range, "in_shard": in_shard}
        config = CONFIG.format(**sizes, training=training, validation=validation)
        (folder / "large.yaml").write_text(config)
        plan = run(folder, "--dry-run", "all")
        made = run(folder, "--quiet all", f"data-large/shards/large-{SIZE}/index.json")
        left = run(folder, "--dry-run", f"data-large/shards/large-{SIZE}/index.json")
        assert "Nothing to be done" in (folder / "said.log").read_text()
        began = time.perf_counter()
        folders.fingerprint(str(folder / "many"))
        walk = time.perf_counter() - began
        columns = [f"{count:,}"]
        columns += [f"{each[0]:.1f} s ({each[1]:.1f}) {each[2]:.0f} MB" for each in (plan, left)]
        columns += [of_jobs(folder, rule) for rule in RULES]
        columns += [f"{made[0]:.0f} s", f"{(training + validation) / made[0]:.0f}", f"{walk:.1f} s"]
        print(" | ".join(columns), flush=True)


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    counts = [1_000, 10_000, 100_000]
    parser.add_argument("--images", type=int, nargs="+", default=counts, help="to prepare")
    parser.add_argument("--in-range", type=int, default=5_000, help="photographs that a job fetches")
    parser.add_argument("--in-shard", type=int, default=1_000, help="images in a shard")
    parser.add_argument("--quick", action="store_true", help="300 photographs")
    args = parser.parse_args()
    print("photographs | planning (processor) | nothing to do | " + " | ".join(RULES), end="")
    print(" | in all | images/s | without a list, looking through the folder")
    if args.quick:
        measure(300, 100, 200)
        return
    for count in args.images:
        measure(count, args.in_range, args.in_shard)


if __name__ == "__main__":
    main()
