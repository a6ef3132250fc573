"""The pages of data, as the server makes them: imports, lookups, segments and fields."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from outhaul.domain.account import Scope
from tests.console_site import Site, Visitor, site, words

HOSTILE = "<img src=x onerror=alert(1)>"
CSV = (
    b"_email,_name,tier\nana@x.example,Ana,gold\nnot an email,Bob,none\nzoe@x.example,Zo\xc3\xa9,\n"
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("console") / "data", rate_limit=100_000) as opened:
        lines: list[dict[str, Any]] = [
            {"type": "search", "createdAt": "2026-10-01T10:00:00Z", "searchText": f'"{HOSTILE}"'},
            {"type": "purchase", "createdAt": "2026-10-02T10:00:00Z", "totalPrice": 12.5},
        ]
        body = "\n".join(json.dumps(line | {"email": "bob@x.example"}) for line in lines)
        headers = {"content-type": "application/x-ndjson", "idempotency-key": "one"}
        opened.api.done("POST", "/activities/", 200, content=body, headers=headers)
        opened.api.done("PATCH", "/contacts/bob@x.example", 200, json={"_name": HOSTILE})
        yield opened


@pytest.fixture
def visitor(here: Site) -> Visitor:
    return here.visitor()


def upload(visitor: Visitor, content: bytes, token: str | None = None, **query: str) -> Any:
    headers = {"x-token": visitor.token() if token is None else token}
    asked = {"kind": "contacts", "name": "c.csv", "fields": "on"} | query
    return visitor.post("/imports/file", params=asked, content=content, headers=headers)


def ended(here: Site, answer: httpx.Response) -> tuple[str, str]:
    """The import's id, and its page once it has ended."""
    assert answer.status_code == 201, words(answer.text)
    import_id = answer.json()["page"].rpartition("/")[2]
    here.api.until(f"/imports/{import_id}", "finished", "error")
    return import_id, here.visitor().page(f"/imports/{import_id}")


def test_a_dropped_file_is_taken_and_refused_rows_are_told(here: Site, visitor: Visitor) -> None:
    """Unknown columns become fields; each refused row has its line and reason."""
    import_id, page = ended(here, upload(visitor, CSV))
    text = words(page)
    assert "Rows taken 2" in text
    assert "Rows refused 1" in text
    assert "3 _email must be an email address" in text
    report = visitor.get(f"/imports/{import_id}/refused")
    assert json.loads(report.text)["line"] == 3
    assert "refused-rows.jsonl" in report.headers["content-disposition"]
    assert "gold" in words(visitor.page(f"/contacts/{an_id(visitor, 'ana@x.example')}"))
    assert visitor.send(f"/imports/{import_id}/delete").headers["location"].endswith("note=deleted")
    assert visitor.get(f"/imports/{import_id}").status_code == 404


def test_files_of_activities_and_segments_are_taken_too(here: Site, visitor: Visitor) -> None:
    """The name tells how a file is written; nothing else of it is used."""
    line = {"type": "login", "createdAt": "2026-10-03T10:00:00Z", "email": "eve@x.example"}
    name = {"name": "../../etc/evil.JSONL"}
    _, page = ended(here, upload(visitor, json.dumps(line).encode(), kind="activities", **name))
    assert "Rows taken 1" in words(page)
    assert "login" in words(visitor.page("/activities"))
    members = f"segmentId,segmentName,email\n{'5e' * 12},Friends,eve@x.example\n".encode()
    _, page = ended(here, upload(visitor, members, kind="segments"))
    assert "Rows taken 1" in words(page)
    assert "Friends" in words(visitor.page("/segments"))


def test_a_file_that_is_none_says_why(here: Site, visitor: Visitor) -> None:
    """Refused as a whole, with what would be right."""
    _, page = ended(here, upload(visitor, b"name\nAna\n"))
    assert "The file needs a column _email or id" in words(page)
    _, page = ended(here, upload(visitor, b"_email,shoe\na@x.example,1\n", fields=""))
    assert "no fields, or cannot be set: shoe" in words(page)
    refused = upload(visitor, CSV, name="contacts.xlsx")
    assert (refused.status_code, ".csv" in refused.text) == (400, True)
    assert upload(visitor, CSV, kind="products").status_code == 404


