"""The judge of the mutation campaign must see what it is there for: each kind of fault is planted once and caught."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stromagate.errors import InputError
from stromagate.fcs import read_fcs, read_raw
from stromagate.model.sample import RawEvents, Repair, Sample
from tests.fcs import campaign
from tests.fcs.make_fcs import make
from tests.fcs.seeds import Seed, synthetic
from tests.fcs.specimens import floats, integers
from tests.fcs.strict_decoder import take_apart

SEED = synthetic()[0]
NOTE = Repair("end.plus1", "a", "b", "c")


@pytest.fixture(autouse=True)
def _alarm() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, campaign._ring)
    yield
    signal.signal(signal.SIGALRM, before)


def _plant(
    monkeypatch: pytest.MonkeyPatch,
    raw: Callable[[RawEvents], RawEvents] = lambda raw: raw,
    sample: Callable[[Sample], Sample] = lambda sample: sample,
) -> None:
    monkeypatch.setattr(campaign, "read_raw", lambda path, policy: raw(read_raw(path, policy=policy)))
    monkeypatch.setattr(campaign, "read_fcs", lambda path, policy: sample(read_fcs(path, policy=policy)))


def _verdict(tmp_path: Path, data: bytes = SEED.whole, seed: Seed = SEED) -> str:
    return campaign._judge(tmp_path / "file.fcs", data, seed, "repair")[0]


def _one_value_off(raw: RawEvents) -> RawEvents:
    first = raw.columns[0].copy()
    first[3] += np.ones(1, dtype=first.dtype)[0]
    return replace(raw, columns=(first, *raw.columns[1:]))


def test_a_right_reading_is_unhurt(tmp_path: Path) -> None:
    assert _verdict(tmp_path) == "unhurt"


def test_one_wrong_value_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, raw=_one_value_off)
    assert _verdict(tmp_path) == "silently wrong"


def test_one_wrong_value_with_a_remark_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, raw=_one_value_off, sample=lambda sample: replace(sample, repairs=(NOTE,)))
    assert _verdict(tmp_path) == "warned wrong"


def test_exchanged_names_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped_names(raw: RawEvents) -> RawEvents:
        return replace(raw, names=raw.names[::-1])

    def swapped_channels(sample: Sample) -> Sample:
        pnn = sample.pnn[::-1]
        channels = tuple(replace(channel, pnn=name) for channel, name in zip(sample.channels, pnn, strict=True))
        return replace(sample, channels=channels)

    _plant(monkeypatch, raw=swapped_names, sample=swapped_channels)
    assert _verdict(tmp_path) == "silently wrong"


@pytest.mark.parametrize(
    "fault",
    [
        lambda sample: replace(sample, events=sample.events * np.float32(1.00001)),
        lambda sample: replace(sample, keywords={**sample.keywords, "$CYT": "other"}),
        lambda sample: replace(sample, channels=(replace(sample.channels[0], pns="CD34"), *sample.channels[1:])),
    ],
    ids=["scale", "keyword", "label"],
)
def test_wrong_scales_keywords_and_labels_are_seen(
    fault: Callable[[Sample], Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, sample=fault)
    assert _verdict(tmp_path) == "silently wrong"


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("$PAR"), MemoryError(), RecursionError(), OSError(22, "x")]
)
def test_foreign_exceptions_are_seen(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_raw: Any) -> Any:
        raise error

    _plant(monkeypatch, raw=fail)
    assert _verdict(tmp_path) == "foreign"


def test_a_hang_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(raw: RawEvents) -> RawEvents:
        time.sleep(60)
        return raw

    monkeypatch.setattr(campaign, "HANG_S", 0.2)
    _plant(monkeypatch, raw=wait)
    assert _verdict(tmp_path) == "hang"


def test_another_legal_file_is_its_own_truth(tmp_path: Path) -> None:
    assert _verdict(tmp_path, make(integers(byteord="1,2,3,4")).data) == "unhurt"
    whole = make(floats()).data
    assert _verdict(tmp_path, SEED.whole, Seed("floats", whole, take_apart(whole))) == "strict reading"


def test_a_legal_file_that_is_refused_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_raw: RawEvents) -> RawEvents:
        raise InputError("fcs.text", "no")

    _plant(monkeypatch, raw=refuse)
    assert _verdict(tmp_path) == "refused though legal"
    assert _verdict(tmp_path, SEED.whole[:-1]) == "refused"
