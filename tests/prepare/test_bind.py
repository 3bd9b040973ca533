"""Markers find their channels by whole words, in order of trust, and what is not certain is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import DocumentError, InputError, SpecificationError, StromagateError
from stromagate.fcs import read_fcs
from stromagate.model.config import RunConfig
from stromagate.model.panel import Panel
from stromagate.model.sample import Channel
from stromagate.model.template import GatingTemplate
from stromagate.prepare.bind import bind, bind_template
from stromagate.prepare.labels import is_compensated_name, names_of, read_label, split_pulse
from stromagate.prepare.panel_file import PanelRow, read_panel_file
from stromagate.prepare.scatter import candidates
from tests.prepare.tubes import tube
from tests.reference_data import DATA, needs_reference_data

SCATTER = [("FSC-A", ""), ("FSC-H", ""), ("SSC-A", ""), ("Time", "")]
Pairs = Sequence[tuple[str, str]]


def channels(pairs: Pairs) -> list[Channel]:
    return [
        Channel(index, pnn, pns, 32, 262144.0, is_time=pnn.casefold() == "time")
        for index, (pnn, pns) in enumerate(pairs)
    ]


def one(pairs: Pairs, marker: str, **options: object) -> tuple[str, str]:
    """Bind one marker; return its ``$PnN`` and how it was found."""
    panel = bind(channels(pairs), [marker], **options)  # type: ignore[arg-type]  # options vary by test
    binding = next(item for item in panel.bindings if item.axis == marker)
    assert (binding.pnn, binding.pns) == pairs[binding.channel]
    assert panel.channel(marker) == binding.channel
    return binding.pnn, binding.how


def refused(pairs: Pairs, markers: Sequence[str], **options: object) -> str:
    with pytest.raises(SpecificationError) as caught:
        bind(channels(pairs), markers, **options)  # type: ignore[arg-type]  # options vary by test
    assert caught.value.code == "panel.unbound"
    assert caught.value.exit_code == 4
    return str(caught.value)


FOUND = {
    # $PnS that names the marker, and nothing else
    "exact": ("CD45", "CD45", "$PnS"),
    "capitals": ("CD45", "cd45", "$PnS"),
    "hyphen": ("CD45", "CD-45", "$PnS"),
    "space": ("CD45", " CD 45 ", "$PnS"),
    "hyphenated marker": ("HLA-DR", "HLADR", "$PnS"),
    "fluorochrome": ("CD146", "CD146 PE", "$PnS"),
    "fluorochrome and pulse": ("CD271", "CD271-APC-A", "$PnS"),
    "underscore": ("CD45", "CD45_BV510", "$PnS"),
    "pulse": ("CD31", "CD31 FITC-A", "$PnS"),
    "fluorochrome first": ("CD146", "PE-A :: CD146", "$PnS"),
    "tandem": ("CD45", "CD45 PerCP-Cy5.5", "$PnS"),
    "two words": ("CD45", "CD45 Alexa Fluor 700", "$PnS"),
    "brackets": ("CD45", "CD45 (BV 510)", "$PnS"),
    "semicolons and optics": ("CD138", "CD138;PE;586/15@561/E", "$PnS"),
    "glued fluorochrome": ("CD146", "CD146PE", "$PnS"),
    "trade mark": ("CD45", "CD45 Alexa Fluor™ 700", "$PnS"),
    "anti": ("CD45", "anti-human CD45 APC-H7", "$PnS"),
    "metal behind": ("CD45", "CD45_Sm154", "$PnS"),
    "metal before": ("CD45", "154Sm_CD45", "$PnS"),
    "dye by its name": ("Viability", "viability;7-AAD;695/40@488/A", "$PnS"),
    "symbol": ("CD146", "MCAM", "alias"),
    "synonym and fluorochrome": ("CD271", "LNGFR-PE", "alias"),
    "synonym with a hyphen": ("CD146", "Mel-CAM BV421", "alias"),
    "synonym with a slash": ("Viability", "LIVE/DEAD Near-IR", "alias"),
    "synonym with digits": ("Viability", "7AAD", "alias"),
    "fixable": ("Viability", "Zombie Aqua", "alias"),
    "fixable with a number": ("Viability", "FVS780", "alias"),
    "short": ("Viability", "L/D", "alias"),
    "greek": ("CD140a", "PDGFR\N{GREEK SMALL LETTER ALPHA}", "alias"),
    "known under the other name": ("MCAM", "CD146 PE", "alias"),
}


@pytest.mark.parametrize(("marker", "label", "how"), FOUND.values(), ids=FOUND.keys())
def test_what_a_label_names(marker: str, label: str, how: str) -> None:
    pairs = [*SCATTER, ("X-A", "CD3 FITC"), ("PE-A", label), ("Y-A", "")]
    assert one(pairs, marker) == ("PE-A", how)


NOT_FOUND = {
    "a longer marker": ("CD45", "CD45RA"),
    "a longer marker with a dye": ("CD45", "CD45RO FITC"),
    "a longer marker in two words": ("CD45", "CD45 RA"),
    "a longer marker glued to its dye": ("CD45", "CD45RAPE"),
    "an isoform": ("CD45", "CD45.2_In115"),
    "a longer number": ("CD31", "CD314 PE"),
    "a shorter number": ("CD45", "CD4 PE"),
    "another letter": ("CD49d", "CD49e"),
    "a word not understood": ("CD8", "CD8 B PE"),
    "a column's story": ("CD45", "column CD45 from dataset"),
    "two markers": ("CD14", "VIVID / CD14"),
    "a dye beside a marker": ("Viability", "VIVID / CD14"),
    "a joined colour": ("CD235a", "CD235a+CD71"),
    "a detector's name": ("Viability", "7-AAD-A"),
    "a metal": ("CD45", "Cd112 PE"),
    "empty": ("CD45", ""),
}


@pytest.mark.parametrize(("marker", "label"), NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_what_a_label_does_not_name(marker: str, label: str) -> None:
    said = refused([*SCATTER, ("X-A", label), ("Y-A", "CD3")], [marker])
    assert f"no channel carries {marker}" in said
    assert "X-A" in said
    assert "--marker" in said


def test_what_stands_in_the_way_is_said() -> None:
    assert "X-A :: CD45 RO may be it, but 'ro' is not understood" in refused([("X-A", "CD45 RO")], ["CD45"])
    assert "X-A :: CD14/CD45 names CD14 and CD45" in refused([("X-A", "CD14/CD45")], ["CD45"])
    assert "(nearest: X-A :: CD145)" in refused([("X-A", "CD145"), ("Y-A", "CD3")], ["CD146"])


def test_all_that_is_missing_comes_at_once() -> None:
    pairs = [("FSC-A", ""), ("A-A", "CD45"), ("B-A", "CD45 PE")]
    said = refused(pairs, ["CD45", "CD271", "CD146"], scatter_used=["FSC-H"])
    for part in ("CD45 is on 2 channels: A-A :: CD45, B-A :: CD45 PE", "CD271", "CD146", "no channel is FSC-H"):
        assert part in said


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("PE-A", "CD45"), ("PE-H", "CD45"), ("PE-W", "CD45")], "PE-A"),
        ([("PE-W", "CD45-W"), ("PE-H", "CD45-H"), ("PE-A", "CD45-A")], "PE-A"),
        ([("PE-H", "CD45"), ("PE-W", "CD45")], "PE-H"),
        ([("FL1-H", "CD45 FITC")], "FL1-H"),
        ([("CD45", "")], "CD45"),
        ([("CD45-A", ""), ("CD45-H", "")], "CD45-A"),
        ([("BL1-A", "CD45"), ("CD45-A", "CD3")], "BL1-A"),
    ],
)
def test_of_the_pulses_of_one_detector_the_area(pairs: Pairs, found: str) -> None:
    assert one(pairs, "CD45")[0] == found


@pytest.mark.parametrize(
    "pairs",
    [
        [("A-A", "CD45"), ("B-A", "CD45")],
        [("A-A", "CD45"), ("B-A", "CD45 PE")],
        [("A-A", "CD45"), ("B-A", "cd45")],
        [("A-A", "CD45"), ("CD45-A", "")],
        [("PE-A", "CD45"), ("Comp-APC-A", "CD45")],
        [("A-A", "MCAM"), ("B-A", "MUC18")],
        [("PE-A", "CD45"), ("PE-A", "CD45")],
    ],
)
def test_two_channels_are_never_chosen_between(pairs: Pairs) -> None:
    marker = "CD146" if "M" in pairs[0][1] else "CD45"
    assert f"{marker} is on 2 channels" in refused(pairs, [marker])


def test_own_name_goes_before_synonym() -> None:
    assert one([("A-A", "DAPI"), ("B-A", "Viability")], "Viability") == ("B-A", "$PnS")


def test_a_detector_is_asked_only_where_the_label_says_nothing_else() -> None:
    assert one([("CD45", "column CD45 from dataset")], "CD45") == ("CD45", "$PnN")
    assert one([("CD45_Sm154", "CD45_Sm154")], "CD45") == ("CD45_Sm154", "$PnN")
    assert one([("MCAM-A", "")], "CD146") == ("MCAM-A", "alias")
    assert "no channel carries CD45" in refused([("CD45-A", "CD3")], ["CD45"])
    assert "no channel carries Viability" in refused([("7-AAD-A", "CD69")], ["Viability"])
    assert "no channel carries Viability" in refused([("7-AAD-A", "")], ["Viability"])


def test_a_template_may_speak_of_detectors() -> None:
    assert one([("FL1-A", "CD3 FITC")], "FL1-A") == ("FL1-A", "$PnN")
    assert "FL1-A and CD3 are both bound to FL1-A" in refused([("FL1-A", "CD3 FITC")], ["FL1-A", "CD3"])


JOINED = {"CD235a": ["CD235a+CD71"]}


@pytest.mark.parametrize(
    "label", ["CD235a+CD71", "CD71/CD235a", "GPA/CD71 PE-Cy7", "CD235a CD71 FITC-A", "TFRC & GYPA"]
)
def test_a_joined_colour_binds_where_the_template_names_it(label: str) -> None:
    panel = bind(channels([("FITC-A", label)]), ["CD235a"], ["CD71"], aliases=JOINED)
    assert [(item.axis, item.pnn) for item in panel.bindings] == [("CD235a", "FITC-A")]
    assert panel.absent == ("CD71",)


def test_a_joined_colour_binds_both_where_the_template_names_both() -> None:
    both = {"CD235a": ["CD235a+CD71"], "CD71": ["CD71/CD235a"]}
    panel = bind(channels([("FITC-A", "CD235a+CD71")]), ["CD235a", "CD71"], aliases=both)
    assert [item.pnn for item in panel.bindings] == ["FITC-A", "FITC-A"]


def test_a_joined_name_is_no_name_of_its_parts() -> None:
    assert one([("A-A", "CD235a"), ("B-A", "CD71")], "CD235a", aliases=JOINED) == ("A-A", "$PnS")
    assert "no channel carries CD235a" in refused([("A-A", "CD235a+CD45")], ["CD235a"], aliases=JOINED)
    assert "is on 2 channels" in refused([("A-A", "CD235a+CD71"), ("B-A", "GPA/CD71")], ["CD235a"], aliases=JOINED)


def test_aliases_of_the_template() -> None:
    assert one([("A-A", "ME20.4 clone"), ("B-A", "CD3")], "CD271", aliases={"CD271": ["ME20.4 clone"]})[1] == "alias"
    # A lab that stains nuclei with DAPI says so, and its word goes before the table's.
    pairs = [("A-A", "DAPI"), ("B-A", "Zombie NIR")]
    panel = bind(channels(pairs), ["Viability", "DNA"], aliases={"DNA": ["DAPI"]})
    assert {item.axis: item.pnn for item in panel.bindings} == {"DNA": "A-A", "Viability": "B-A"}


def test_overrides_go_first() -> None:
    pairs = [*SCATTER, ("PE-A", "CD146"), ("APC-A", "CD271")]
    assert one(pairs, "CD146", overrides={"CD146": "APC-A"}) == ("APC-A", "override")
    assert one(pairs, "CD146", overrides={"CD146": "apc-a"}) == ("APC-A", "override")
    rows = [PanelRow(2, "PE-A", "CD146")]
    assert one(pairs, "CD146", overrides={"CD146": "APC-A"}, panel_rows=rows) == ("APC-A", "override")
    bare = [("P1", ""), ("P2", ""), ("PE-A", "CD45")]
    panel = bind(channels(bare), ["CD45"], scatter_used=["FSC-A"], overrides={"FSC-A": "P1", "Time": "P2"})
    assert _bound(panel) == {"CD45": "PE-A", "FSC-A": "P1", "Time": "P2"}


def test_overrides_must_be_right() -> None:
    pairs = [*SCATTER, ("PE-A", "CD146"), ("APC-A", "CD271")]
    said = refused(pairs, ["CD146"], overrides={"CD164": "PE-A"})
    assert "'CD164' was given a channel and is no axis of the template (did you mean 'CD146'?" in said
    said = refused(pairs, ["CD146"], overrides={"CD146": "PE-B"})
    assert "which the tube does not have (did you mean 'PE-A'?)" in said
    assert "CD146 and CD271 are both bound" in refused(pairs, ["CD146", "CD271"], overrides={"CD146": "APC-A"})
    assert "FSC-A and FSC-H are both bound" in refused(pairs, ["CD146"], overrides={"FSC-A": "FSC-H"})
    twice = [("Pe-A", ""), ("pe-A", ""), ("APC-A", "CD146")]
    assert "the $PnN of 2 channels" in refused(twice, ["CD146"], overrides={"CD146": "PE-A"})
    assert one(twice, "CD146", overrides={"CD146": "pe-A"}) == ("pe-A", "override")


def test_a_marker_by_hand_on_a_channel_that_the_panel_file_gives_to_another() -> None:
    pairs = [("FITC-A", ""), ("APC-A", "")]
    rows = [PanelRow(2, "FITC-A", "CD45"), PanelRow(3, "APC-A", "CD271")]
    said = refused(pairs, ["CD45", "CD271"], overrides={"CD45": "APC-A"}, panel_rows=rows)
    assert "CD45 and CD271 are both bound to APC-A" in said
    swapped = bind(channels(pairs), ["CD45", "CD271"], overrides={"CD45": "APC-A", "CD271": "FITC-A"}, panel_rows=rows)
    assert _bound(swapped) == {"CD45": "APC-A", "CD271": "FITC-A"}


def test_two_markers_put_on_one_colour_by_hand() -> None:
    pairs = [("PE-A", "dump")]
    panel = bind(channels(pairs), ["CD235a", "CD71"], overrides={"CD235a": "PE-A", "CD71": "PE-A"})
    assert [item.channel for item in panel.bindings] == [0, 0]


def test_the_panel_file_goes_before_the_files_own_names() -> None:
    pairs = [*SCATTER, ("PE-A", "CD146"), ("APC-A", "CD271")]
    rows = [PanelRow(2, "pe-a", "CD271 PE"), PanelRow(3, "APC-A", "MCAM")]
    panel = bind(channels(pairs), ["CD146", "CD271"], panel_rows=rows)
    assert {item.axis: (item.pnn, item.how) for item in panel.bindings[:2]} == {
        "CD146": ("APC-A", "panel file"),
        "CD271": ("PE-A", "panel file"),
    }
    emptied = [PanelRow(2, "PE-A", "")]
    assert "no channel carries CD146" in refused(pairs, ["CD146"], panel_rows=emptied)
    assert one([*pairs], "CD271", panel_rows=emptied) == ("APC-A", "$PnS")
    doubled = [PanelRow(2, "PE-A", "CD271"), PanelRow(3, "APC-A", "CD271")]
    assert "CD271 is on 2 channels" in refused(pairs, ["CD271"], panel_rows=doubled)


def test_absent_optional_markers_are_listed_and_ambiguous_ones_refused() -> None:
    pairs = [("A-A", "CD45"), ("B-A", "CD105"), ("C-A", "CD105 PE")]
    assert bind(channels(pairs[:1]), ["CD45"], ["CD105"]).absent == ("CD105",)
    assert "CD105 is on 2 channels" in refused(pairs, ["CD45"], optional=["CD105"])


SPELLINGS = {
    "FSC-A": [
        "FSC-A",
        "FS-A",
        "FS Lin",
        "FSC-Area",
        "FSC-A ",
        "fsc_a",
        "FSC.A",
        "FSCA",
        "FS INT",
        "FS INT LIN",
        "FSC LinA",
        "FSC",
    ],
    "FSC-H": ["FSC-H", "FS-H", "FS Peak Lin", "FSC-Height", "FSC.H", "FS PEAK", "FSC LinH"],
    "FSC-W": ["FSC-W", "FSC-Width", "FSCW", "FS TOF"],
    "SSC-A": ["SSC-A", "SS-A", "SS Lin", "SSC-Area", "SS INT", "BSC-A", "SSC"],
    "SSC-H": ["SSC-H", "SSC-Height", "SS PEAK"],
    "SSC-W": ["SSC-W", "SS-TOF"],
    "Time": ["Time", "TIME", "HDR-T", "time"],
}


@pytest.mark.parametrize(("axis", "spelling"), [(axis, name) for axis, names in SPELLINGS.items() for name in names])
def test_vendors_spellings_of_scatter_and_time(axis: str, spelling: str) -> None:
    plain = [Channel(0, "FL1-A", "", 32, 1024.0), Channel(1, spelling, "", 32, 1024.0)]
    assert [channel.index for channel in candidates(axis, plain)] == [1]


def test_scatter_by_label_where_no_detector_says_it() -> None:
    assert [c.pnn for c in candidates("FSC-H", channels([("P1", "FSC-Height"), ("P2", "SSC-Height")]))] == ["P1"]


@pytest.mark.parametrize("pnn", ["FSC LogA", "FL1-A", "SSC-B-A", "FSC-X", "VSSC-A"])
def test_other_channels_are_no_scatter(pnn: str) -> None:
    assert not any(candidates(axis, channels([(pnn, "")])) for axis in SPELLINGS)


def test_the_area_is_not_taken_from_a_bare_name_beside_it() -> None:
    pairs = [("TIME", ""), ("FSC", ""), ("FSCW", ""), ("FSCA", "")]
    assert [c.pnn for c in candidates("FSC-A", channels(pairs))] == ["FSCA"]
    assert candidates("FSC-H", channels(pairs)) == []


def test_scatter_is_needed_only_where_a_gate_looks_at_it() -> None:
    panel = bind(channels([("PE-A", "CD45")]), ["CD45"])
    assert panel.axes == ("CD45",)
    assert "no channel is SSC-A" in refused([("PE-A", "CD45")], ["CD45"], scatter_used=["SSC-A"])
    twice = [("FSC-A", ""), ("fsc-a", ""), ("PE-A", "CD45")]
    assert "FSC-A is on 2 channels" in refused(twice, ["CD45"], scatter_used=["FSC-A"])
    assert bind(channels(twice), ["CD45"]).axes == ("CD45",)


@pytest.mark.parametrize(
    ("pnn", "bare", "compensated"),
    [
        ("Comp-PE-A", ("pe", "a"), True),
        ("<PE-A>", ("pe", "a"), True),
        ("comp_APC-H", ("apc", "h"), True),
        ("APC-H (Comp)", ("apc", "h"), True),
        ("PE-A", ("pe", "a"), False),
        ("Compact-A", ("compact", "a"), False),
        ("FL2-W", ("fl2", "w"), False),
        ("CD45", ("cd45", ""), False),
    ],
)
def test_detectors_and_pulses(pnn: str, bare: tuple[str, str], compensated: bool) -> None:
    assert split_pulse(pnn) == bare
    assert is_compensated_name(pnn) == compensated


def test_compensated_names_are_bound() -> None:
    assert one([("Comp-PE-A", "CD146")], "CD146")[0] == "Comp-PE-A"
    assert one([("<CD146-A>", "")], "CD146") == ("<CD146-A>", "$PnN")


def _bound(panel: Panel) -> Mapping[str, str]:
    return {item.axis: item.pnn for item in panel.bindings}


NAMES = st.text(st.sampled_from("CD4531A+/ -_:;.(PE)RAαcomp<>"), max_size=16)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), max_size=6))
def test_any_names_bind_or_are_refused_and_order_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    answers = []
    for ordered in (pairs, pairs[::-1]):
        try:
            panel = bind(channels(ordered), ["CD45", "CD31"], ["CD34"])
            answers.append(sorted(_bound(panel).items()))
        except StromagateError as error:
            answers.append([("refused", error.code)])
    assert answers[0] == answers[1]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.from_regex(r"[A-Za-z]{1,3}", fullmatch=True), st.sampled_from(["", " ", "-", "_"]))
def test_a_suffix_that_is_no_fluorochrome_never_passes_for_the_marker(suffix: str, between: str) -> None:
    names = names_of(["CD45"], {})
    label = read_label(f"CD45{between}{suffix}", names)
    if label.names_only("CD45"):
        assert names.words.beside.fullmatch(suffix.casefold())


# The panel file


def panel_file(folder: Path, text: str | bytes) -> Path:
    path = folder / "panel.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_panel_file(tmp_path: Path, sign: str) -> None:
    text = "\ufeffChannel,Marker,Dye\r\nFSC-A,NA,\r\n\r\nPE-A,CD146,PE\r\n".replace(",", sign)
    rows = read_panel_file(panel_file(tmp_path, text))
    assert rows == (PanelRow(2, "FSC-A", ""), PanelRow(4, "PE-A", "CD146"))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("chanel,marker\nPE-A,CD146\n", 1, "no column `channel`"),
        ("channel,marker,marker\nPE-A,CD146,x\n", 1, "more than one column"),
        ("", 1, "no column `channel`"),
        ("channel,marker\n", 1, "no channel is named"),
        ("channel,marker\nPE-A,CD146\n,CD45\n", 3, "no channel is named"),
        ("channel,marker\nPE-A,CD146\npe-a,CD45\n", 3, "stands already on line 2"),
    ],
)
def test_mistakes_in_a_panel_file(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_panel_file(panel_file(tmp_path, text))
    assert [p for p in caught.value.problems if p.line == line and message in p.message]


@pytest.mark.parametrize("data", [b"\xff\xfe", b'channel,marker\n"PE-A,CD146\n', b"a" * 1_000_002])
def test_what_is_no_panel_file(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError):
        read_panel_file(panel_file(tmp_path, data))
    with pytest.raises(InputError):
        read_panel_file(tmp_path / "none.csv")


TEMPLATE = GatingTemplate.model_validate(
    {
        "format": "stromagate.template/1",
        "name": "x",
        "version": "1.0.0",
        "status": "local",
        "title": "x",
        "panel": {"required": ["CD146", "CD45"], "optional": ["CD271", "SSC-H"]},
        "populations": [
            {"name": "a", "parent": "all", "gate": {"method": "time", "axis": "Time"}},
            {"name": "b", "parent": "a", "gate": {"method": "singlet", "axes": ["FSC-A", "SSC-A"]}},
            {"name": "c", "parent": "b", "gate": {"method": "tail", "axis": "SSC-H"}, "requires": ["SSC-H"]},
        ],
    }
)


def test_a_template_is_bound_with_the_scatter_its_gates_use() -> None:
    pnn, stains = ("FSC-A", "SSC-A", "PE-A", "APC-A"), ("", "", "CD146", "CD45")
    panel = bind_template(tube(np.zeros((1, 4)), pnn=pnn, stains=stains), TEMPLATE)
    assert panel.axes == ("CD146", "CD45", "FSC-A", "SSC-A")
    assert panel.absent == ("CD271", "SSC-H")
    with pytest.raises(SpecificationError) as caught:
        bind_template(tube(), TEMPLATE)
    assert "no channel is SSC-A" in caught.value.message
    assert caught.value.where == "tube.fcs"


def test_the_configuration_reaches_the_binding(tmp_path: Path) -> None:
    pnn, stains = ("FSC-A", "SSC-A", "PE-A", "APC-A"), ("", "", "", "CD45 APC")
    sample = tube(np.zeros((1, 4)), pnn=pnn, stains=stains)
    for config in (
        RunConfig(markers={"CD146": "PE-A"}),
        RunConfig(panel_file=str(panel_file(tmp_path, "channel,marker\nPE-A,CD146\n"))),
    ):
        assert bind_template(sample, TEMPLATE, config).channel("CD146") == 2


def test_a_channel_that_the_tube_lacks_is_named_with_its_line(tmp_path: Path) -> None:
    config = RunConfig(panel_file=str(panel_file(tmp_path, "channel,marker\nFSC-A,\nPE-B,CD146\n")))
    with pytest.raises(DocumentError) as caught:
        bind_template(tube(), TEMPLATE, config)
    (problem,) = caught.value.problems
    assert (problem.line, problem.hint) == (3, "did you mean 'PE-A'?")


# Names in real files

REAL = [
    ("real/LCSB-BioCore+GigaSOM.jl/test/test-compensation.fcs", "Viability", "APC-Cy7-A"),
    ("real/LCSB-BioCore+GigaSOM.jl/test/test-compensation.fcs", "CD45", "BV605-A"),
    ("real/LCSB-BioCore+GigaSOM.jl/test/test-compensation.fcs", "CD8", "Alexa Fluor 700-A"),
    ("real/LCSB-BioCore+GigaSOM.jl/test/test-compensation.fcs", "TCRd", "PE-Cy7-A"),
    ("real/ImmuneDynamics+Spectre/other/FCS files/CNS_Mock_01.fcs", "CD45", "CD45"),
    ("real/whitews+FlowKit/data/index_sorted/index_sorted_example.fcs", "CD138", "YG 586/15-A"),
    ("real/whitews+FlowKit/data/index_sorted/index_sorted_example.fcs", "Viability", "BL 695/40-A"),
    ("real/whitews+FlowKit/data/gate_ref/data1.fcs", "CD4", "FL1-H"),
    ("real/whitews+FlowKit/data/gate_ref/data1.fcs", "CD8", "FL4-H"),
    ("real/whitews+FlowKit/data/100715.fcs", "CD4", "V655-A"),
    ("real/whitews+FlowKit/data/100715.fcs", "CD45RO", "R660-A"),
    ("real/whitews+FlowKit/data/100715.fcs", "CD45", None),
    ("real/whitews+FlowKit/data/100715.fcs", "CD14", None),
    ("real/whitews+FlowKit/data/100715.fcs", "Viability", None),
    ("real/whitews+FlowKit/data/test_comp_example.fcs", "CD4", "PacBlu-A"),
    (
        "real/eyurtsev+fcsparser/fcsparser/tests/data/FlowCytometers/FACS_Diva/facs_diva_test.fcs",
        "DNA",
        "PacificBlue-A",
    ),
    (
        "real/keyes-timothy+tidytof/inst/extdata/statistical_scaffold/TIN_TU1_B6Antibodies_Day8.fcs",
        "CD45",
        "CD45_In115",
    ),
    ("real/keyes-timothy+tidytof/inst/extdata/scaffold/Blood_Balb.fcs", "CD45", None),
    ("cytoexplorer/Activation_2.fcs", "Viability", None),
    ("cytoexplorer/Activation_2.fcs", "CD69", None),
    ("cytoexplorer/Activation_2.fcs", "PE-A", "PE-A"),
]


@needs_reference_data
@pytest.mark.parametrize(("path", "marker", "pnn"), REAL, ids=[f"{path[-24:]} {m}" for path, m, _ in REAL])
def test_markers_in_real_files(path: str, marker: str, pnn: str | None) -> None:
    found = read_fcs(DATA / path).channels
    if pnn is None:
        with pytest.raises(SpecificationError, match=f"no channel carries {marker}"):
            bind(found, [marker])
    else:
        assert _bound(bind(found, [marker]))[marker] == pnn


REAL_SCATTER = [
    ("real/MorganConrad+fcs/test/testdata/iCyt.fcs", {"FSC-A": "FS-Lin", "FSC-H": "FS-Peak-Lin", "Time": "TIME"}),
    ("real/whitews+FlowIO/data/fcs_files/variable_int_example.fcs", {"FSC-A": "FSC LinA", "SSC-H": "SSC LinH"}),
    ("real/burtonrj+CytoPy/tests/assets/gvhd_fcs/001.fcs", {"FSC-H": "FSC.H", "SSC-H": "SSC.H"}),
    ("real/taborlab+FlowCal/examples/FCFiles/sample001.fcs", {"FSC-A": "FSCA", "FSC-W": "FSCW", "SSC-A": "SSC"}),
    ("real/eyurtsev+FlowCytometryTools/FlowCytometryTools/tests/data/Plate02/Mixed_Well_H1.001.fcs", {"Time": "HDR-T"}),
    ("real/tlnagy+FCSFiles.jl/test/testdata/Attune.fcs", {"FSC-A": "FSC-A", "SSC-W": "SSC-W", "Time": "Time"}),
]


@needs_reference_data
@pytest.mark.parametrize(("path", "found"), REAL_SCATTER, ids=[path[-24:] for path, _ in REAL_SCATTER])
def test_scatter_and_time_in_real_files(path: str, found: dict[str, str]) -> None:
    bound = _bound(bind(read_fcs(DATA / path).channels, [], scatter_used=[axis for axis in found if axis != "Time"]))
    assert {axis: bound[axis] for axis in found} == found


@needs_reference_data
def test_a_real_panel_file() -> None:
    """The detector 7-AAD-A of these tubes carries CD69, which only the panel file knows."""
    rows = read_panel_file(DATA / "cytoexplorer" / "Activation-Experiment-Markers.csv")
    found = read_fcs(DATA / "cytoexplorer" / "Activation_2.fcs").channels
    panel = bind(found, ["CD69", "CD4"], ["Viability"], panel_rows=rows)
    assert {axis: pnn for axis, pnn in _bound(panel).items() if axis.startswith("CD")} == {
        "CD69": "7-AAD-A",
        "CD4": "Alexa Fluor 700-A",
    }
    assert panel.absent == ("Viability",)
