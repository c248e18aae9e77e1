"""The material of a user study: photographs drawn by the seed, never by their looks, and pictures."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from deepcolor.errors import DeepColorError
from deepcolor.evaluation import samples
from deepcolor.files import replacing_folder, sha256, write_json
from deepcolor.imaging import lab
from deepcolor.study import design, power
from deepcolor.study.design import CATCH, REAL

if TYPE_CHECKING:  # It needs TensorFlow; what is here does not.
    from deepcolor.data.shards import Shards

ROLES = {"test": "images", "practice": "practice", "catch": "catch_trials"}
# Chroma of the pictures that nobody who looks takes for photographs.
CATCH_CHROMA = 70


def draw_study(
    shards: "Shards",
    split: str,
    predictions: Mapping[str, Path],
    settings: Mapping[str, Any],
    seed: int,
    path: Path,
    folder: Path,
) -> dict[str, Any]:
    """Draw the photographs of a study, export its pictures, and write its design.

    Pictures are PNG of one size, without metadata, under names of 24 hexadecimal digits: checksums over
    all of the pictures, from which nobody who has not got them can tell what is what.

    Args:
        shards: Of the data sets.
        split: Which images.
        predictions: `.npy` files of `(n, size, size, 3)` uint8 in the order of the split, by run.
        settings: `study` of the completed configuration.
        seed: Of the draw, the lists and the orders.
        path: study.json to write.
        folder: For the pictures; emptied first.

    Returns:
        What study.json holds.

    Raises:
        DeepColorError: There are too few images.
    """
    images = shards.images(split)
    runs, protocol = list(predictions), settings["protocol"]
    conditions = design.slots(protocol, runs, settings["real_share"])
    rows = _roles(images["data_set"].to_list(), settings, split, seed)
    _check_images(len(rows["test"]), conditions)
    chosen = [(row, role) for role, each in rows.items() for row in each]
    place = {row: number for number, (row, _) in enumerate(chosen)}
    square = design.lists([place[row] for row in rows["test"]], conditions)
    trials = {
        "practice": design.practice(protocol, [place[row] for row in rows["practice"]], runs),
        "catch": [(place[row], CATCH) for row in rows["catch"]],
    }
    wanted = {pair for each in [*square, *trials.values()] for pair in each}
    if protocol == "pairs":
        wanted |= {(image, REAL) for image, _ in wanted}
    truth = dict(zip(sorted(place), samples.read_images(shards, split, list(place)), strict=True))
    size, salt = settings["picture_size"], hashlib.sha256(f"{seed}".encode())
    pictures = {}
    for image, condition in sorted(wanted):
        row = chosen[image][0]
        if condition == REAL:
            picture = truth[row]
        elif condition == CATCH:
            picture = vivid(truth[row])
        else:
            picture = np.load(predictions[condition], mmap_mode="r")[row]
        pictures[image, condition] = resized(picture, size)
        salt.update(pictures[image, condition].tobytes())
    called = {
        key: hashlib.sha256(f"{salt.hexdigest()}/{key[0]}/{key[1]}".encode()).hexdigest()[:24]
        for key in pictures
    }

    def trial(kind: str, image: int, condition: str) -> design.Trial:
        return {
            "kind": kind,
            "image": image,
            "condition": condition,
            "picture": called[image, condition],
            "real": called[image, REAL] if protocol == "pairs" else None,
        }

    with replacing_folder(folder) as parts:
        for key, picture in pictures.items():
            Image.fromarray(picture).save(parts / f"{called[key]}.png", optimize=True)
    study = {
        **{key: settings[key] for key in ("title", "protocol", "consent", "contact")},
        "seed": seed,
        "seconds": design.seconds(protocol, settings["seconds"]),
        **{key: settings[key] for key in ("picture_size", "rest_every", "most_people", "exclude")},
        "runs": runs,
        "images": [{**images.loc[row, ["data_set", "id"]], "role": role} for row, role in chosen],
        "pictures": {
            called[image, condition]: {
                "sha256": sha256(folder / f"{called[image, condition]}.png"),
                "image": image,
                "condition": condition,
            }
            for image, condition in sorted(pictures)
        },
        "lists": [[trial("test", *pair) for pair in each] for each in square],
        **{kind: [trial(kind, *pair) for pair in each] for kind, each in trials.items()},
        "power": power.assumed(design.answers_per_run(len(rows["test"]), conditions, runs)),
    }
    study = {"study": design.checksum(study), **study}
    write_json(path, study)
    return study


def resized(picture: np.ndarray, size: int) -> np.ndarray:
    """A picture of another side: `(side, side, 3)` uint8 to `(size, size, 3)`, by Lanczos."""
    image = Image.fromarray(np.asarray(picture))
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(image)


def vivid(picture: np.ndarray) -> np.ndarray:
    """A photograph's luminance under waves of every hue, which nobody who looks takes for real.

    Args:
        picture: `(size, size, 3)` uint8.
    """
    size = len(picture)
    # Very dark and very light pixels cannot have much color.
    lightness = 30 + lab.lightness(picture) / 2
    y, x = np.mgrid[0:size, 0:size].astype("float32") / size
    hue = 2 * np.pi * (1.5 * x + y + 0.2 * np.sin(2 * np.pi * (x - y)))
    planes = [lightness, CATCH_CHROMA * np.cos(hue), CATCH_CHROMA * np.sin(hue)]
    return lab.to_rgb(np.stack(planes).astype("float32"))


def _roles(
    data_sets: list[str], settings: Mapping[str, Any], split: str, seed: int
) -> dict[str, list[int]]:
    """The images to show, by what they serve for; of every data set as many, as far as it has them."""
    wanted = {role: settings[key] for role, key in ROLES.items()}
    if sum(wanted.values()) > len(data_sets):
        raise DeepColorError(
            f"study: {' + '.join(map(str, wanted.values()))} images are asked for (images, practice, "
            f"catch_trials), and there are {len(data_sets)} {split} images; lower one of them"
        )
    rows: dict[str, list[int]] = {}
    for role, count in wanted.items():
        taken = {row for each in rows.values() for row in each}
        rows[role] = samples.draw_stratified(data_sets, count, f"study/{role}/{seed}", taken)
    return rows


def _check_images(images: int, conditions: list[str]) -> None:
    if images < len(conditions):
        raise DeepColorError(
            f"study.images: {images} images cannot go through {len(conditions)} conditions (the runs, "
            f"and real photographs by 'real_share'); ask for {len(conditions)}, or name fewer 'runs'"
        )
