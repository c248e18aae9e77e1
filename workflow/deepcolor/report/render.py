"""The report: one HTML file that needs nothing else, rendered from tables, figures and images."""

from pathlib import Path

import jinja2

from deepcolor.files import write_text
from deepcolor.labels import run_label
from deepcolor.report import formatting
from deepcolor.report.context import ReportInputs, report_context
from deepcolor.report.data_uris import data_uri, picture_uri
from deepcolor.report.templating import template_environment


def render_report(path: Path, inputs: ReportInputs) -> None:
    """Render the report.

    Args:
        path: HTML file to write.
        inputs: Files and names that the report is rendered from.
    """
    template = page_environment().get_template("report.html.j2")
    write_text(path, template.render(report_context(inputs, path.parent)))


def page_environment() -> jinja2.Environment:
    """Return the environment of the page's templates, with their filters and globals."""
    environment = template_environment(
        autoescape=True,
        data_uri=data_uri,
        picture_uri=picture_uri,
        signed=formatting.signed,
        decimal=formatting.decimal,
        short=formatting.short,
        duration=formatting.duration,
        label=run_label,
        p_value=formatting.p_value,
    )
    environment.globals.update(interval=formatting.interval, known=lambda value: value == value)
    return environment
