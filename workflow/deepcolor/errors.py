"""The error that a user can mend."""


class DeepColorError(Exception):
    """Bad input. The message is one line that names the file or key and the remedy."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its kind where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
