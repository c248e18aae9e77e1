"""The tables, and what the report makes of them row by row."""

import re
import statistics
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from deepcolor.frames import write_frame
from deepcolor.report.comparison_tables import tabulate_ablations, tabulate_seeds
from deepcolor.report.formatting import duration, oneline, p_value, short
from deepcolor.report.results import result_rows
from deepcolor.report.sections import encoder_weights, job_costs, results_by_data_set
from deepcolor.report.tables import read_table
from deepcolor.report.training_table import tabulate_training
from support.synthetic_records import HOSTILE_DATA_SET, record, varied, write_records
from support.synthetic_results import fewer_resamples, render, write_results


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer_resamples(monkeypatch)


def means(psnr: dict[str, float], data_sets: Sequence[str] = ("a",)) -> pd.DataFrame:
    """Metrics by run: on the first data set `psnr`, on each further one 1 dB more, "all" their mean."""
    rows = []
    for run, value in psnr.items():
        values = {name: value + number for number, name in enumerate(data_sets)}
        for name, each in {"all": statistics.mean(values.values()), **values}.items():
            for luminance, gain in {"predicted": 0, "kept": 10}.items():
                level = each + gain
                figures = {"mse": 10 ** (-level / 10), "psnr": level, "ciede2000": 50 - level}
                rows.append({"run": run, "data_set": name, "luminance": luminance, "n": 2, **figures})
    return pd.DataFrame(rows)


def test_a_training_is_a_row(tmp_path: Path) -> None:
    mixed = {"augmentation": ["flip", {"rotate": 15}], "sampling": {"b": 0.5, "max_share": 0.6}}
    collapses = [
        {"epoch": epoch, "collapse": kind} for epoch, kind in ((1, "gray"), (2, "gray"), (4, "noise"))
    ]
    runs = [
        record("unet", 4, training=mixed, train_on=["a", "b"]),
        record("unet", 6, collapses=collapses, best_epoch=4, peak_device_memory_bytes=3 * 2**20),
        record("007", 6, varies="unet"),
    ]
    table = tabulate_training(write_records(tmp_path, runs), varied(runs))
    write_frame(tmp_path / "training.csv", table)
    first, second, third = read_table(tmp_path / "training.csv").to_dict("records")
    assert (first["model"], first["architecture"], first["epochs"]) == ("unet", "unet", 4)
    assert (first["train_on"], first["augmentation"]) == ("a b", "flip, rotate: 15")
    assert first["sampling"] == "b: 0.5, max_share: 0.6"
    assert (first["best_epoch"], first["collapse"], first["collapses"]) == ("", "", "")
    assert first["peak_device_memory_mib"] == "" and first["weights"] == "none"
    assert (second["best_epoch"], second["collapse"]) == ("4", "noise")
    assert second["collapses"] == "gray 1-2, noise 4"
    assert second["peak_device_memory_mib"] == "3"
    assert second["options"].startswith("target rgb, filters [4, 8], skip_connections true, dropout 0.5")
    assert (third["model"], third["varies"]) == ("007", "unet")


def test_a_variant_stands_beside_the_same_seed(tmp_path: Path) -> None:
    records = [
        record("unet", 1),
        record("unet", 2),
        record("unet", 2, seed=1, run="unet-seed1_2"),
        record("lab", 2, varies="unet", seed=1, options={"target": "lab"}),
        record("lab", 2, varies="unet", seed=5, run="lab-seed5_2", train_on=["a", "b"]),
        record("alone", 4, varies="unet"),
    ]
    psnr = {"unet_1": 1.0, "unet_2": 20.0, "unet-seed1_2": 20.5, "lab_2": 22.0, "lab-seed5_2": 23.0,
            "alone_4": 30.0}  # fmt: skip
    table = tabulate_ablations(means(psnr), write_records(tmp_path, records), varied(records))
    assert list(table["run"]) == ["lab_2", "lab-seed5_2"]
    assert list(table["varied_run"]) == ["unet-seed1_2", "unet_2"]
    assert list(table["differs"]) == [
        "target: lab instead of rgb",
        "train_on: a, b instead of a; seed: 5 instead of 0",
    ]
    # Of predictions as they are, not of those on the input's luminance.
    assert list(table["psnr"]) == [22.0, 23.0] and list(table["difference"]) == [1.5, 3.0]


