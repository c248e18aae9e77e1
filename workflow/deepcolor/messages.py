"""What messages say of errors of the machine; words for people, whose edits rerun nothing."""

import errno
from pathlib import Path

from deepcolor import files
from deepcolor.errors import DeepColorError, first_line, is_out_of_memory, lacks_determinism

# Errors of the machine rather than of the program, and what helps.
REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n), or 'images_per_range'",
    errno.EROFS: "the folder is read-only; set 'results', 'data', 'cache' in config.yaml to others",
    errno.EACCES: "permission denied; set 'results', 'data', 'cache' in config.yaml to folders of yours",
}


def explain(error: Exception) -> str | None:
    """Return the one line for an error that the user can mend, None for any other."""
    if isinstance(error, DeepColorError):
        return str(error)
    if is_out_of_memory(error):
        return (
            f"the memory is used up ({first_line(error)}); see whether another program holds it "
            "(nvidia-smi, top), or lower 'batch_size' or 'image_size' in config.yaml"
        )
    if lacks_determinism(error):
        return (
            "an operation of the network has no deterministic kernel on this GPU; under 'training' in "
            "config.yaml set 'deterministic: false', or 'xla: auto' if it is true"
        )
    code = getattr(error, "errno", None)
    if code is None and "No space left on device" in str(error):  # h5py and TensorFlow wrap it.
        code = errno.ENOSPC
    if code not in REMEDIES:
        return None
    # Of a copy, the second name is what could not be written.
    where = getattr(error, "filename2", None) or getattr(error, "filename", None) or first_line(error)
    if code in (errno.EROFS, errno.EACCES) and Path(where).name.startswith(files.PARTIAL):
        return f"{Path(where).parent} is read-only; make it writable and run the same command again"
    return f"{where}: {REMEDIES[code]}"
