"""Pictures of pages for the documentation, small and the same every time."""

import os
import subprocess
from pathlib import Path

from playwright.sync_api import Page

FOLDER = Path(__file__).parents[2] / "docs" / "images"
WANTED = os.environ.get("OUTHAUL_PICTURES") == "1"


def take_picture(page: Page, name: str) -> None:
    """Keep the page as it is seen, when `make pictures` asks for it."""
    if not WANTED:
        return
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"console-{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    quality = ("--quality", "60-95", "--strip", "--force", "--skip-if-larger")
    # 98 and 99: a smaller picture would be larger, or worse than asked for; then it stays.
    done = subprocess.run(["pngquant", *quality, "--output", path, "--", path])
    assert done.returncode in {0, 98, 99}
