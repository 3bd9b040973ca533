"""One long piece of work at a time, beside the pages that ask how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from stromagate.errors import StromagateError, UsageError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: in words, and what went wrong where something did."""

    running: bool = False
    told: str = ""
    error: dict[str, str | None] | None = None


class Jobs:
    """At most one piece of work; what it says is there to be asked for, also after it ended."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        """How far the present or the last piece of work is."""
        with self._guard:
            return self._progress

    def start(self, work: Callable[[Callable[[str], None]], str]) -> None:
        """Begin a piece of work in a thread of its own.

        Parameters
        ----------
        work : callable
            Given what it tells its progress to; returns what is said at its end.

        Raises
        ------
        UsageError
            Another one is running.
        """
        with self._guard:
            if self._progress.running:
                raise UsageError("review.busy", "the run is being made again already", hint="wait until it has ended")
            self._progress = Progress(running=True, told="starting")
        threading.Thread(target=self._do, args=(work,), daemon=True).start()

    def _do(self, work: Callable[[Callable[[str], None]], str]) -> None:
        try:
            ended = Progress(told=work(self._tell))
        except StromagateError as error:
            said = f"{error.message}. {error.hint}" if error.hint else error.message
            ended = Progress(told=f"failed: {said}", error=error.as_json())
        except Exception as error:  # noqa: BLE001  (a fault of ours must reach the page, not vanish with its thread)
            message = f"{type(error).__name__}: {error}"
            ended = Progress(told=f"failed: {message}", error={"code": "internal", "message": message})
        with self._guard:
            self._progress = ended

    def _tell(self, text: str) -> None:
        with self._guard:
            self._progress = replace(self._progress, told=text)
