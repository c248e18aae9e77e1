"""The environment of the templates of reports and cards."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).parent / "templates"


def template_environment(*, autoescape: bool, **filters: Callable[..., Any]) -> jinja2.Environment:
    """Return a Jinja environment in which an undefined name is an error.

    Args:
        autoescape: Whether values are escaped as HTML.
        filters: Filters by name.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment
