"""Measure `deepcolor colorize` against the obvious ways, in the same run: `make bench`.

    python tests/benchmarks/colorize.py            with the photographs of scikit-image
    python tests/benchmarks/colorize.py FOLDER     with one's own
    python tests/benchmarks/colorize.py --quick    without the largest ones

The network is a tiny one, so that what is measured is all but the network.
"""

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
sys.path[:0] = [str(PROJECT / "workflow"), str(PROJECT / "tests")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from deepcolor.colorize.batch import colorize_files  # noqa: E402
from deepcolor.colorize.batch_file import BatchOptions  # noqa: E402
from deepcolor.colorize.chroma import compose, differences, luma  # noqa: E402
from deepcolor.colorize.colorizer import colorize, previews  # noqa: E402
from deepcolor.colorize.loading import open_network  # noqa: E402
from deepcolor.colorize.network import Network  # noqa: E402
from deepcolor.colorize.read import MIN_CHROMA  # noqa: E402
from deepcolor.colorize.settings import Settings  # noqa: E402
from deepcolor.colorize.write import write  # noqa: E402
from deepcolor.files import listing  # noqa: E402
from deepcolor.imaging.decoding import open_rgb, resize  # noqa: E402
from deepcolor.imaging.tone import chroma_and_spread  # noqa: E402
from PIL import Image  # noqa: E402
from skimage import data  # noqa: E402
from skimage.color import lab2rgb, rgb2lab  # noqa: E402
from support.tiny_onnx import write_onnx  # noqa: E402

Image.MAX_IMAGE_PIXELS = None
# The command, and then what Linux knows of its memory.
TYPED = "from deepcolor.cli import main; main.main(); print(open('/proc/self/status').read())"
SIDE, LARGE, HUGE = 256, (4000, 3000), (11600, 8650)


def photographs(folder: Path | None) -> Iterator[np.ndarray]:
    """Photographs as RGB."""
    if folder is None:
        yield from (data.astronaut(), data.coffee(), data.chelsea(), data.rocket())
        return
    for path in listing(folder):
        try:
            yield np.asarray(open_rgb(path))
        except ValueError as error:
            print(f"  {path} is passed over: {error}")


def decibels(rgb: np.ndarray, truth: np.ndarray) -> float:
    """PSNR in dB of 8-bit pictures."""
    return float(-10 * np.log10(np.mean((rgb.astype(np.float64) - truth) ** 2) / 255**2))


def compare_chroma(folder: Path | None) -> None:
    """What is lost with the true colors at 256×256 pixels: ours, L* with a* and b*, and RGB."""
    rows = []
    for truth in photographs(folder):
        height, width = truth.shape[:2]
        square = resize(truth, SIDE)
        # Small ones are not enlarged, and gray ones have no color to lose.
        if min(height, width) <= SIDE or chroma_and_spread(square)[0] < MIN_CHROMA:
            continue
        small = square.astype(np.float32) / 255
        luminance = np.rint(luma(truth)).astype(np.uint8)
        ours = np.empty_like(truth)
        compose(luminance, differences(small), ours)
        lab = rgb2lab(np.repeat(luminance[..., None] / 255, 3, -1))
        lab[..., 1:] = cv2.resize(
            rgb2lab(small)[..., 1:], (width, height), interpolation=cv2.INTER_CUBIC
        )
        rgb = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        others = [np.clip(each, 0, 1) * 255 for each in (lab2rgb(lab), rgb)]
        rows.append([decibels(each, truth) for each in (ours, *others)])
    means = np.mean(rows, axis=0)
    print(f"True colors of {SIDE}×{SIDE} pixels, enlarged: mean PSNR of {len(rows)} photographs")
    print(f"  with their own luma, (R-Y, B-Y) enlarged  {means[0]:.1f} dB")
    print(f"  L* of the gray picture, a* and b* enlarged {means[1]:.1f} dB")
    print(f"  RGB enlarged                              {means[2]:.1f} dB")


def large(size: tuple[int, int]) -> Image.Image:
    """A photograph of some megapixels, with grain."""
    picture = cv2.resize(data.astronaut(), size, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).integers(0, 16, (1000, 1000), np.uint8)
    return Image.fromarray(cv2.add(picture // 8 * 7, cv2.merge([cv2.resize(grain, size)] * 3)))


def best(way: Callable[[], object], times: int = 3) -> float:
    """The fewest seconds of a few runs."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        way()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def compare_time(network: Network, threads: int) -> None:
    """Colorizing a large file against reading it, one pass of the network, and writing it."""
    print(f"A photograph of 12 megapixels, {threads} threads, against reading, a pass, and writing")
    picture = large(LARGE)
    for mode in ("L", "RGB"):
        formats: dict[str, dict[str, Any]] = {"JPEG": {"quality": 90}, "PNG": {}, "TIFF": {}, "WEBP": {}}
        for format, options in formats.items():
            content = io.BytesIO()
            picture.convert(mode).save(content, format, **options)

            def obvious(
                content: io.BytesIO = content, format: str = format, options: dict[str, Any] = options
            ) -> None:
                image = Image.open(content)
                image.load()
                network.predict(np.zeros((1, network.size, network.size, 1), np.float32))
                more = {"subsampling": 0} if format == "JPEG" else {}
                image.convert("RGB").save(io.BytesIO(), format, **options, **more)

            with ThreadPoolExecutor(threads) as workers:

                def ours(content: io.BytesIO = content, workers: Executor = workers) -> None:
                    done = colorize(content.getvalue(), "", network, Settings(), workers=workers)
                    write(io.BytesIO(), done.pixels, done.photograph, done.xmp, 0)
                    previews(done, 320)

                times = 1 if format == "WEBP" else 3
                base, own = best(obvious, times), best(ours, times)
            print(f"  {format} {mode:3}  {own:.2f} s against {base:.2f} s, ratio {own / base:.2f}")


def compare_threads(model: Path, threads: int, folder: Path, number: int) -> None:
    """Many small photographs with all threads, and with one."""
    small = folder / "small"
    small.mkdir()
    for index in range(number):
        large((640, 480)).convert("L").rotate(index).save(small / f"{index}.jpg")
    seconds = {}
    for count in (1, threads):
        network = open_network(model, count)

        def run(network: Network = network, count: int = count) -> None:
            colorize_files(
                [str(small)],
                folder / f"with-{count}",
                network,
                Settings(),
                BatchOptions(threads=count, overwrite=True),
            )

        seconds[count] = best(run)
    one, all_of_them = seconds[1], seconds[threads]
    print(
        f"{number} photographs of 640×480: {number / all_of_them:.0f} a second with {threads} "
        f"threads, {number / one:.0f} with one, ratio {one / all_of_them:.2f}"
    )


def measure_command(model: Path, folder: Path, quick: bool) -> None:
    """The command itself: how long a small photograph takes, and how much memory a huge one."""
    large((640, 480)).convert("L").save(folder / "one.jpg")

    def typed(name: str) -> float:
        """Run the command; the most memory that it has held, in GiB, as Linux has it."""
        given = ["colorize", str(folder / name), "--model", str(model), "--output", str(folder / "out")]
        command = [sys.executable, "-c", TYPED, *given, "--overwrite"]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT / "workflow")}
        told = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout
        return int(re.findall(r"VmHWM:\s+(\d+) kB", told)[-1]) / 2**20

    seconds = best(lambda: typed("one.jpg"))
    print(f"The command from start to end, for one photograph of 640×480: {seconds:.2f} s")
    if quick:
        return
    print("A photograph of 100 megapixels")
    picture = large(HUGE)
    ways: dict[str, Callable[[Path], object]] = {
        "huge gray.jpg": lambda path: picture.convert("L").save(path),
        "huge color.png": lambda path: picture.save(path, compress_level=1),
        "huge, 16 bits.tif": lambda path: cv2.imwrite(
            str(path), np.asarray(picture).astype(np.uint16) * 257
        ),
    }
    for name, way in ways.items():
        way(folder / name)
        began = time.perf_counter()
        peak = typed(name)
        print(f"  {name}: {time.perf_counter() - began:.1f} s, {peak:.2f} GiB of memory at most")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="with photographs")
    parser.add_argument("--quick", action="store_true", help="without the largest ones")
    args = parser.parse_args()
    threads = os.cpu_count() or 1
    compare_chroma(args.folder)
    with tempfile.TemporaryDirectory() as name:
        model = write_onnx(Path(name) / "model.onnx", size=SIDE)
        network = open_network(model, threads)
        if not args.quick:
            compare_time(network, threads)
        compare_threads(model, threads, Path(name), 20 if args.quick else 200)
        measure_command(model, Path(name), args.quick)


if __name__ == "__main__":
    main()
