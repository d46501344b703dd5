-- The rows of examples/generate-shop. Each value follows from the seed, its name and the row's number, so that it is the
-- same on every server.
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;

-- From 0 to `below` - 1, each equally often.
CREATE FUNCTION pg_temp.pick(what text, i bigint, below bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS
    $$ SELECT (hashtextextended(what || i::text, @seed@) & 9223372036854775807) % below $$;
-- The same, but a few numbers come often, as a few customers buy much.
CREATE FUNCTION pg_temp.skewed(what text, i bigint, below bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS
    $$ SELECT pg_temp.pick(what, i, 1000000) * pg_temp.pick(what, i, 1000000) / 1000000 * below / 1000000 $$;
CREATE FUNCTION pg_temp.one_of(what text, i bigint, texts text[]) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT texts[1 + pg_temp.pick(what, i, cardinality(texts))] $$;

CREATE TEMP TABLE words ON COMMIT DROP AS SELECT
    '{Ada,Amélie,Björn,Chen,Divya,Emeka,Freya,Giulia,Håkon,Inès,Jürgen,Keiko,Lucía,Miloš,Noor,Olu,Priya,Quentin,Rosa,
      Søren,Tomás,Uma,Věra,Wei,Xenia,Yusuf,Zoë}'::text[] AS first,
    ARRAY['Ångström', 'Bauer', 'Costa', 'D''Angelo', 'Eriksen', 'Fournier', 'García', 'Horváth', 'Ivanova', 'Jansen',
          'Kowalski', 'Lovelace', 'Müller', 'Nakamura', 'O''Brien', 'Okafor', 'Petrov', 'Rao', 'Santos', 'Tanaka',
          'van der Berg', 'Wang', 'Yılmaz', '王', 'Žukauskas'] AS last,
    '{Northwind,Blue Harbour,Old Mill,Silver Birch,Granite,Lighthouse,Meadow,Copper,River Bend,Seven Oaks}'::text[] AS names,
    '{Analytics,Bakery,Books,Cycles,Films,Gardens,Labs,Logistics,Pottery,Toys}'::text[] AS trades,
    '{DE,ES,FR,GB,IT,JP,NL,PL,SE,US}'::text[] AS countries,
    '{Berlin,Bilbao,Lyon,Leeds,Torino,Osaka,Utrecht,Kraków,Malmö,Portland}'::text[] AS cities,
    '{High Street,Mill Lane,Rue Neuve,Lindenallee,Calle Mayor,Via Roma,Stationsplein,Storgatan}'::text[] AS streets,
    '{chess,cycling,films,gardening,hiking,opera,painting,"rock, classic",swimming,tea}'::text[] AS interests,
    '{teapot,cup,kettle,strainer,tray,tin,spoon,cosy}'::text[] AS goods,
    ARRAY['leave it at the door', 'please ring, twice', 'gift', 'the "blue" one, not the green'] AS remarks;

INSERT INTO organisations (id, name, domain, country, since)
SELECT i, name, lower(replace(name, ' ', '-')) || i || '.example', one_of.country,
       date '2015-01-01' + pg_temp.pick('since', i, 3000)::int
FROM generate_series(1, 10 * @scale@) AS i, words,
     LATERAL (SELECT pg_temp.one_of('name', i, names) || ' ' || pg_temp.one_of('trade', i, trades) AS name,
                     pg_temp.one_of('country', i, countries) AS country) AS one_of;

INSERT INTO users (id, organisation_id, name, email, phone, born, address, interests, about, seen_at)
SELECT i, o.id, first_name || ' ' || last_name,
       lower(regexp_replace(first_name, '[^A-Za-z]', '', 'g') || '.' || i || '@' || o.domain),
       CASE WHEN pg_temp.pick('phone?', i, 5) > 0 THEN '+' || (10 + pg_temp.pick('country code', i, 89)) || ' ' ||
           lpad(pg_temp.pick('phone', i, 1000000000)::text, 9, '0') END,
       CASE WHEN pg_temp.pick('born?', i, 10) > 0 THEN date '1950-01-01' + pg_temp.pick('born', i, 20000)::int END,
       jsonb_build_object('street', pg_temp.one_of('street', i, streets) || ' ' || (1 + pg_temp.pick('house', i, 180)),
                          'city', pg_temp.one_of('city', i, cities), 'zip', lpad(pg_temp.pick('zip', i, 100000)::text, 5, '0'),
                          'country', o.country),
       ARRAY(SELECT pg_temp.one_of('interest' || n, i, interests)
             FROM generate_series(1, pg_temp.pick('interests', i, 4)) AS n ORDER BY n),
       CASE WHEN pg_temp.pick('about?', i, 20) = 0
            THEN (SELECT string_agg(md5('@seed@ about ' || i || ' ' || n), ' ' ORDER BY n) FROM generate_series(1, 100) AS n)
            WHEN pg_temp.pick('about?', i, 20) < 10 THEN 'Likes ' || pg_temp.one_of('likes', i, goods) || 's.' END,
       timestamptz '2026-01-01' + pg_temp.pick('seen', i, 20000000) * interval '1 second'
FROM generate_series(1, 200 * @scale@) AS i, words,
     LATERAL (SELECT 1 + pg_temp.skewed('organisation', i, 10 * @scale@) AS organisation,
                     pg_temp.one_of('first', i, first) AS first_name, pg_temp.one_of('last', i, last) AS last_name OFFSET 0) AS who
     JOIN organisations AS o ON o.id = who.organisation;

INSERT INTO subscriptions (id, organisation_id, plan, seats, price, valid)
SELECT md5('@seed@ subscription ' || i)::uuid, 1 + i % (10 * @scale@), (enum_range(NULL::plan))[1 + pick.plan], seats,
       pick.plan * seats * 4.90, daterange(begin, CASE WHEN pg_temp.pick('ended?', i, 3) = 0 THEN begin + 365 END)
FROM generate_series(1, 20 * @scale@) AS i,
     LATERAL (SELECT pg_temp.pick('plan', i, 3)::int AS plan, (1 + pg_temp.skewed('seats', i, 200))::smallint AS seats,
                     date '2020-01-01' + pg_temp.pick('begin', i, 2000)::int AS begin OFFSET 0) AS pick;

INSERT INTO orders (id, user_id, placed_at, state, total, items, remark)
SELECT i, 1 + pg_temp.skewed('user', i, 200 * @scale@), timestamptz '2024-01-01' + i * interval '7 minutes',
       (enum_range(NULL::order_state))[1 + pg_temp.pick('state', i, 4)], pieces * cents / 100.0,
       jsonb_build_array(jsonb_build_object('good', pg_temp.one_of('good', i, goods), 'pieces', pieces,
                                            'price', round(cents / 100.0, 2))),
       CASE WHEN pg_temp.pick('remark?', i, 4) = 0 THEN pg_temp.one_of('remark', i, remarks) END
FROM generate_series(1, 1000 * @scale@) AS i, words,
     LATERAL (SELECT 1 + pg_temp.pick('pieces', i, 5) AS pieces, 100 + pg_temp.pick('cents', i, 9900) AS cents OFFSET 0) AS pick;

DO $$
BEGIN
    PERFORM setval(pg_get_serial_sequence('organisations', 'id'), 10 * @scale@),
            setval(pg_get_serial_sequence('users', 'id'), 200 * @scale@),
            setval(pg_get_serial_sequence('orders', 'id'), 1000 * @scale@);
END $$;
COMMIT;
