"""What a contact's purchases add up to, kept in its row so that files need not add anything up."""

from outhaul.store.commits import Commit
from outhaul.store.schema import OPEN

TOTALS = (
    "_firstPurchaseDate",
    "_lastPurchaseDate",
    "_totalPurchases",
    "_totalPurchasesAmount",
    "_averagePurchasesAmount",
)
"""The contact's columns that are derived."""

_DATE = 'coalesce(a."purchaseDate", a."createdAt")'


def average_sql(amount: str, n: str) -> str:
    """The SQL of `amount` divided by the count `n`, to six decimals; missing when it has more than
    twelve digits before the point."""
    # Half a millionth and more is rounded away from zero; whole numbers, because the engine
    # divides decimals as floating numbers, and without a sign, because it cuts towards zero.
    millionths = f"(abs({amount})::DECIMAL(30, 6) * 1000000::DECIMAL(7, 0))::HUGEINT"
    return (
        f"TRY_CAST((sign({amount}) * ((2 * {millionths} + {n}) // (2 * {n})))::DECIMAL(30, 0)"
        " * 0.000001::DECIMAL(6, 6) AS DECIMAL(18, 6))"
    )


def count_purchases(commit: Commit, *, retracted: bool = False) -> None:
    """Bring the totals of all contacts up to date that this commit has given a purchase; or, where
    it has `retracted` some, of those that it took them from.

    Where a file has set the totals (see `keep_restored`), purchases after that are added to what
    it said. Amounts are exact; one beyond twelve digits before the point is missing.
    """
    run, number = commit.connection.execute, commit.number
    run(
        'CREATE OR REPLACE TEMP TABLE chunk_buyers AS SELECT DISTINCT "contactId" AS id'
        f" FROM activities_purchase WHERE {'retracted' if retracted else 'commit'} = {number}"
        " AND type = 'purchase'"
    )
    if not run("SELECT count(*) FROM chunk_buyers").fetchall()[0][0]:
        return
    run(
        "CREATE OR REPLACE TEMP TABLE chunk_totals AS SELECT id, n, amount, first_at, last_at,"
        f" {average_sql('amount', 'n')} AS average FROM"
        " (SELECT b.id, CASE WHEN p.n IS NULL THEN r.purchases"
        " ELSE coalesce(r.purchases, 0) + p.n END AS n, CASE WHEN p.n IS NULL THEN r.amount"
        " ELSE TRY_CAST(coalesce(r.amount, 0) + p.amount AS DECIMAL(18, 6)) END AS amount,"
        " least(r.first_at, p.first_at) AS first_at, greatest(r.last_at, p.last_at) AS last_at"
        " FROM chunk_buyers AS b LEFT JOIN restored_totals AS r ON r.contact_id = b.id LEFT JOIN"
        ' (SELECT a."contactId" AS id, count(*) AS n,'
        ' coalesce(sum(a."totalPrice"), 0) AS amount,'
        f" min({_DATE}) AS first_at, max({_DATE}) AS last_at FROM activities_purchase AS a"
        ' JOIN chunk_buyers AS b ON b.id = a."contactId"'
        " LEFT JOIN restored_totals AS r ON r.contact_id = b.id"
        " WHERE a.type = 'purchase' AND a.retracted IS NULL AND a.\"totalPrice\" IS NOT NULL"
        f" AND (r.restored_at IS NULL OR {_DATE} > r.restored_at) GROUP BY ALL) AS p"
        f" ON p.id = b.id WHERE p.id IS NOT NULL OR {retracted})"
    )
    values = dict(zip(TOTALS, ("first_at", "last_at", "n", "amount", "average"), strict=True))
    replaced = ", ".join(f't.{value} AS "{column}"' for column, value in values.items())
    differs = " OR ".join(
        f'c."{column}" IS DISTINCT FROM t.{value}' for column, value in values.items()
    )
    run(
        "CREATE OR REPLACE TEMP TABLE chunk_counted AS"
        f" SELECT c.* REPLACE ({number} AS commit_from, {replaced}) FROM contacts AS c"
        f" JOIN chunk_totals AS t ON t.id = c.id WHERE c.commit_to = {OPEN} AND ({differs})"
    )
    changed = "id IN (SELECT id FROM chunk_counted)"
    # A version that this very commit opened is part of no snapshot.
    run(f"DELETE FROM contacts WHERE commit_from = {number} AND {changed}")
    run(f"UPDATE contacts SET commit_to = {number} WHERE commit_to = {OPEN} AND {changed}")
    run('INSERT INTO contacts BY NAME SELECT * FROM chunk_counted ORDER BY "_createdAt", id')


def keep_restored(commit: Commit, ids: str) -> None:
    """Take the totals that these contacts (SQL of a column of ids) now have as said by a file:
    they stand for all purchases up to now, and are no longer derived from them."""
    run = commit.connection.execute
    run(f"DELETE FROM restored_totals WHERE contact_id IN ({ids})")
    run(
        f"INSERT INTO restored_totals SELECT id, TIMESTAMP '{commit.at:%Y-%m-%d %H:%M:%S.%f}',"
        ' "_totalPurchases", "_totalPurchasesAmount", "_firstPurchaseDate", "_lastPurchaseDate"'
        f" FROM contacts WHERE commit_to = {OPEN} AND id IN ({ids})"
    )
