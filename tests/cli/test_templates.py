"""``templates``: the shelf as people read it, and mistakes with line and nearest word."""

from __future__ import annotations

import json
from pathlib import Path

from tests.golden import matches_golden
from tests.reference_data import ROOT
from tests.tubes import TEMPLATE, write_template, write_tube


def test_the_shelf_is_listed(call, said) -> None:
    result = call("templates", "list")
    assert result.exit_code == 0
    assert "bm_stroma_core" in result.stdout
    assert {row["name"] for row in said(call("templates", "list", "--json"))["templates"]} >= {"bm_stroma_core"}


def test_show_prints_the_file_as_it_is_written(call) -> None:
    shown = call("templates", "show", "bm_stroma_core").stdout
    assert shown.rstrip() == (ROOT / "gating_templates" / "bm_stroma_core.yaml").read_text(encoding="utf-8").rstrip()


def test_explain_is_plain_words(call) -> None:
    result = call("templates", "explain", "bm_stroma_core")
    assert result.exit_code == 0
    matches_golden("explain_bm_stroma_core.txt", result.stdout)


def test_check_names_every_mistake(call, said, tmp_path: Path) -> None:
    good = write_template(tmp_path / "good.yaml")
    bad = write_template(tmp_path / "bad.yaml", TEMPLATE.replace("keep: below", "keep: under").replace("msc]", "mscs]"))
    assert call("templates", "check", good).exit_code == 0
    result = call("templates", "check", good, bad)
    assert result.exit_code == 4
    assert "right (4 populations)" in result.stdout
    assert "'msc'" in result.stdout
    assert "keep" in result.stdout
    assert len(said(call("templates", "check", good, bad, "--json"))["faults"]) == 1
    alone = call("templates", "check", bad)
    assert alone.exit_code == 4
    assert "2 problems" in alone.stderr


def test_the_schema_is_printed_and_written(call, tmp_path: Path) -> None:
    printed = call("templates", "schema").stdout
    assert "valley" in printed
    assert call("templates", "schema", "--out", tmp_path / "s.json").exit_code == 0
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8")) == json.loads(printed)


def test_new_starts_a_template_and_writes_over_nothing(call, said, tmp_path: Path) -> None:
    tube, out = write_tube(tmp_path / "tube.fcs"), tmp_path / "my_panel.yaml"
    assert call("templates", "new", tube, "--out", out).exit_code == 0
    assert call("templates", "check", out).exit_code == 0
    before = out.read_bytes()
    refused = call("templates", "new", tube, "--out", out)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert out.read_bytes() == before
    assert call("templates", "new", tube, "--out", out, "--force").exit_code == 0
    printed = call("templates", "new", tube)
    assert "name: tube\n" in printed.stdout
    assert said(call("templates", "new", tube, "--json"))["name"] == "tube"
    lacking = call("templates", "new", tube, "--from", "bm_stroma_core")
    assert lacking.exit_code == 4
