"""Accounts, keys, rates, links and the catalog's migrations."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from outhaul.auth.links import check_path, sign_path
from outhaul.auth.secrets import DECOY_HASH, hash_secret, new_token, verify_secret
from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.keys import Keys, LinkKeys
from outhaul.catalog.rates import Rates, RateVerdict
from outhaul.catalog.shared_rates import SharedRates
from outhaul.catalog.tables import metadata
from outhaul.domain.account import Account, Language, Scope
from outhaul.domain.errors import LinkRefused, NotFound


def test_migrating_gives_the_tables_that_the_code_means(database: Database) -> None:
    """The newest migration and `tables` do not differ."""
    with database.transaction() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(database: Database, account: Account) -> None:
    """Every command migrates; data stays."""
    database.migrate()
    assert Accounts(database).all() == (account,)


def test_accounts_can_be_changed_and_blocked(database: Database, account: Account) -> None:
    """What was set is what is found."""
    accounts = Accounts(database)
    accounts.configure(account.id, timezone="America/Lima", language=Language.ES, mobile_push=True)
    accounts.set_blocked(account.id, True)
    found = accounts.get(account.id)
    assert (found.timezone, found.language, found.mobile_push, found.blocked, found.name) == (
        "America/Lima",
        Language.ES,
        True,
        True,
        "A shop",
    )
    with pytest.raises(NotFound):
        accounts.set_blocked("0" * 24, True)


def test_a_key_is_found_until_revoked(database: Database, account: Account) -> None:
    """Only the hash of the secret is stored, and it is not shown in a repr."""
    keys, secret = Keys(database), new_token()
    keys.add(account.id, key_id="k1", secret_hash=hash_secret(secret), scopes=[Scope.EXPORT_READ])
    found = keys.find("k1")
    assert found is not None
    key, owner = found
    assert owner == account
    assert key.scopes == {Scope.EXPORT_READ}
    assert verify_secret(secret, key.secret_hash)
    assert not verify_secret(secret + "x", key.secret_hash)
    assert key.secret_hash not in repr(key)
    keys.revoke("k1")
    assert keys.find("k1") is None
    with pytest.raises(NotFound):
        keys.revoke("k1")
    with pytest.raises(NotFound):
        keys.add("0" * 24, key_id="k2", secret_hash="", scopes=[])


def test_a_key_is_remembered_until_anything_changes(database: Database, account: Account) -> None:
    """Also by another process, which has connections of its own. A catalog that several machines
    share remembers nothing: it would have to be asked whether something has changed."""
    keys, beside = Keys(database), Database(database.engine.url.render_as_string(False))
    for id_ in ("k1", "k2"):
        keys.add(account.id, key_id=id_, secret_hash=id_, scopes=[Scope.EXPORT_READ])
    assert keys.remembered("k1") is None
    found = [keys.find(id_) for id_ in ("k1", "k2")]
    remembered = [keys.remembered(id_) for id_ in ("k1", "k2")]
    assert remembered == ([None, None] if database.shared else found)
    Accounts(beside).set_blocked(account.id, True)
    assert keys.remembered("k1") is None
    known = keys.find("k1")
    assert known is not None
    assert known[1].blocked
    assert keys.remembered("k2") is None
    Keys(beside).revoke("k1")
    beside.close()
    assert keys.remembered("k1") is None
    assert keys.find("k1") is None
    assert keys.remembered("k1") is None


def test_tokens_look_like_the_contracts() -> None:
    """22 base62 characters, never the same twice; no secret fits the decoy."""
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[0-9A-Za-z]{22}", token) for token in tokens)
    assert not any(verify_secret(token, DECOY_HASH) for token in tokens)


def rates_of(database: Database, *, limit: int, period_s: int) -> list[Rates | SharedRates]:
    """The request limit as two processes have it, where two can answer at all."""
    if database.shared:
        return [SharedRates(database, limit=limit, period_s=period_s) for _ in range(2)]
    return [Rates(limit=limit, period_s=period_s)] * 2


def test_the_rate_limit_is_exact_under_threads_and_processes(database: Database) -> None:
    """Of 60 requests at the same time, exactly 20 pass where 20 a minute are allowed."""
    rates = rates_of(database, limit=20, period_s=3600)

    def take(number: int) -> RateVerdict:
        return rates[number % 2].take("665f1c0e9a3b5d7f00000001")

    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(take, range(60)))
    passed = [verdict for verdict in verdicts if verdict.allowed]
    assert len(passed) == 20
    assert sorted(verdict.remaining for verdict in passed) == list(range(20))
    refused = next(verdict for verdict in verdicts if not verdict.allowed)
    assert refused.remaining == 0
    assert 0 < refused.retry_after <= 180
    assert 3500 < refused.reset_after <= 3600


def test_the_rate_limit_comes_back(database: Database) -> None:
    """The time that a refusal names is enough for the next request to pass."""
    rates, _ = rates_of(database, limit=2, period_s=1)
    verdicts = [rates.take("665f1c0e9a3b5d7f00000001") for _ in range(3)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, False]
    pause = verdicts[-1].retry_after
    assert 0 < pause <= 0.5
    while not (verdict := rates.take("665f1c0e9a3b5d7f00000001")).allowed:
        assert verdict.retry_after <= pause
    assert verdict.remaining == 0


def test_the_ring_of_link_keys_is_made_once(database: Database) -> None:
    """Every process that opens the catalog signs with the same key."""
    ring = LinkKeys(database).ring()
    assert len(ring) == 1
    assert LinkKeys(database).ring() == ring


RING = {"k": b"secret", "old": b"older"}


def test_a_signed_path_is_good_until_it_expires() -> None:
    """Also under a key that is not the newest; every link is different."""
    for key_id, key in RING.items():
        signed = sign_path("/files/1/á b.zip", key_id=key_id, key=key, expires=1000)
        check_path(signed, keys=RING, now=999)
        with pytest.raises(LinkRefused):
            check_path(signed, keys=RING, now=1000)
        assert signed != sign_path("/files/1/á b.zip", key_id=key_id, key=key, expires=1000)


def test_an_altered_path_is_refused() -> None:
    """Any character changed, dropped or added anywhere, and any part missing."""
    signed = sign_path("/files/1/a.zip", key_id="k", key=RING["k"], expires=1000)
    altered = [signed[:n] + "x" + signed[n + 1 :] for n in range(len(signed)) if signed[n] != "x"]
    altered += [signed[:n] + signed[n + 1 :] for n in range(len(signed))]
    altered += [signed + "0", signed + "&signature=0", "", "/files/1/a.zip", "&signature=é"]
    for path in altered:
        with pytest.raises(LinkRefused):
            check_path(path, keys=RING, now=1)
