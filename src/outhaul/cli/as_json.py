"""The option of commands that answer programs as well as people."""

import json
from typing import Annotated, Any

import typer

AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output, and no bars.")
]


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))
