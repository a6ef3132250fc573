"""The `outhaul` command in a process that dies whenever it renders a slice with semicolons, and
that gives other slices the time to be in hand then."""

import os
import signal
import threading
from typing import Any

from outhaul.cli.app import main
from outhaul.domain.export import Delimiter, Export, SliceFacts
from outhaul.pipeline.pipeline import Pipeline

_WAIT_S = 0.7
_render = Pipeline.render
_innocent, _poison = threading.Event(), threading.Event()


def _meet(self: Pipeline, export: Export, *given: Any, **named: Any) -> SliceFacts:
    if export.request.delimiter is Delimiter.SEMICOLON:
        _innocent.wait(_WAIT_S)
        os.kill(os.getpid(), signal.SIGKILL)
    _innocent.set()
    _poison.wait(_WAIT_S)
    return _render(self, export, *given, **named)


Pipeline.render = _meet  # type: ignore[method-assign]  # that is the point of this program
main()
