"""Documents say what the program does: every setting, option and table is described."""

import re
from pathlib import Path

from outhaul.domain.errors import FailureCause
from outhaul.domain.export import Version
from outhaul.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"


def test_every_setting_is_described_with_its_default() -> None:
    """docs/operating.md and the settings have the same variables and defaults."""
    table = dict(
        re.findall(
            r"^\| `OUTHAUL_(\w+)` \| (.*?) \|", (DOCS / "operating.md").read_text(), re.MULTILINE
        )
    )
    assert set(table) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default is not None and field.default_factory is None:
            assert table[name.upper()] == f"`{field.default}`"
        assert field.description, name


def test_every_cause_of_failure_is_described() -> None:
    """An operator finds each cause in docs/operating.md."""
    text = (DOCS / "operating.md").read_text()
    assert [cause for cause in FailureCause if f"`{cause}`" not in text] == []


def test_the_newest_version_is_named() -> None:
    """README and API description end with the newest version of files."""
    newest = list(Version)[-1]
    assert f"`{newest}`" in README.read_text()
    assert f"`{newest}`" in (DOCS / "api.md").read_text()


def test_links_between_documents_lead_somewhere() -> None:
    """No relative link points at a file that is not there."""
    for document in [README, *README.parent.glob("*.md"), *DOCS.rglob("*.md")]:
        for link in re.findall(r"\]\((?!http)([^)#]+)", document.read_text()):
            assert (document.parent / link).exists(), (document.name, link)
