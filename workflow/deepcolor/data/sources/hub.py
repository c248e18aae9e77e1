"""A data set of the Hugging Face hub, of which parts are read: its pinned repository, nothing else.

Its card and its rows name files, and may be written by anybody: a path that is not one of the repository
at the pinned commit is never opened, and a row without an image is a fault of that row alone.
"""

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b, sha256
from pathlib import Path
from threading import Lock
from typing import Any

from deepcolor.data.sources import client
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import read_json, replacing, write_json
from deepcolor.files import sha256 as checksum_of
from deepcolor.imaging import bounds
from deepcolor.regular_files import size_fault

# Bytes read beyond what is asked for. By default 5 MB, several times a part's size.
STORAGE = {"hf": {"block_size": 64 * 2**10}}


class Remote:
    """One column of one split at one revision, and its folder in the cache."""

    def __init__(
        self, id: str, revision: str, split: str, column: str, subset: str, cache: Path
    ) -> None:
        self.id, self.revision, self.split, self.column, self.subset = (
            id,
            revision,
            split,
            column,
            subset,
        )
        self.cache = cache
        self._opened: Any = None
        self._opening = Lock()

    def facts(self) -> dict[str, Any]:
        """The commit, the number of parts and the license, from the cache or else from the hub."""
        path = self.cache / "facts.json"
        if not path.exists() or "commit" not in read_json(path):
            client.load("datasets", "huggingface")
            hub = client.load("huggingface_hub", "huggingface")

            def ask() -> dict[str, Any]:
                info = hub.HfApi().dataset_info(self.id, revision=self.revision)
                card = (info.card_data or {}).get("license") or ""
                name = ", ".join(card) if isinstance(card, list) else str(card)
                return {
                    "commit": info.sha,
                    "parts": self._open(info.sha).num_shards,
                    **self._extent(info.sha),
                    "license": name,
                }

            write_json(path, self._reach(ask, "the list of files"))
        facts = read_json(path)
        if self.revision != facts["commit"]:
            print(
                f"{self.id}: the revision '{self.revision}' may move; what is taken is "
                f"{facts['commit']}: write that into config.yaml to pin it",
                flush=True,
            )
        return facts

    def _builder(self, commit: str, **options: Any) -> Any:
        """Return the builder of the data set, all of whose data files are in the pinned repository.

        The data set's card says which files it has; they could be others, or of another revision.
        """
        datasets = client.load("datasets", "huggingface")
        builder = datasets.load_dataset_builder(
            self.id, self.subset or None, revision=commit, storage_options=STORAGE, **options
        )
        for file in itertools.chain.from_iterable((builder.config.data_files or {}).values()):
            if not self._is_inside(file, commit):
                raise DeepColorError(
                    f"{self.id} names a data file outside its repository at {commit}: {_short(file)}; "
                    "use another data set or revision"
                )
        return builder

    def _is_inside(self, path: str, commit: str) -> bool:
        """Return whether a path is one of a file in the repository at a commit."""
        root = f"hf://datasets/{self.id}@{commit}/"
        return path.startswith(root) and "::" not in path and ".." not in path.split("/")

    def _extent(self, commit: str) -> dict[str, int | None]:
        """The bytes of the split's files, with all columns, and its rows where its card tells."""
        hub = client.load("huggingface_hub", "huggingface")
        builder = self._builder(commit)
        files = builder.config.data_files[self.split]
        told = (builder.info.splits or {}).get(self.split)
        return {
            "bytes": sum(hub.HfFileSystem(**STORAGE["hf"]).info(file)["size"] for file in files),
            "rows": told.num_examples if told else None,
        }

    def _open(self, commit: str) -> Any:
        """The split as a streamed data set whose shards are the parts."""
        with self._opening:
            if self._opened is None:
                self._opened = self._load(commit)
            return self._opened

    def _load(self, commit: str) -> Any:
        datasets = client.load("datasets", "huggingface")
        datasets.disable_progress_bars()
        try:  # Only Parquet files can be read by the column.
            builder = self._builder(commit, columns=[self.column])
        except ValueError as error:
            if "columns" not in str(error):
                raise
            builder = self._builder(commit)
        data = builder.as_streaming_dataset(split=self.split)
        if data.info.builder_name == "imagefolder":
            raise DeepColorError(
                f"{self.id} holds loose image files, which cannot be drawn from without reading all; "
                "name the revision of its conversion, 'refs/convert/parquet', or download it and use "
                "the source 'folder'"
            )
        if data.features is not None and not isinstance(data.features.get(self.column), datasets.Image):
            columns = self._builder(commit).as_streaming_dataset(split=self.split).features
            known = [name for name, kind in (columns or {}).items() if isinstance(kind, datasets.Image)]
            raise DeepColorError(
                f"{self.id} has no column '{self.column}' of images; "
                f"it has: {', '.join(known) or 'none'}"
            )
        data = data.select_columns([self.column])
        return data.cast_column(self.column, datasets.Image(decode=False)).reshard()

    def _cells(self, part: int, commit: str) -> Iterator[Any]:
        """Yield the cells of a part, in order; a `Fault` is the last where the others are broken."""
        data = self._open(commit)
        try:
            for example in data.shard(num_shards=data.num_shards, index=part):
                yield example.get(self.column)
        except Exception as error:
            if _may_pass(error) or isinstance(error, OSError | MemoryError):
                raise
            reason = f"cannot be read with the rest of its part: {_short(first_line(error))}"
            print(f"{self.id}: part {part} {reason}", flush=True)
            yield Fault(reason)

    def _content(self, cell: Any, commit: str) -> "bytes | Fault":
        """Return the image file of a cell, or why there is none."""
        if isinstance(cell, Fault):
            return cell
        content, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (None, None)
        if content is None and isinstance(path, str):
            return self._file(path, commit)
        if not isinstance(content, bytes):
            return Fault("no image in its row")
        fault = size_fault(len(content))
        return Fault(fault) if fault else content

    def _file(self, path: str, commit: str) -> "bytes | Fault":
        """Return the content of a file in the repository, or why there is none.

        The client would open any path of this machine, and any URL that `fsspec` knows.
        """
        fault = Fault(f"no file of the data set's repository: {_short(path)}")
        if not self._is_inside(path, commit):
            return fault
        files = client.load("huggingface_hub", "huggingface").HfFileSystem(**STORAGE["hf"])
        try:
            facts = files.info(path)
            if facts["type"] != "file":
                return fault
            if too_large := size_fault(facts["size"]):
                return Fault(too_large)
            with files.open(path) as file:
                content: bytes = file.read(facts["size"])
                return content
        except FileNotFoundError:
            return fault

    def _reach(self, function: Callable[[], Any], what: str) -> Any:
        """Call a function that needs the hub; say in one line what is missing if it fails."""
        try:
            return client.patiently(function, f"{self.id}: {what}", worth=_may_pass)
        except DeepColorError:
            raise
        except Exception as error:
            if client.is_local(error):
                raise
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status in (401, 403):
                remedy = "give its owner the consent that its page asks for, and set HF_TOKEN"
            elif _may_pass(error) or _is_offline(error):
                remedy = (
                    "run the same command again with a network to resume; or copy "
                    f"{self.cache} from a machine that has it"
                )
            else:
                remedy = "mend its id, revision, subset or split in config.yaml"
            raise DeepColorError(
                f"huggingface.co/datasets/{self.id}: {what} cannot be had "
                f"({' '.join(str(error).split())[:160]}); {remedy}"
            ) from error

    def fetch(self, part: int, draw: "Draw", commit: str) -> list[tuple[int, "Path | Fault"]]:
        """The rows that a draw takes from a part, and their files in the cache, whole, or faults."""
        path = self.cache / f"{part:06}.json"
        known = read_json(path) if path.exists() else {"rows": None, "images": {}}
        whole = known["rows"] is not None and all(
            self._is_whole(known["images"].get(str(row))) for row in draw.rows(part, known["rows"])
        )
        if not whole:
            known = self._reach(partial(self._download, part, draw, commit, known), f"part {part}")
            write_json(path, known)
        images = {row: known["images"][str(row)] for row in draw.rows(part, known["rows"])}
        return [
            (row, Fault(image["fault"]) if "fault" in image else self.cache / image["file"])
            for row, image in images.items()
        ]

    def _download(self, part: int, draw: "Draw", commit: str, known: dict[str, Any]) -> dict[str, Any]:
        rows = 0
        best: list[tuple[int, int, Any]] = []  # A heap of what is drawn so far, the worst on top.
        for rows, cell in enumerate(self._cells(part, commit), start=1):
            heapq.heappush(best, (-draw.lot(part, rows - 1), rows - 1, cell))
            if len(best) > draw.end:
                heapq.heappop(best)
        images = dict(known["images"])
        taken = set(draw.rows(part, rows))
        for _, row, cell in best:
            if row not in taken:
                continue
            content = self._content(cell, commit)
            if isinstance(content, Fault):
                images[str(row)] = {"fault": content.reason}
                continue
            file = f"{part:06}-{row:06}{_suffix(content)}"
            with replacing(self.cache / file) as temporary:
                temporary.write_bytes(content)
            images[str(row)] = {"file": file, "sha256": sha256(content).hexdigest()}
        return {"rows": rows, "images": images}

    def _is_whole(self, image: dict[str, str] | None) -> bool:
        if image is None or "fault" in image:
            return image is not None
        if not (self.cache / image["file"]).exists():
            return False
        return checksum_of(self.cache / image["file"]) == image["sha256"]


