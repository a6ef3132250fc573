"""A choice of several things and of their order, as forms show it."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that can be chosen."""

    id: str
    label: str
    hint: str = ""
    """More about it, below the label."""


@dataclass(frozen=True, kw_only=True)
class Chooser:
    """The field `name` stands in the form once for each chosen id, in their order."""

    name: str
    title: str
    noun: str
    """What one of the options is called."""
    options: tuple[Option, ...]
    asked: tuple[str, ...]
    """Ids that were chosen before, of these options or of others."""
    hint: str
    most: int | None = None
    """How many can be chosen; None: all."""

    @property
    def takes_all(self) -> bool:
        return self.most is None or len(self.options) <= self.most

    @property
    def chosen(self) -> tuple[str, ...]:
        """Those that were asked for and that there are, each once."""
        known = {option.id for option in self.options}
        return tuple(dict.fromkeys(id_ for id_ in self.asked if id_ in known))

    @property
    def chosen_json(self) -> str:
        return json.dumps(self.chosen)
