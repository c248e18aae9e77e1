"""What rules hand over of the configuration."""

import json
import re

from conftest import Copy
from support import hostile

# Rules that get texts which are not names.
GIVEN_TEXTS = {
    "check_data_set", "colorize_photographs", "draw_study", "extract_features", "fetch_photographs",
    "list_rules", "predict_images", "render_report", "write_summary",
}  # fmt: skip
TARGETS = "all check_setup results/study/study.json results/unet_2/colorized/contact_sheet.html"


def test_no_parameter_can_close_a_script(copy: Copy) -> None:
    """`snakemake --report` writes them into one."""
    (copy.folder / hostile.TEXT).mkdir(parents=True)
    used = {
        "compare": {"data_sets": ["photographs", "mine"]},
        "models": {"other": {"predictions": hostile.TEXT}},
        "evaluation": {"inception_weights": "imagenet"},
    }
    copy.write("hostile.yaml", json.dumps(json.loads(hostile.CONFIG) | used))
    planned = copy.run(
        f"snakemake --cores 1 --configfile hostile.yaml --dry-run --printshellcmds -- {TARGETS}"
    )
    assert planned.returncode == 0, planned.stdout
    assert set(re.findall(r"^(\w+) +\d+$", planned.stdout, flags=re.MULTILINE)) >= GIVEN_TEXTS
    assert "u003c/script>" in planned.stdout
    assert "</script" not in planned.stdout
