"""Texts of a configuration that close an HTML script, and run one of their own."""

import json

TEXT = '</script><script>window.ran = true</script><!--<script> "quoted" & it\'s'
# Over the tiny configuration; the second data set is not used, and shown with all others.
CONFIG = json.dumps(
    {
        "title": TEXT,
        "data_sets": {
            "mine": {
                **{"source": "folder", "folder": TEXT, "license": TEXT, "terms": TEXT},
                **{"training": 4, "validation": 2},
            },
        },
        "compare": {"data_sets": ["photographs"]},
        "study": {"title": TEXT, "consent": TEXT, "contact": TEXT},
        "colorize": {"folder": TEXT},
    }
)
