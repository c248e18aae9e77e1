"""The columns of answers.csv, a row per answer. Standard library only.

A text that a spreadsheet would take for a formula begins with an apostrophe, see `cells`.
"""

COLUMNS = (
    "study",  # 16 hexadecimal digits; empty for imported answers.
    "protocol",
    "person",  # A random number.
    "list",
    "position",  # In the person's order, from 0.
    "kind",  # practice, test or catch
    "data_set",
    "image",  # The photograph's id.
    "condition",  # real, the name of a run, or catch
    "side",  # Of the colorized picture, left or right; pairs only.
    # real or colorized: what the picture was taken for; of a pair, what its colorized picture was.
    "answer",
    "appeal",  # 1 to 5
    "naturalness",  # 1 to 5
    "seconds",  # From the moment that the picture appeared.
    "color_vision",  # yes, no or unsure
    "finished",  # yes or no
    "simulated",  # yes or no
    "rules",  # When a person is left out, as JSON.
)
