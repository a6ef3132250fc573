"""Product lines: the objects in an activity's `products`, each a row of its own."""

from outhaul.domain.activity_types import PRODUCT_FIELDS
from outhaul.ingest.sources import Cell, identifier, literal
from outhaul.ingest.staged import FIELDS, GOOD, ROWS, STAGED
from outhaul.ingest.values import parse
from outhaul.store.staging import Staging

LINES = "lines"


def stage_lines(staging: Staging) -> None:
    """Fill the table of lines (n: the activity's staged row, position from 0, the product
    fields). An activity with a wrong line is refused as a whole."""
    staged, lines = staging.table(STAGED), staging.table(LINES)
    products = f"{FIELDS}.products"
    staging.rows(
        f"UPDATE {staging.table(ROWS)} SET reasons = 'products must be a list of objects'"
        f" WHERE {GOOD} AND {products} IS NOT NULL AND CASE WHEN json_type({products}) = 'ARRAY'"
        f" THEN list_bool_or(list_transform(json_type({products}, '$[*]'),"
        " lambda kind: kind <> 'OBJECT')) ELSE true END"
    )
    pointers = ", ".join(literal("/" + id_) for id_ in PRODUCT_FIELDS)
    typed, wrong = [], []
    for index, field in enumerate(PRODUCT_FIELDS.values()):
        raw = f"v[{index + 1}]"
        nested = f"json_type(line, {literal('/' + field.id)}) IN ('ARRAY', 'OBJECT')"
        value = parse(field.id, field.type, Cell(text=raw, nested=nested), raw=raw)
        name = identifier(field.id)
        typed.append(f"{value.sql} AS {name}")
        wrong.append(
            f"CASE WHEN {raw} IS NOT NULL AND {name} IS NULL"
            f" THEN {literal(f'in products, {value.reason}')} END"
        )
    known = ", ".join(literal(id_) for id_ in PRODUCT_FIELDS)
    wrong.append(
        f"CASE WHEN len(list_filter(json_keys(line), lambda k: NOT list_contains([{known}], k)))"
        " > 0 THEN 'products has an unknown field' END"
    )
    wrong.append(
        "CASE WHEN len(json_keys(line)) <> len(list_distinct(json_keys(line)))"
        " THEN 'in products, a key stands more than once' END"
    )
    staging.rows(
        f"CREATE TABLE {lines} AS SELECT * EXCLUDE (line, v),"
        f" nullif(concat_ws('; ', {', '.join(wrong)}), '') AS reasons FROM (SELECT *,"
        f" {', '.join(typed)} FROM (SELECT *, json_extract_string(line, [{pointers}]) AS v FROM ("
        ' SELECT n, "createdAt" AS line_at,'
        " unnest(json_extract(products, '$[*]')) AS line,"
        " unnest(range(json_array_length(products)::BIGINT))::INTEGER AS position"
        f" FROM {staged} WHERE {GOOD} AND products IS NOT NULL)))"
    )
    if staging.count(f"SELECT count(*) FROM {lines} WHERE reasons IS NOT NULL"):
        staging.rows(
            f"UPDATE {staging.table(ROWS)} AS s SET reasons = bad.reasons FROM (SELECT n,"
            " array_to_string(list_sort(list_distinct(flatten(list(string_split(reasons, '; '))))),"
            f" '; ') AS reasons FROM {lines} WHERE reasons IS NOT NULL GROUP BY n) AS bad"
            " WHERE bad.n = s.rowid"
        )
