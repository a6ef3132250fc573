"""A choice of several things and of their order, as forms show it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that can be chosen."""

    id: str
    label: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Chooser:
    """The field `name` stands in the form once for each chosen id, in their order."""

    name: str
    title: str
    noun: str
    """What one of the options is called."""
    options: tuple[Option, ...]
    chosen: tuple[str, ...]
    hint: str

    @classmethod
    def of(
        cls,
        name: str,
        title: str,
        noun: str,
        options: Sequence[Option],
        chosen: Sequence[str],
        *,
        hint: str,
    ) -> Self:
        """A choice with those of the `chosen` that there are among the options."""
        known = {option.id for option in options}
        kept = dict.fromkeys(id_ for id_ in chosen if id_ in known)
        return cls(
            name=name,
            title=title,
            noun=noun,
            options=tuple(options),
            chosen=tuple(kept),
            hint=hint,
        )

    @property
    def chosen_json(self) -> str:
        return json.dumps(self.chosen)
