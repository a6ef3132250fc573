"""The file that maps a warehouse: what it may say, and what is said of mistakes in it."""

from pathlib import Path
from typing import Any

import pytest

from outhaul.domain.export import FieldType
from outhaul.warehouse.connect import WarehouseUrlRefused, connect
from outhaul.warehouse.mapping import MappingRefused, read_mapping

GOOD = """
account = "6a037e9d4be1d07c8a000001"
folder = "s3a://bucket/outhaul"

[contacts]
table = "shop.contacts"
commit_column = "version"
[contacts.columns]
id = "contact_id"
_createdAt = "created_at"
[[contacts.custom]]
id = "shoeSize"
name = "Shoe size"
type = "decimal"
column = "shoe_size"

[activities]
path = "s3a://lake/activities"
format = "delta"
columns = { id = "i", type = "t", createdAt = "c", contactId = "p", url = "u" }
"""


def read(folder: Path, text: str) -> Any:
    path = folder / "warehouse.toml"
    path.write_text(text)
    return read_mapping(path)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """Tables that are left out are none; custom fields are numbered in the order of the file."""
    mapping = read(tmp_path, GOOD)
    assert [name for name, _ in mapping.tables] == ["contacts", "activities"]
    assert mapping.holds("6a037e9d4be1d07c8a000001")
    assert not mapping.holds("6a037e9d4be1d07c8a000002")
    [field] = mapping.custom_fields
    assert (field.id, field.type, field.ordinal) == ("shoeSize", FieldType.DECIMAL, 1)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('account = "6a037e9d4be1d07c8a000001"', 'account = "x"', "account: must be the id"),
        ('account = "6a037e9d4be1d07c8a000001"', "", "each table has an account_column"),
        ('folder = "s3a://bucket/outhaul"', "", "folder: Field required"),
        ('id = "contact_id"', "", "contacts.columns: id is missing"),
        ('id = "contact_id"', 'id = "i"\n_size = "s"', "there is no field _size"),
        ('id = "contact_id"', 'id = ""', "contacts.columns.id: String should have at least 1"),
        ("url =", "uri =", "activities.columns: there is no field uri"),
        ('path = "s3a://lake/activities"', "", "activities: give either a table or a path"),
        ('format = "delta"', 'format = "csv"', "activities.format: Input should be"),
        ('type = "decimal"', 'type = "number"', "contacts.custom.0.type: Input should be"),
        ('id = "shoeSize"', 'id = "_email"', "contacts.custom.0.id: String should match"),
        ('id = "shoeSize"', 'id = "Id"', "contacts.custom: the id Id is taken"),
        ("[contacts]", "[contacts", "warehouse.toml"),
        ("[activities]", "[activity]", "activities: Field required"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """The place in the file, and what would be right."""
    assert old in GOOD
    with pytest.raises(MappingRefused) as refused:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert str(refused.value).startswith(f"{tmp_path}/warehouse.toml: ")
    assert reason in str(refused.value)


def test_a_url_of_no_engine_is_refused_without_its_secret() -> None:
    """Only the right beginning is told; URLs of warehouses hold tokens."""
    with pytest.raises(WarehouseUrlRefused) as refused:
        connect("spark://host/;token=secret")
    assert "sc://" in str(refused.value)
    assert "secret" not in str(refused.value)
