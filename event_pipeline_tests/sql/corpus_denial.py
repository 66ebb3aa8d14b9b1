"""Statements that would take all the time or memory there is."""

from __future__ import annotations

_MANY = ", ".join(str(number) for number in range(8_000))
_LONG = " OR ".join(f"title = 'x{number}'" for number in range(2_000))

TIME = [
    "SELECT count(*) FROM range(1000000000000) t(a) WHERE a % 7 = 3",
    "SELECT count(*) FROM range(2000000) a, range(2000000) b WHERE a.range * b.range = 7",
    "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b WHERE a <> b AND hash(a, b) = 1",
    "SELECT count(*) FROM fact_registrations a, fact_registrations b, fact_registrations c, fact_registrations d, "
    "fact_registrations e, fact_registrations f WHERE hash(a.registration_id, b.registration_id, f.event_id) = 1",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n % 1000 + 1 FROM t WHERE n > 0) SELECT max(n) FROM t",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t, range(3)) SELECT count(*) FROM t",
    "SELECT sum(length(sha256(a::VARCHAR || sha256(a::VARCHAR)))) FROM range(100000000000) t(a)",
    "SELECT count(*) FROM range(100000000) t(a) WHERE regexp_matches(repeat('a', 5000) || 'b', '(a|aa)*(a|aaa)*c')",
    "SELECT regexp_replace(repeat('a', 100000000), '(a+)+$', 'x', 'g')",
    "SELECT count(DISTINCT levenshtein(repeat(a::VARCHAR, 2000), repeat(b::VARCHAR, 2000))) "
    "FROM range(5000) x(a), range(5000) y(b)",
    "SELECT max(list_sum(list_transform(range(100000), x -> x * a % 7))) FROM range(10000000) t(a)",
    "SELECT list_reduce(range(100000000), (x, y) -> x + y % 3)",
    "SELECT (SELECT count(*) FROM range(100000000) b WHERE b.range % (a.range + 2) = 1) FROM range(1000000) a",
    "SELECT sum(random()) FROM range(1000000000000)",
    "SELECT approx_count_distinct(a) FROM range(1000000000000) t(a)",
    "SELECT max(quantile) FROM (SELECT quantile_cont(a % b, 0.5) AS quantile FROM range(100000) x(a), "
    "range(1, 100000) y(b) GROUP BY b)",
    "SELECT count(*) FROM dim_events WHERE jaccard(repeat(title, 200000), repeat(event_id, 300000)) > 2",
]
"""Work without end."""

MEMORY = [
    "SELECT length(repeat('x', 2000000000))",
    "SELECT lpad('x', 2000000000, 'y')",
    "SELECT rpad('x', 2147483647, 'yz')",
    "SELECT repeat(repeat('x', 100000), 100000)",
    "SELECT list(a) FROM range(2000000000) t(a)",
    "SELECT range(2000000000)",
    "SELECT length(generate_series(1, 4000000000))",
    "SELECT string_agg(repeat('x', 1000), '') FROM range(100000000)",
    "SELECT array_agg(repeat('x', 1000000)) FROM range(100000)",
    "SELECT count(*) FROM (SELECT DISTINCT a, hash(a) FROM range(2000000000) t(a))",
    "SELECT a, count(*) FROM range(1000000000) t(a) GROUP BY a",
    "SELECT * FROM range(1000000000) t(a) ORDER BY hash(a)",
    "SELECT a, row_number() OVER (ORDER BY hash(a)) FROM range(1000000000) t(a)",
    "SELECT count(*) FROM range(300000000) a JOIN range(300000000) b USING (range)",
    "SELECT histogram(a) FROM range(1000000000) t(a)",
    "SELECT list_sort(list_concat(range(100000000), range(100000000)))",
    "SELECT map_from_entries(list_zip(range(50000000), range(50000000)))",
    "SELECT bitstring_agg(a, 0, 4000000000) FROM range(10) t(a)",
    "SELECT format('{:>2000000000}', 1)",
    "SELECT printf('%2000000000d', 1)",
    "SELECT to_json(range(200000000))",
    "SELECT array_resize([1], 2000000000)",
    "SELECT list_resize(['x'], 4000000000, repeat('x', 1000))",
    "WITH RECURSIVE t(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t",
    "SELECT url_encode(repeat('é', 300000000))",
    "SELECT unnest(range(1000000000)), repeat('x', 10000)",
]
"""More memory than there is."""

SHAPE = [
    f"SELECT count(*) FROM range(100000000) t(a) WHERE a IN ({_MANY})",
    f"SELECT count(*) FROM dim_events WHERE {_LONG}",
    "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
    "SELECT " + "1 + " * 12_000 + "1",
    "SELECT " + "NOT " * 12_000 + "true",
    "SELECT " + "[" * 5_000 + "1" + "]" * 5_000,
    "SELECT " + "abs(" * 9_000 + "1" + ")" * 9_000,
    "SELECT * FROM " + "(SELECT * FROM " * 3_000 + "dim_events" + ")" * 3_000,
    "SELECT 1" + " UNION ALL SELECT 1" * 2_600,
    "SELECT " + ", ".join(f"{number} AS c{number}" for number in range(3_000)) + " FROM range(100000000)",
    "SELECT " + "CASE WHEN true THEN " * 2_000 + "1" + " END" * 2_000,
    "WITH a AS (SELECT 1 AS x), " + ", ".join(
        f"{chr(98 + step)} AS (SELECT * FROM {chr(97 + step)}, {chr(97 + step)} AS y)" for step in range(20)
    ) + " SELECT count(*) FROM u",
    "SELECT * FROM (PIVOT (SELECT a, a % 5000 AS b FROM range(10000000) t(a)) ON b IN (" + ", ".join(
        str(number) for number in range(5_000)
    ) + ") USING sum(a) GROUP BY a)",
    "SELECT " + "-" * 40_001 + "1",
    "SELECT " + "a." * 20_000 + "b FROM dim_events",
    "SELECT '" + "x" * 49_000 + "'",
    "SELECT 1 FROM " + ", ".join(f"dim_events AS t{number}" for number in range(1_000)),
    "SELECT count(*) FROM dim_events GROUP BY CUBE (" + ", ".join(f"event_id || '{n}'" for n in range(14)) + ")",
]  # fmt: skip
"""Texts that are hard to take apart or plan."""

DENIAL = [*TIME, *MEMORY, *SHAPE]
