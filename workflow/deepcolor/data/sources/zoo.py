"""Downloads of COCO by FiftyOne: annotations and images, with timeouts and retries."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deepcolor.data.sources import client
from deepcolor.errors import DeepColorError
from deepcolor.files import replacing, write_json
from deepcolor.imaging.decoding import read_square

YEAR = "2017"
SPLITS = {"train": "train2017", "validation": "val2017"}
DOWNLOADS = 8  # Images at a time.
TIMEOUT_SECONDS = 30.0  # Without a byte.


def download_annotations(path: Path) -> None:
    """Download the archive with COCO's annotations.

    Raises:
        DeepColorError: The network fails.
    """
    coco, web = _client()
    address = coco._ANNOTATION_DOWNLOAD_LINKS[YEAR]

    def download() -> None:
        with _retrying(web), replacing(path) as temporary:
            print(f"Downloading {address} (240 MB)", flush=True)
            web.download_file(address, path=str(temporary), quiet=True)
            with zipfile.ZipFile(temporary):  # Raises if it was cut short.
                pass

    try:
        client.retry(download, "COCO's list of images", is_transient)
    except Exception as error:
        if client.is_local(error):
            raise
        raise DeepColorError(
            f"{address} cannot be had ({' '.join(str(error).split())[:160]}); run the same command "
            f"again with a network, or place the file at {path}"
        ) from error


def download_images(
    data: Path, incoming: Path, listing: dict[str, Any], split: str, images: list[dict[str, Any]]
) -> None:
    """Let FiftyOne download images into a folder of their own, and move them.

    FiftyOne takes an existing file for whole, and reads the whole list on every call: it is given an
    empty folder, and a list of only those images that are not there.

    Args:
        data: Folder of the images.
        incoming: Folder for downloads.
        listing: COCO's licenses and images.
        split: Name of the split, a key of SPLITS.
        images: Entries of the images to download.
    """
    coco, web = _client()
    data.mkdir(parents=True, exist_ok=True)
    for path in (incoming / "data").glob("*"):  # What an interrupted job has left.
        if is_whole(path):
            path.replace(data / path.name)
        else:
            path.unlink()
    missing = [image for image in images if not is_whole(data / image["file_name"])]
    content = {**listing, "images": missing, "annotations": [], "categories": []}
    write_json(incoming / "raw" / f"instances_{SPLITS[split]}.json", content)
    with _retrying(web):
        coco.download_coco_dataset_split(
            str(incoming),
            split,
            year=YEAR,
            image_ids=[int(image["id"]) for image in missing],
            num_workers=DOWNLOADS,
            raw_dir=str(incoming / "raw"),
        )
    for path in (incoming / "data").iterdir():  # All have arrived; some may be broken.
        path.replace(data / path.name)


def is_whole(path: Path) -> bool:
    """Return whether a file is an image that can be read."""
    try:
        read_square(path, 32)
    except ValueError:
        return False
    return True


def _client() -> tuple[Any, Any]:
    """Return FiftyOne's module for COCO, and the one that downloads for it."""
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
    os.environ.setdefault("FIFTYONE_SHOW_PROGRESS_BARS", "false")
    os.environ.setdefault("FIFTYONE_LOGGING_LEVEL", "ERROR")
    coco = client.load("fiftyone.utils.coco", "fiftyone")
    return coco, client.load("eta.core.web", "fiftyone")


@contextmanager
def _retrying(web: Any) -> Iterator[None]:
    """Let FiftyOne's downloads time out, wait for a server that is busy, and try again.

    Its sessions do none of that by themselves; the proxy of the environment they respect.
    """
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    class Adapter(HTTPAdapter):
        def send(self, *args: Any, **options: Any) -> Any:
            return super().send(
                *args, **{**options, "timeout": options.get("timeout") or TIMEOUT_SECONDS}
            )

    class Session(web.WebSession):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            retries = Retry(
                total=3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504]
            )  # `Retry-After` is waited for.
            for prefix in ("http://", "https://"):
                self.sess.mount(prefix, Adapter(max_retries=retries))

    before, web.WebSession = web.WebSession, Session
    try:
        yield
    finally:
        web.WebSession = before


def is_transient(error: Exception) -> bool:
    """Return whether a retry may help; it does not after WebSessionError, a server's answer."""
    return type(error).__name__ != "WebSessionError" and not (
        client.is_local(error) or isinstance(error, DeepColorError | MemoryError)
    )
