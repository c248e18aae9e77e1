"""How pytest-xdist hands out the tests."""

import os

from xdist.scheduler import LoadScopeScheduling


class Scheduling(LoadScopeScheduling):
    """Hand tests out by the file, and those of workflow/finished, which share a run, together."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return os.path.dirname(file) if "/finished/" in file else file
