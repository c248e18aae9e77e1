"""The augmentation of training photographs, as `training.augmentation` lists it."""

from collections.abc import Mapping, Sequence

from deepcolor.errors import DeepColorError

# Names that stand alone, and names that need a number; `rotate` may have one.
ALONE = ("flip", "rotate")
NUMBERED = ("rotate", "gray_mix", "gamma", "fading", "blur", "grain", "jpeg")


def strengths(
    entries: Sequence[str | Mapping[str, float]], where: str = "training.augmentation"
) -> dict[str, float | None]:
    """Return the strength of each augmentation by name, None for a name that stands alone.

    Args:
        entries: Names, and maps of one name to its number, such as `["flip", {"rotate": 15}]`.
        where: Key that holds the list, for messages.

    Raises:
        DeepColorError: A name is unknown or appears twice, or its number is missing.
    """
    found: dict[str, float | None] = {}
    for entry in entries:
        items: Mapping[str, float | None] = {entry: None} if isinstance(entry, str) else entry
        for name, strength in items.items():
            if name in found:
                raise DeepColorError(f"{where}: '{name}' appears twice; keep one")
            if strength is None and name in NUMBERED and name not in ALONE:
                raise DeepColorError(f"{where}: '{name}' needs a number; write '{name}: …'")
            if name not in (ALONE if strength is None else NUMBERED):
                known = ", ".join([*ALONE, *(f"{name}: …" for name in NUMBERED)])
                raise DeepColorError(f"{where}: unknown augmentation '{name}'; known: {known}")
            found[name] = strength
    return found