def test_sending_a_file_needs_token_and_scopes(here: Site, visitor: Visitor) -> None:
    """Another site can send none; a key needs the scope of what the file holds as well."""
    assert upload(visitor, CSV, token="").status_code == 403
    assert upload(visitor, CSV, token=here.visitor().token()).status_code == 403
    reader = here.visitor(here.new_key(Scope.EXPORT_READ, Scope.IMPORT_WRITE))
    refused = upload(reader, CSV)
    assert "lacks the scope contact:write" in words(refused.text)
    assert upload(Visitor(here.url), CSV, token="x").status_code == 303


def test_contacts_are_looked_up_by_email_external_id_and_id(here: Site, visitor: Visitor) -> None:
    """Whatever a contact is called is shown as text; a part of the page comes alone."""
    here.api.done("PATCH", "/contacts/bob@x.example", 200, json={"_externalId": "crm/7"})
    contact_id = an_id(visitor, "bob@x.example")
    for text in ("BOB@", "crm/7", contact_id):
        found = visitor.get("/contacts", params={"text": text}).text
        assert "bob@x.example" in words(found)
        assert HOSTILE in words(found)
        assert "<img src=x" not in found
    assert "No such contact" in words(visitor.page("/contacts?text=nobody"))
    part = visitor.get("/contacts?text=bob", headers={"hx-request": "true"})
    assert part.text.startswith('<div id="contacts">')
    page = visitor.page(f"/contacts/{contact_id}")
    assert f'Search text: "{HOSTILE}"' in words(page)
    assert "<img src=x" not in page
    assert "Total price: 12.5" in words(page)
    assert visitor.get(f"/contacts/{'0' * 24}").status_code == 404


def test_activities_are_shown_by_type(visitor: Visitor) -> None:
    """The newest first; an unknown type is no type."""
    text = words(visitor.page("/activities?type=purchase"))
    assert "Total price: 12.5" in text
    assert "Search text" not in text
    assert words(visitor.page("/activities")).index("Total price") < words(
        visitor.page("/activities?type=nonsense")
    ).index("Search text")


def test_erasing_a_contact_takes_all_of_it(here: Site, visitor: Visitor) -> None:
    """It is not found any more; a key that may only read has no button for it."""
    here.api.done("PATCH", "/contacts/gone@x.example", 201, json={"_name": "Gone"})
    contact_id = an_id(visitor, "gone@x.example")
    reader = here.visitor(here.new_key(Scope.CONTACT_READ, Scope.EXPORT_READ))
    assert "Erase" not in words(reader.page(f"/contacts/{contact_id}"))
    assert reader.send(f"/contacts/{contact_id}/erase").status_code == 403
    answer = visitor.send(f"/contacts/{contact_id}/erase")
    assert answer.headers["location"] == "/console/contacts?note=erased"
    assert visitor.get(f"/contacts/{contact_id}").status_code == 404


def test_fields_are_added_and_ended(here: Site, visitor: Visitor) -> None:
    """What is wrong is said beside the field; the API sees what was made."""
    wrong = [("id", "9lives"), ("name", ""), ("type", "radio"), ("options", "a\na")]
    answer = visitor.send("/fields", wrong)
    assert answer.status_code == 422
    assert "begins with a letter" in words(answer.text)
    assert "1 to 250 characters" in words(answer.text)
    assert "an id of its own" in words(answer.text)
    right = [("id", "level"), ("name", HOSTILE), ("type", "radio"), ("options", "a: First\n\nb")]
    assert visitor.send("/fields", right).status_code == 303
    field = here.api.done("GET", "/contact-fields/level", 200)
    assert field["options"] == [{"id": "a", "label": "First"}, {"id": "b", "label": "b"}]
    page = visitor.page("/fields")
    assert HOSTILE in words(page)
    assert "<img src=x" not in page
    assert "already" in words(visitor.send("/fields", right).text)
    assert visitor.send("/fields/end", [("id", "level")]).status_code == 303
    here.api.done("GET", "/contact-fields/level", 404)
    assert visitor.send("/fields/end", [("id", "_email")]).status_code == 400


