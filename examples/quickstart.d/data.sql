-- Some thousand rows for the source.
INSERT INTO customers
SELECT i, initcap(first) || ' ' || initcap(last), first || '.' || last || i || '@example.com', date '2015-01-01' + i % 3650,
       CASE WHEN i % 3 = 0 THEN jsonb_build_object('newsletter', i % 2 = 0, 'visits', i % 17) END
FROM generate_series(1, 2000) AS i,
     LATERAL (SELECT (ARRAY['ada', 'björn', 'chen', 'divya', 'emeka', 'freya'])[1 + i % 6] AS first,
                     (ARRAY['lovelace', 'ångström', 'wang', 'rao', 'okafor'])[1 + i % 5] AS last) AS names;

INSERT INTO products
SELECT i, 'Teapot no. ' || i, 5 + (i * 37 % 9000) / 100.0, 1000 FROM generate_series(1, 200) AS i;

INSERT INTO orders (id, customer, product, pieces, state, placed_at)
SELECT i, 1 + i * 7 % 2000, 1 + i * 13 % 200, 1 + i % 5, (enum_range(NULL::order_state))[1 + i % 4],
       timestamptz '2024-01-01 08:00+00' + i * interval '7 minutes'
FROM generate_series(1, 6000) AS i;
