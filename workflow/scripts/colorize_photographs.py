from pathlib import Path

from deepcolor import script


def main(
    *,
    network: Path,
    photographs: script.Json[str],
    settings: script.Json[dict],
    threads: int,
    sheet: Path,
) -> None:
    """Colorize the photographs of a folder with an exported network.

    Args:
        network: Exported network, ONNX.
        photographs: Folder of the photographs.
        settings: Section `colorize` of config.yaml.
        threads: CPU threads.
        sheet: HTML file of the contact sheet to write; the pictures go into its folder.
    """
    from deepcolor.colorize.batch import colorize_files, report
    from deepcolor.colorize.batch_file import BatchOptions
    from deepcolor.colorize.network import open_exported
    from deepcolor.colorize.settings import Settings

    chosen = {key: value for key, value in settings.items() if key != "folder"}
    most_megapixels = chosen.pop("most_megapixels")
    summary = colorize_files(
        [photographs],
        sheet.parent,
        open_exported(network, threads),
        Settings(**chosen),
        BatchOptions(threads=threads, most_megapixels=most_megapixels),
    )
    report(summary, sheet)


if __name__ == "__main__":
    script.run(main)
