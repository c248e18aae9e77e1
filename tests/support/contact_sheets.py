"""Contact sheets of small pictures, under names of all kinds."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from deepcolor.colorize import contact_sheet
from PIL import Image

HOSTILE = [
    "plain.jpg",
    "with blank #1 100% why?.jpg",
    "\"quoted\" & 'so' <script>alert(1)<.jpg",
    "Zoë in Łódź 東京.png",
    "Zoe\u0308 decomposed.png",
    "https:evil.example.jpg",
    "back\\slash;semi=colon,+.jpg",
    "new\nline\tand tab.jpg",
    "folder one/inner #2/picture.jpg",
    "-dash.jpg",
    "%41%2e.jpg",
    f"{'very long name ' * 16}.jpg",
    f"{'unbroken' * 30}.jpg",
    os.fsdecode(b"caf\xe9.jpg"),
]
TRAINED_ON = ["Trained for 30 epochs on <six> photographs.", "It knows no historic photographs."]


def entry(name: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    """An entry of the manifest; sizes and colorfulness are made of the number."""
    size = [(32, 24), (24, 32), (32, 4), (4, 32), (32, 32)][number % 5]
    return {
        "output": name,
        "model": "unet_30",
        "colorfulness": round(37.7 * number % 100, 1),
        "preview": list(size),
        "notes": ["it had colors; they are replaced"] if number % 2 else [],
        **changes,
    }


def write_sheet(folder: Path, entries: Sequence[dict[str, Any]]) -> Path:
    """Write pictures in a folder, their small ones, and the page; give its path."""
    rng = np.random.default_rng(0)
    for each in entries:
        width, height = each["preview"]
        after = rng.integers(0, 256, (height, width, 3), np.uint8)
        before = np.repeat(after.mean(axis=-1, keepdims=True), 3, axis=-1).astype(np.uint8)
        path = folder / each["output"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(after).save(path, "PNG")
        contact_sheet.write_pair(folder, each["output"], before, after)
    page = folder / "contact_sheet.html"
    page.write_text(contact_sheet.render(entries, TRAINED_ON), encoding="utf-8")
    return page