def test_a_rule_is_counted_saved_and_changed(here: Site, visitor: Visitor) -> None:
    """Faults name their place in the rule; the size is that of the API."""
    rule = json.dumps({"field": "_email", "is": "equals", "value": "bob@x.example"})
    counted = visitor.send("/segments/count", [("rule", rule)])
    assert "1 contacts now" in words(counted.text)
    broken = json.dumps({"all": [{"field": "_email", "is": "lessThan", "value": 1}]})
    for text, said in ((broken, "/rule/all/0/is: must be one of"), ("{", "one JSON object")):
        assert said in words(visitor.send("/segments/count", [("rule", text)]).text)
        fields = [("name", "Bobs"), ("kind", "dynamic"), ("rule", text)]
        answer = visitor.send("/segments", fields)
        assert answer.status_code == 422
        assert said in words(answer.text)
    made = visitor.send("/segments", [("name", "Bobs"), ("kind", "dynamic"), ("rule", rule)])
    assert made.status_code == 303
    segment = next(
        one for one in here.api.done("GET", "/segments/", 200)["results"] if one["name"] == "Bobs"
    )
    path = f"/segments/{segment['id']}"
    sizes = visitor.page("/segments/sizes")
    assert sizes.partition(f'#size-{segment["id"]}"')[2].partition(">")[2].startswith("1<")
    assert "Who is in it now bob@x.example" in words(visitor.page(path)).replace(
        " Contacts in this segment, oldest first Email Id", ""
    )
    assert visitor.send(path, [("name", "Bobs, all"), ("rule", rule)]).status_code == 303
    assert here.api.done("GET", f"/segments/{segment['id']}", 200)["name"] == "Bobs, all"
    assert visitor.send(f"{path}/end").status_code == 303
    assert visitor.get(path).status_code == 404


def test_members_of_a_static_segment_are_listed_by_hand(here: Site, visitor: Visitor) -> None:
    """Unknown contacts are named, and nothing is changed then."""
    made = here.api.done("POST", "/segments/", 201, json={"name": "By hand"})
    path = f"/segments/{made['id']}"
    unknown = [("members", "bob@x.example\nnobody@x.example"), ("do", "add")]
    answer = visitor.send(f"{path}/members", unknown)
    assert answer.status_code == 422
    assert "no contact is nobody@x.example" in words(answer.text)
    added = visitor.send(f"{path}/members", [("members", " BOB@x.example \n\n"), ("do", "add")])
    assert "1 added" in words(added.text)
    assert here.api.done("GET", f"{path}/count", 200) == {"count": 1}
    assert "bob@x.example" in words(visitor.page(path))
    sizes_only = here.visitor(here.new_key(Scope.SEGMENT_READ, Scope.EXPORT_READ))
    shown = words(sizes_only.page(path))
    assert "1 contacts now" in shown
    assert "bob@x.example" not in shown
    assert "contact:read" in shown
    removed = visitor.send(f"{path}/members", [("members", "bob@x.example"), ("do", "remove")])
    assert "1 removed" in words(removed.text)
    assert "Who is in it now Nobody." in words(visitor.page(path))


def test_a_segment_shows_its_contacts_page_by_page(here: Site, visitor: Visitor) -> None:
    """Fifty at a time, each once, whatever a contact is called."""
    for number in range(51):
        here.api.done("PATCH", f"/contacts/many{number:02}@x.example", 201, json={})
    rule = {"field": "_email", "is": "startsWith", "value": "many"}
    made = here.api.done("POST", "/segments/", 201, json={"name": "Many", "rule": rule})
    path = f"/segments/{made['id']}"
    first, second = visitor.page(path), visitor.page(f"{path}?page=2")
    seen = [set(re.findall(r"many\d\d@x\.example", page)) for page in (first, second)]
    assert [len(emails) for emails in seen] == [50, 1]
    assert len(seen[0] | seen[1]) == 51
    assert f"{path}?page=2#in-it" in first
    assert f"{path}?page=1#in-it" in second
    assert "beyond the last one" in words(visitor.page(f"{path}?page=3"))


def test_each_page_needs_its_scope(here: Site) -> None:
    """And the navigation shows only what the key may see."""
    pages = {
        "/contacts": Scope.CONTACT_READ,
        "/activities": Scope.CONTACT_READ,
        "/fields": Scope.FIELD_READ,
        "/segments": Scope.SEGMENT_READ,
        "/segments/new": Scope.SEGMENT_WRITE,
        "/imports": Scope.IMPORT_READ,
    }
    everything = here.visitor(here.new_key(*(set(Scope) - set(pages.values()))))
    for path, scope in pages.items():
        assert f"lacks the scope {scope}" in words(everything.get(path).text)
    frame = words(everything.page("/exports"))
    assert not any(word in frame for word in ("Segments", "Contact fields", "Imports"))


def an_id(visitor: Visitor, email: str) -> str:
    """The contact's id, as the list tells it."""
    page = visitor.get("/contacts", params={"text": email}).text
    return page.partition("/console/contacts/")[2].partition('"')[0]
