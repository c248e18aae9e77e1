from pathlib import Path

from deepcolor import script


def main(*, network: Path, inputs: Path, threads: int, pictures: Path) -> None:
    """Colorize the inputs with an exported network.

    Args:
        network: Exported network, ONNX.
        inputs: Folder of the inputs, as `export_inputs` writes it.
        threads: CPU threads.
        pictures: Folder to write; a picture has the path of its input.
    """
    from deepcolor.colorize.batch import colorize_files, report
    from deepcolor.colorize.batch_file import BatchOptions
    from deepcolor.colorize.inputs import SHEET
    from deepcolor.colorize.network import open_exported
    from deepcolor.colorize.settings import Settings

    opened, options = open_exported(network, threads), BatchOptions(threads=threads)
    report(colorize_files([str(inputs)], pictures, opened, Settings(), options), pictures / SHEET)


if __name__ == "__main__":
    script.run(main)