def test_tables_of_nothing_have_a_header(tmp_path: Path) -> None:
    files = write_records(tmp_path, [record("unet", 2)])
    write_frame(tmp_path / "empty.csv", tabulate_ablations(means({"unet_2": 20.0}), files, {}))
    assert (tmp_path / "empty.csv").read_text().startswith("run,model,varies,epochs,seed,varied_run,")
    assert len(read_table(tmp_path / "empty.csv")) == 0


def test_seeds_are_a_mean_and_a_spread(tmp_path: Path) -> None:
    psnr = {"unet_2": 21.0, "unet-seed1_2": 22.0, "unet-seed7_2": 22.6, "other_2": 20.0}
    runs = [
        record("unet", 2),
        record("unet", 2, seed=1, run="unet-seed1_2"),
        record("unet", 2, seed=7, run="unet-seed7_2"),
        record("other", 2),
    ]
    found = tabulate_seeds(means(psnr, ("a", "b")), write_records(tmp_path, runs))
    write_frame(tmp_path / "seeds.csv", found)
    table = read_table(tmp_path / "seeds.csv").set_index(["model", "data_set"])
    values = [psnr["unet_2"], psnr["unet-seed1_2"], psnr["unet-seed7_2"]]
    row = table.loc["unet", "a"]
    assert row["seeds"] == 3
    assert row["psnr_mean"] == pytest.approx(statistics.mean(values))
    assert float(row["psnr_sd"]) == pytest.approx(statistics.stdev(values))
    assert (row["psnr_min"], row["psnr_max"], row["ciede2000_max"]) == (21.0, 22.6, 29.0)
    assert row["mse_max"] == pytest.approx(10**-2.1)
    assert table.loc["other", "all"]["psnr_sd"] == ""
    assert table.loc["unet", "all"]["psnr_mean"] == pytest.approx(statistics.mean(values) + 0.5)


def test_data_sets_that_a_network_never_saw_are_marked(tmp_path: Path) -> None:
    results = write_results(
        tmp_path,
        [record("both", 2, train_on=["a", HOSTILE_DATA_SET]), record("one", 2, train_on=["b"])],
        {"both_2": 21.0, "one_2": 22.0, "app": 23.0},
        pictures=["app"],
        data_sets=["a", HOSTILE_DATA_SET],
    )
    assert list(results.table("transfer")["seen"]) == [True, True, False, False]
    found = results_by_data_set(
        results.table("metrics"), results.table("transfer"), ["both_2", "one_2", "app"]
    )
    assert found is not None and found["data_sets"] == ["a", HOSTILE_DATA_SET]
    rows = {row["run"]: row for row in found["rows"]}
    assert list(rows)[:1] == ["grayscale-copy"] and list(rows)[-3:] == ["both_2", "one_2", "app"]
    assert [cell["seen"] for cell in rows["one_2"]["cells"]] == [False, False]
    assert rows["both_2"]["train_on"] == f"a, {HOSTILE_DATA_SET}" and rows["app"]["train_on"] == ""
    # Images of the second are 1 dB easier; the mean over both is the run's.
    first, second = (cell["psnr"]["value"] for cell in rows["both_2"]["cells"])
    assert (first + second) / 2 == pytest.approx(21.5) and second - first > 0
    assert "†" in render(results)


def test_one_data_set_is_none_to_compare(tmp_path: Path) -> None:
    results = write_results(tmp_path, [record("unet", 2)], {"unet_2": 21.0})
    assert results_by_data_set(results.table("metrics"), results.table("transfer"), ["unet_2"]) is None


