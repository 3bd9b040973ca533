"""The crate of a run, read back: what RO-Crate 1.1 and Process Run Crate 0.5 ask for, and every file as it lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from stromagate.export import export
from stromagate.export.formats.ro_crate import of_folder
from stromagate.model.result import RESEARCH_USE, RunIndex, SampleEntry
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import BatchOptions, run_batch
from stromagate.pipeline.render_again import render_again
from stromagate.pipeline.review.verify import verify
from stromagate.pipeline.tubes import collect_tubes
from tests.results import make_result
from tests.tubes import write_template, write_tube

Graph = dict[str, dict[str, Any]]


def graph(content: bytes) -> Graph:
    document = json.loads(content)
    assert document["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(entities) == len(document["@graph"]), "no two entities have one name"
    return entities


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def ids(value: Any) -> list[str]:
    return [each["@id"] for each in value]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two tubes, of which the second cannot be read, with all exports."""
    folder = tmp_path_factory.mktemp("crate")
    (folder / "in").mkdir()
    write_tube(folder / "in/a.fcs", 0, 1500)
    (folder / "in/b.fcs").write_bytes(b"FCS3.1 and nothing more")
    options = BatchOptions(exports=("ro_crate", "parquet", "multiqc"), command="stromagate run /data/private/in")
    run_batch(collect_tubes([folder / "in"]).tubes, write_template(folder / "t.yaml"), folder / "out", options=options)
    return folder / "out"


def test_every_file_of_the_folder_is_in_it_as_it_is(out: Path) -> None:
    entities = graph((out / "ro-crate-metadata.json").read_bytes())
    files = {each for each, entity in entities.items() if entity["@type"] == "File"}
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {unquote(each) for each in files} == there - {"ro-crate-metadata.json", ".stromagate"}
    for each in files:
        content, entity = (out / unquote(each)).read_bytes(), entities[each]
        if "sha256" in entity:
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert int(entity["contentSize"]) == len(content)
        assert "/" in entity["encodingFormat"]
    assert sum("sha256" in entities[each] for each in files) >= 12
    assert "sha256" not in entities["run.json"]  # pages that could not be printed are noted in it afterwards


def test_root_and_profile_are_as_they_must_be(out: Path) -> None:
    entities = graph((out / "ro-crate-metadata.json").read_bytes())
    assert entities["ro-crate-metadata.json"] == {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    root, run = entities["./"], bundle.read_run(out)
    assert root["@type"] == "Dataset"
    assert root["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}
    assert entities["https://w3id.org/ro/wfrun/process/0.5"]["@type"] == "CreativeWork"
    assert root["datePublished"] == run.times["ended"]
    assert root["name"]
    assert root["license"]
    assert RESEARCH_USE in root["description"]


def test_every_reference_leads_to_something_and_every_part_hangs_on_the_root(out: Path) -> None:
    entities = graph((out / "ro-crate-metadata.json").read_bytes())
    outside = {"https://w3id.org/ro/crate/1.1"}
    outside |= {f"http://schema.org/{status}ActionStatus" for status in ("Completed", "Failed")}
    assert {*references([*entities.values()])} - outside <= set(entities)
    parts = set(ids(entities["./"]["hasPart"]))
    parts |= {name for each in parts for name in ids(entities[each].get("hasPart", []))}
    assert parts == {each for each, entity in entities.items() if entity["@type"] in {"File", "Dataset"}} - {"./"}


def test_the_run_is_an_action_from_files_to_results(out: Path) -> None:
    entities, run = graph((out / "ro-crate-metadata.json").read_bytes()), bundle.read_run(out)
    action = entities["#run"]
    assert action["@type"] == "CreateAction"
    assert (action["startTime"], action["endTime"]) == (run.times["started"], run.times["ended"])
    assert entities[action["instrument"]["@id"]]["softwareVersion"] == run.stromagate
    assert ids(action["object"]) == ["#fcs-a", "#template"]
    assert entities["#fcs-a"]["sha256"] == run.samples[0].sha256
    assert run.template is not None
    assert entities["#template"]["sha256"] == run.template.sha256
    assert set(ids(action["result"])) == set(ids(entities["./"]["hasPart"]))
    assert "samples/a/gates.gatingml.xml" in ids(entities["samples/a/"]["hasPart"])
    assert "/data/private" not in (out / "ro-crate-metadata.json").read_text()


def test_a_tube_that_failed_is_an_action_that_failed(out: Path) -> None:
    entities, run = graph((out / "ro-crate-metadata.json").read_bytes()), bundle.read_run(out)
    assert run.samples[1].status == "failed"
    action = entities["#failed-b"]
    assert action["actionStatus"] == {"@id": "http://schema.org/FailedActionStatus"}
    assert run.samples[1].error is not None
    assert action["error"] == run.samples[1].error["message"]
    assert ids(entities["./"]["mentions"]) == ["#run", "#failed-b"]
    assert "samples/b/" not in entities


def test_it_comes_out_the_same_and_is_looked_through(out: Path) -> None:
    path = out / "ro-crate-metadata.json"
    before = path.read_bytes()
    render_again(out)
    assert path.read_bytes() == before
    assert verify(out).differences == []
    assert "ro-crate-metadata.json: what the files" in (out / "README.txt").read_text()


def test_names_that_are_no_addresses_are_written_as_such() -> None:
    name = "Knochenmark 7 % ü"
    result = make_result(sample_id=name)
    entry = SampleEntry(sample_id=name, file="a b.fcs", status="ok")
    run = RunIndex(stromagate="1", config=result.record.config, samples=(entry,), exports=("ro_crate",))
    entities = graph(of_folder(run, [result], {f"patients/{name}.html": b"x"}))
    assert f"samples/{quote(name)}/result.json" in entities
    assert unquote(f"patients/{quote(name)}.html") == f"patients/{name}.html"
    assert all(each.isascii() and " " not in each for each in entities)
    assert entities[f"#fcs-{quote(name)}"]["name"] == "a b.fcs"


def test_a_crate_of_results_alone_names_tubes_and_invents_no_time() -> None:
    entities = graph(export("ro_crate", [make_result()]))
    assert not {"startTime", "endTime"} & set(entities["#run"])
    assert "datePublished" not in entities["./"]
    assert "samples/bm-001/" in entities
    assert entities["#fcs-bm-001"]["sha256"] == "5e" * 32
