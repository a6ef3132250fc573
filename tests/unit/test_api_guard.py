import pytest

from outhaul.domain.account import Scope
from tests.api_fakes import SECRET, Edge, FakeExports, FakeKeys, FakeRates, FakeVerdict, an_account

CONTACTS = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
REFUSED = FakeVerdict(allowed=False, remaining=0, reset_after=60.0, retry_after=0.3)


@pytest.mark.parametrize(
    "key",
    [
        f"apiKey key:{SECRET}",
        f"APIKEY  key:{SECRET}",
        f"apikey key:{SECRET}",
        f"key:{SECRET}",
    ],
)
def test_a_right_key_passes_in_every_accepted_spelling(key):
    """The scheme's case does not matter, and the bare key is enough."""
    assert Edge().ask("GET", "/exports/", key=key).status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "apiKey",
        "apiKey key",
        "apiKey key:",
        f"apiKey :{SECRET}",
        "apiKey key:wrong",
        f"apiKey other:{SECRET}",
        f"Bearer key:{SECRET}",
        f"apiKey key:{SECRET}é".encode("latin-1"),
        "apiKey " + "k" * 5000 + ":x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_wrong_key_gets_the_same_empty_answer(method, key):
    """Nothing tells an unknown key from a wrong secret or from no key at all."""
    response = Edge().ask(method, "/exports/", key=key, content=b"{")
    assert (response.status_code, response.content) == (401, b"")
    assert response.headers.raw == [(b"www-authenticate", b"apiKey"), (b"content-length", b"0")]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/exports/", Scope.EXPORT_READ),
        ("GET", "/exports/" + "0" * 24, Scope.EXPORT_READ),
        ("POST", "/exports/", Scope.EXPORT_WRITE),
        ("DELETE", "/exports/" + "0" * 24, Scope.EXPORT_WRITE),
    ],
)
def test_each_call_needs_its_own_scope(method, path, scope):
    """A key with every other scope is told which one it lacks."""
    edge = Edge(keys=FakeKeys(scopes=frozenset(Scope) - {scope}))
    response = edge.ask(method, path)
    assert response.json() == {
        "status": 403,
        "title": "Forbidden",
        "detail": f"This API key lacks the scope {scope}.",
    }
    assert response.status_code == 403


def test_a_blocked_account_is_told_so():
    """A right key of a blocked account does not pass."""
    response = Edge(keys=FakeKeys(account=an_account(blocked=True))).ask("GET", "/exports/")
    assert (response.status_code, response.json()["title"]) == (403, "Forbidden")
    assert "blocked" in response.json()["detail"]


def test_a_refused_request_has_no_body_and_says_how_long_to_wait():
    """429 tells both families of headers and Retry-After, in whole seconds, never 0."""
    response = Edge(rates=FakeRates(REFUSED)).ask("GET", "/exports/")
    assert (response.status_code, response.content) == (429, b"")
    assert response.headers["Retry-After"] == response.headers["RateLimit-Reset"] == "1"
    assert response.headers["RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/exports/", b"", 200),
        ("GET", "/exports/?page=0", b"", 422),
        ("GET", "/exports/nope", b"", 400),
        ("GET", "/exports/" + "0" * 24, b"", 404),
        ("POST", "/exports/", b"{", 400),
    ],
)
def test_every_authenticated_answer_carries_the_rate(method, path, content, status):
    """Good or bad, the answer to a right key says what is left."""
    json = {"Content-Type": "application/json"}
    response = Edge().ask(method, path, content=content, headers=json)
    assert response.status_code == status
    names = [name.decode() for name, _ in response.headers.raw if b"Limit" in name]
    assert names == [
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "RateLimit-Remaining",
        "RateLimit-Reset",
    ]
    assert response.headers["RateLimit-Reset"] == "36"


def test_the_checks_come_in_the_contracts_order():
    """Everything is wrong at first; mended one by one, each next check speaks up."""
    edge = Edge(
        keys=FakeKeys(scopes=frozenset(), account=an_account(blocked=True)),
        rates=FakeRates(REFUSED),
        exports=FakeExports(limit=0),
    )
    json = {"Content-Type": "application/json"}

    def answer(key: str = f"key:{SECRET}", **options: object) -> tuple[int, str]:
        response = edge.ask("POST", "/exports", key=key, **options)
        return response.status_code, response.json()["detail"] if response.content else ""

    assert answer("apiKey key:wrong", content=b"{") == (401, "")
    assert answer(content=b"{") == (429, "")
    edge.rates = FakeRates()
    assert answer(content=b"{")[1].startswith("This account is blocked")
    edge.keys = FakeKeys(scopes=frozenset())
    assert answer(content=b"{") == (403, "This API key lacks the scope export:write.")
    edge.keys = FakeKeys()
    assert answer(content=b"{") == (415, "Send application/json.")
    assert answer(content=b"{", headers=json) == (400, "The body is not valid JSON.")
    assert answer(json={}) == (422, "The export request is not valid.")
    assert answer(json=CONTACTS) == (
        400,
        "0 exports are already waiting; retry later or delete one.",
    )
    edge.exports.limit = 1
    assert edge.ask("POST", "/exports", json=CONTACTS).status_code == 201


@pytest.mark.parametrize("kept_at", [None, "http://127.0.0.1:1"])
def test_data_that_no_node_can_show_is_asked_for_again(kept_at):
    """503 with Retry-After, and no request is counted; a request that another node has passed on
    is not passed on once more."""
    edge = Edge(kept_at=kept_at)
    passed_on = {"Outhaul-Forwarded": "1"} if kept_at else {}
    response = edge.ask("POST", "/exports/", json=CONTACTS, headers=passed_on)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "The node that keeps this account's data" in response.json()["detail"]
    assert "X-RateLimit-Limit" not in response.headers
    assert edge.ask("POST", "/exports/", json=CONTACTS, key="apiKey no:body").status_code == 401


def test_what_needs_no_data_is_answered_by_every_node():
    """Exports are read, listed and deleted wherever one asks."""
    edge = Edge()
    id_ = edge.ask("POST", "/exports/", json=CONTACTS).json()["id"]
    edge.exports.finish(id_)
    edge.kept_at = None
    for method, path, status in (
        ("GET", "/exports/", 200),
        ("GET", f"/exports/{id_}", 200),
        ("GET", f"/exports/{id_}/manifest", 200),
        ("DELETE", f"/exports/{id_}", 204),
    ):
        assert edge.ask(method, path).status_code == status, path