@dataclass(frozen=True)
class Fault:
    """Why there is no image file in a row.

    Attributes:
        reason: For `rejected.csv`; details follow a colon.
    """

    reason: str


@dataclass(frozen=True)
class Draw:
    """Which rows are drawn from a part: those with the `start`-th to the `end`-th lowest lot."""

    seed: int
    start: int
    end: int

    def lot(self, part: int, row: int) -> int:
        """A random number that depends on the seed, the part and the row alone."""
        digest = blake2b(f"{self.seed}/{part}/{row}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def rows(self, part: int, rows: int) -> list[int]:
        """The drawn rows of a part that has so many."""
        by_lot = sorted(range(rows), key=lambda row: self.lot(part, row))
        return sorted(by_lot[self.start : self.end])


def _short(text: str) -> str:
    """Return the beginning of a text of the hub, without control characters."""
    return ascii(text[:100])[1:-1]


def _suffix(content: bytes) -> str:
    """The file suffix of an image's format; ".bin" for what is none."""
    try:
        with bounds.opened(content) as image:
            return f".{(image.format or 'bin').lower()}"
    except Exception:
        return ".bin"


def _is_offline(error: Exception) -> bool:
    """Whether the hub's client was told to do without a network, with HF_HUB_OFFLINE=1."""
    return "offline mode" in f"{type(error).__name__} {error}".lower().replace(
        "offlinemode", "offline mode"
    )


def _may_pass(error: Exception) -> bool:
    """Whether an error may pass by itself: one of the network, not an answer of the hub."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return status == 429 or status >= 500
    if client.is_local(error) or isinstance(error, FileNotFoundError) or _is_offline(error):
        return False
    package = type(error).__module__.split(".")[0]
    return isinstance(error, OSError | EOFError) or package.startswith(
        ("aiohttp", "httpcore", "httpx", "requests", "urllib3")
    )
