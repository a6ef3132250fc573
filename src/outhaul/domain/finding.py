"""What somebody who looks at a deployment has to say of one part of it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at; `advice` says what to do and is empty where all is well."""

    part: str
    state: State
    text: str
    advice: str = ""
