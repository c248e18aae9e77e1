"""A hub and COCO's server on the loopback device, with photographs for a small study."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from support import fake_coco, fake_hub
from support.sample_images import jpeg


@contextmanager
def serve_sources(root: Path) -> Iterator[dict[str, str]]:
    """Serve them for the time of the block, and give the environment that leads to them."""
    folder = root / "hub" / "datasets" / "me" / "places"
    folder.mkdir(parents=True)
    rows = [{"image": {"bytes": jpeg(number), "path": f"{number}.jpg"}} for number in range(1000, 1200)]
    features = {"info": {"features": {"image": {"_type": "Image"}}}}
    table = pa.Table.from_pylist(rows).replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, folder / "train-00000-of-00001.parquet", row_group_size=10)
    fake_coco.write_coco(root / "coco", {number: jpeg(number) for number in range(1, 80)})
    with (
        fake_hub.serving(fake_hub.Server(root / "hub")) as places,
        fake_hub.serving(fake_hub.Server(root / "coco", fake_coco.Mirror)) as coco,
    ):
        yield {
            "HF_ENDPOINT": places.url, "HF_HOME": str(root / "home"), "HF_HUB_DISABLE_XET": "1",
            "http_proxy": coco.url, "HTTP_PROXY": coco.url, "no_proxy": "127.0.0.1",
            "NO_PROXY": "127.0.0.1", "FIFTYONE_DO_NOT_TRACK": "true",
        }  # fmt: skip
