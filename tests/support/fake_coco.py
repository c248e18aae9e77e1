"""A stand-in for COCO's web server: a proxy that answers for it, and can be made to misbehave."""

import json
import urllib.parse
import zipfile
from pathlib import Path
from typing import Any

from support import fake_hub


class Mirror(fake_hub.Handler):
    """GET http://host/path, as a proxy is asked, gives the file ROOT/host/path."""

    def do_GET(self) -> None:  # noqa: N802 (the base class calls it)
        """Answer."""
        url = urllib.parse.urlsplit(self.path)
        self.server.seen.append(self.path)
        path = self.server.root / url.netloc / url.path.lstrip("/")
        if path.is_file():
            self.content(path.read_bytes())
        else:
            self.reply(b"", 404)


def write_coco(root: Path, pictures: dict[int, bytes]) -> None:
    """Write what COCO's server has: an archive with the lists of images, and the images."""
    host = root / "images.cocodataset.org"
    (host / "annotations").mkdir(parents=True)
    (host / "train2017").mkdir()
    images: list[dict[str, Any]] = []
    for id, content in pictures.items():
        name = f"{id:012}.jpg"
        (host / "train2017" / name).write_bytes(content)
        images.append(
            {
                "license": 4, "file_name": name, "height": 240, "width": 320, "id": id,
                "coco_url": f"http://images.cocodataset.org/train2017/{name}",
                "flickr_url": f"http://farm1.staticflickr.com/{id}.jpg",
            }
        )  # fmt: skip
    listing = {
        "info": {"year": 2017},
        "licenses": [{"url": "http://x", "id": 4, "name": "Attribution License"}],
        "images": images,
        "annotations": [],
        "categories": [{"supercategory": "person", "id": 1, "name": "person"}],
    }
    with zipfile.ZipFile(host / "annotations" / "annotations_trainval2017.zip", "w") as archive:
        archive.writestr("annotations/instances_train2017.json", json.dumps(listing))
