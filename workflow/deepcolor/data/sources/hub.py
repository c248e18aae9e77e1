"""A data set of the Hugging Face hub, of which parts are read: its pinned repository, nothing else.

Its card and its rows name files, and may be written by anybody: a path that is not one of the repository
at the pinned commit is never opened, and a row without an image is a fault of that row alone.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from deepcolor.data.sources import client
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import read_json, write_json
from deepcolor.regular_files import size_fault

# Bytes read beyond what is asked for. By default 5 MB, several times a part's size.
STORAGE = {"hf": {"block_size": 64 * 2**10}}


@dataclass(frozen=True)
class MissingImage:
    """Why there is no image file in a row.

    Attributes:
        reason: Reason for `rejected.csv`; details follow a colon.
    """

    reason: str


class HubSplit:
    """One column of one split of a data set at one revision, on the hub.

    Attributes:
        id: Name of the data set, "owner/name".
        revision: Revision of its repository.
        split: Name of the split.
        column: Column with the images.
        subset: Name of the data set's configuration, "" for the default.
        cache: Folder for what was read.
    """

    def __init__(
        self, id: str, revision: str, split: str, column: str, subset: str, cache: Path
    ) -> None:
        """Describe the split; nothing is read.

        Args:
            id: Name of the data set, "owner/name".
            revision: Revision of its repository.
            split: Name of the split.
            column: Column with the images.
            subset: Name of the data set's configuration, "" for the default.
            cache: Folder for what was read.
        """
        self.id, self.revision, self.split = id, revision, split
        self.column, self.subset, self.cache = column, subset, cache
        self._opened: Any = None
        self._opening = Lock()

    def facts(self) -> dict[str, Any]:
        """Return the commit, the number of parts and the license, from the cache or else the hub."""
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

            write_json(path, self.reach(ask, "the list of files"))
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
        """Return the bytes of the split's files with all columns, and its rows if its card has them."""
        hub = client.load("huggingface_hub", "huggingface")
        builder = self._builder(commit)
        files = builder.config.data_files[self.split]
        split = (builder.info.splits or {}).get(self.split)
        return {
            "bytes": sum(hub.HfFileSystem(**STORAGE["hf"]).info(file)["size"] for file in files),
            "rows": split.num_examples if split else None,
        }

    def _open(self, commit: str) -> Any:
        """Return the split as a streamed data set whose shards are the parts."""
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

    def cells(self, part: int, commit: str) -> Iterator[Any]:
        """Yield the cells of a part in order, and a `MissingImage` where the rest cannot be read."""
        data = self._open(commit)
        try:
            for example in data.shard(num_shards=data.num_shards, index=part):
                yield example.get(self.column)
        except Exception as error:
            if is_transient(error) or isinstance(error, OSError | MemoryError):
                raise
            reason = f"cannot be read with the rest of its part: {_short(first_line(error))}"
            print(f"{self.id}: part {part} {reason}", flush=True)
            yield MissingImage(reason)

    def content(self, cell: Any, commit: str) -> bytes | MissingImage:
        """Return the image file of a cell, or why there is none."""
        if isinstance(cell, MissingImage):
            return cell
        content, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (None, None)
        if content is None and isinstance(path, str):
            return self._file(path, commit)
        if not isinstance(content, bytes):
            return MissingImage("no image in its row")
        fault = size_fault(len(content))
        return MissingImage(fault) if fault else content

    def _file(self, path: str, commit: str) -> bytes | MissingImage:
        """Return the content of a file in the repository, or why there is none.

        The client would open any path of this machine, and any URL that `fsspec` knows.
        """
        fault = MissingImage(f"no file of the data set's repository: {_short(path)}")
        if not self._is_inside(path, commit):
            return fault
        files = client.load("huggingface_hub", "huggingface").HfFileSystem(**STORAGE["hf"])
        try:
            facts = files.info(path)
            if facts["type"] != "file":
                return fault
            if too_large := size_fault(facts["size"]):
                return MissingImage(too_large)
            with files.open(path) as file:
                content: bytes = file.read(facts["size"])
                return content
        except FileNotFoundError:
            return fault

    def reach(self, function: Callable[[], Any], what: str) -> Any:
        """Call a function that needs the hub, with retries.

        Args:
            function: Function to call.
            what: Object of the function, for messages.

        Raises:
            DeepColorError: The function failed, with the remedy.
        """
        try:
            return client.retry(function, f"{self.id}: {what}", is_transient)
        except DeepColorError:
            raise
        except Exception as error:
            if client.is_local(error):
                raise
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status in (401, 403):
                remedy = "give its owner the consent that its page asks for, and set HF_TOKEN"
            elif is_transient(error) or _is_offline(error):
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


def _short(text: str) -> str:
    """Return the beginning of a text of the hub, without control characters."""
    return ascii(text[:100])[1:-1]


def _is_offline(error: Exception) -> bool:
    """Return whether the client is offline by HF_HUB_OFFLINE=1."""
    return "offline mode" in f"{type(error).__name__} {error}".lower().replace(
        "offlinemode", "offline mode"
    )


def is_transient(error: Exception) -> bool:
    """Return whether a retry may help: the error is the network's, not an answer of the hub."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return status == 429 or status >= 500
    if client.is_local(error) or isinstance(error, FileNotFoundError) or _is_offline(error):
        return False
    package = type(error).__module__.split(".")[0]
    return isinstance(error, OSError | EOFError) or package.startswith(
        ("aiohttp", "httpcore", "httpx", "requests", "urllib3")
    )
