"""Which threads go first when there is more to do than there are cores."""

import os
import sys
import threading

_BEHIND = 3
"""Steps of niceness: enough for callers to be served within moments, and so few that rendering
keeps about half the share of any other program on the machine."""


def stand_back() -> None:
    """From now on this thread, and whatever threads it starts, let the others go first.

    Rendering fills every core for as long as an export takes; whoever asks how far it is should
    not have to wait in that queue. Only Linux knows priorities of threads; elsewhere nothing
    changes.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BEHIND)