def test_results_are_a_row_each_with_what_is_known(tmp_path: Path) -> None:
    runs = [
        record("unet", 10, training={"early_stopping": 1}, best_epoch=4),
        record("unet", 10, seed=3, run="unet-seed3_10"),
    ]
    results = write_results(
        tmp_path, runs, {"unet_10": 21.0, "unet-seed3_10": 21.5, "app": 20.0}, pictures=["app"]
    )
    table = results.table("metrics"), results.table("training")
    rows = {row["run"]: row for row in result_rows(*table, ["unet_10"], "validation")}
    kinds = ["baseline", "baseline", "told", "told", "run", "run", "pictures"]
    assert [row["kind"] for row in rows.values()] == kinds
    assert [row["first"] for row in rows.values()] == [False] * 4 + [True, False, False]
    assert [row["chosen"] for row in rows.values()] == [False] * 4 + [True, False, False]
    published = rows["unet_10"]["published"]
    assert (published["psnr"], published["mse"]) == (23.229, 0.006)
    assert all(row["published"] is None for run, row in rows.items() if run != "unet_10")
    assert not any(row["chosen"] for row in result_rows(*table, [], "test"))
    figure = rows["app"]["kept"]["psnr"]
    assert figure["low"] < figure["value"] < figure["high"] and figure["value"] == pytest.approx(20.5)


def test_one_photograph_has_no_interval(tmp_path: Path) -> None:
    results = write_results(
        tmp_path, [record("unet", 1)], {"unet_1": 21.0}, photographs=1, per_photograph=6
    )
    (row,) = result_rows(results.table("metrics"), results.table("training"), [], "test")[-1:]
    assert row["photographs"] == 1 and row["n"] == 6
    psnr = row["predicted"]["psnr"]
    assert psnr["value"] == pytest.approx(21) and psnr["low"] != psnr["low"]
    assert re.findall(r"\bnan\b", render(results)) == []


def test_data_sets_and_credits_are_counted(tmp_path: Path) -> None:
    results = write_results(
        tmp_path, [record("unet", 1)], {"unet_1": 21.0}, data_sets=["a", "b"], words="CC0"
    )
    row = results.table("data_sets").to_dict("records")[0]
    assert (row["asked"], row["delivered"], row["photographs"], row["rejected"]) == (61, 60, 60, 1)
    assert (row["reasons"], row["licenses"]) == ("gray: 1", "CC0")
    assert len(results.table("credits")) == 120 and set(results.table("credits")["images"]) == {1}


def test_encoder_weights_are_said_by_network(tmp_path: Path) -> None:
    runs = [
        record("one", 1, options={"weights": "imagenet"}),
        record("two", 1, options={"weights": "imagenet"}),
        record("three", 1, options={"weights": "mine.h5"}),
        record("four", 1),
    ]
    training = tabulate_training(write_records(tmp_path, runs), {})
    assert encoder_weights(training) == (
        "ImageNet weights (one, two), weights from mine.h5 (three), random weights (four)"
    )


def test_costs_are_those_of_the_rules_that_there_are(tmp_path: Path) -> None:
    for rule in ("train_model", "former_rule"):
        (tmp_path / rule).mkdir()
        (tmp_path / rule / "a.tsv").write_text("s\tmax_rss\n1.5\t-\n150\t200.5\n")
    (row,) = job_costs(tmp_path, ["plot_costs", "train_model"])
    assert (row["rule"], row["jobs"], row["seconds"], row["longest"], row["memory"]) == (
        "train_model", 2, 151.5, 150, 200.5,
    )  # fmt: skip
    assert job_costs(tmp_path / "nowhere", ["train_model"]) == []


def test_figures_are_said_in_few_digits() -> None:
    assert [short(value) for value in (0, 0.12345, 3.456, 99.5, 1234.5)] == [
        "0", "0.123", "3.46", "99.5", "1,234",
    ]  # fmt: skip
    assert [duration(value) for value in (1.5, 119, 120, 7199, 7200)] == [
        "1.5 s", "119 s", "2 min", "120 min", "2 h",
    ]  # fmt: skip
    assert [p_value(p) for p in (float("nan"), 0.00099, 0.0123, 1.0)] == ["–", "< 0.001", "0.012", "1"]
    assert oneline("a\n<b>|&\t'c'") == "a &lt;b&gt;\\|&amp; 'c'"
