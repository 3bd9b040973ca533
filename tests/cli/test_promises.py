"""What ``docs/pipelines.md`` promises of a run: each line of its table names tests that are there, and a few of them.

Those of many tubes, kills and full disks are in ``tests/campaigns``.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cli.test_run import tree
from tests.reference_data import ROOT
from tests.tubes import write_template, write_tube

_GUARDED = """
import os, sys
FORBIDDEN = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "socket.sendto"}
def guard(event, told):
    if event in FORBIDDEN:
        raise RuntimeError(f"network: {event} {told}")
    if event == "open" and isinstance(told[0], str) and told[0].startswith(INPUTS):
        if told[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise RuntimeError(f"an input is opened to be written: {told}")
    if event in ("os.rename", "os.remove", "os.mkdir", "os.chmod", "os.utime") and str(told[0]).startswith(INPUTS):
        raise RuntimeError(f"an input is changed: {event} {told}")
INPUTS = sys.argv[1]
sys.addaudithook(guard)
sys.argv[:] = ["stromagate", *sys.argv[2:]]
from stromagate.cli.app import main
main()
"""


def test_surroundings_and_order_move_no_byte_inputs_are_only_read_and_no_network_is_asked(
    call, tubes: Path, tmp_path: Path
) -> None:
    inputs = tmp_path / "in"
    shutil.copytree(tubes, inputs)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in inputs.rglob("*.[fF]*")}
    template = inputs / "small.yaml"
    files = sorted(inputs.rglob("*.[fF][cC][sS]"))[:2]
    assert call("run", *files, "-t", template, "-o", tmp_path / "here").exit_code == 0
    elsewhere = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Asia/Kolkata",
                 "PYTHONHASHSEED": "7", "HTTP_PROXY": "http://192.0.2.1:9", "OPENBLAS_NUM_THREADS": "2"}  # fmt: skip
    words = ["run", *files[::-1], "-t", template, "-o", tmp_path / "there"]
    line = [sys.executable, "-c", _GUARDED, str(inputs), *map(str, words)]
    done = subprocess.run(line, env={**os.environ, **elsewhere}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "there") == tree(tmp_path / "here")
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in inputs.rglob("*.[fF]*")}
    assert after == before


def test_one_name_in_two_folders_and_one_content_twice(call, said, tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two", "three")):
        (tmp_path / "in" / name).mkdir(parents=True)
        write_tube(tmp_path / "in" / name / "tube.fcs", min(number, 1), 600)
    template = write_template(tmp_path / "small.yaml")
    run = said(call("run", tmp_path / "in", "-t", template, "-o", tmp_path / "out", "--json"))["run"]
    entries = {entry["file"]: entry for entry in run["samples"]}
    assert {*entries} == {"one/tube.fcs", "two/tube.fcs", "three/tube.fcs"}
    names = [entry["sample_id"] for entry in run["samples"]]
    assert len({*names}) == 3
    assert sorted(path.name for path in (tmp_path / "out/samples").iterdir()) == sorted(names)
    twins = {entries[f"{name}/tube.fcs"]["sample_id"] for name in ("two", "three")}
    (finding,) = [each for each in run["findings"] if each["status"] != "pass" and {*each["samples"]} == twins]
    assert "hold the same bytes" in finding["sentence"]
    assert finding["sentence"] in (tmp_path / "out/index.html").read_text(encoding="utf-8")


def test_results_inside_of_the_folder_of_the_tubes_are_no_tubes_of_the_next_run(call, said, tmp_path: Path) -> None:
    write_tube(tmp_path / "a.fcs", 0, 600)
    template = write_template(tmp_path / "small.yaml")
    words = ("run", tmp_path, "-t", template, "-o", tmp_path / "results", "--export", "gated_fcs", "--json")
    for _ in range(2):
        run = said(call(*words))["run"]
        assert [entry["file"] for entry in run["samples"]] == ["a.fcs"]
    assert (tmp_path / "results/samples/a/gated.fcs").is_file()
    ours = said(call("inspect", tmp_path / "results/samples", "--json"))
    assert "gated.fcs" in json.dumps(ours)


def test_every_promise_of_the_document_has_tests_that_are_there() -> None:
    document = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
    table = document.partition("## What is promised")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| (P\d+) \|(.+)\|$", table, re.MULTILINE))
    assert list(rows) == [f"P{number}" for number in range(1, 11)]
    for promise, row in rows.items():
        named = re.findall(r"`(tests/[\w/]+\.py)`(?: `(\w+)`)?", row)
        assert named, promise
        for path, function in named:
            there = {
                node.name for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
                if isinstance(node, ast.FunctionDef)
            }  # fmt: skip
            assert not function or function in there, (promise, path, function)
