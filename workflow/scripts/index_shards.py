from pathlib import Path

from deepcolor import integrity, script
from deepcolor.data.shard_index import write_index


def main(*, data_set: str, image_size: int, shards: script.Json[dict[str, int]], index: Path) -> None:
    """Check a data set's shards and write their index.

    Args:
        data_set: Name of the data set.
        image_size: Side of the images in pixels.
        shards: Number of shards by split.
        index: JSON file to write, next to the shards.
    """
    # Not named one by one: a command line has no room for thousands.
    contents = {
        split: [index.parent / f"{split}-{number:05}-of-{count:05}.json" for number in range(count)]
        for split, count in shards.items()
    }
    # What no command line names, nobody has looked at.
    integrity.check([str(file) for files in contents.values() for file in files])
    write_index(index, contents, data_set=data_set, size=image_size)
    print(f"index_shards {data_set}: {sum(shards.values())} shards", flush=True)


if __name__ == "__main__":
    script.run(main)
