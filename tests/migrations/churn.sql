-- Random changes of whatever tables schema public has at the moment, while something else alters them. It is made on
-- the source only: functions are not captured, and this schema is none of the group's.
--
-- churn.change() makes one transaction's changes, churn.refresh() looks at the tables again. Rows that are inserted are
-- copies of others under a new key, so they satisfy what the table asks for; what fails all the same (a unique value, a
-- table that is gone) is left out.
CREATE SCHEMA churn;
CREATE UNLOGGED TABLE churn.statement (kind text, text text);

-- A value of the key's type somewhere between the lowest and the highest.
CREATE FUNCTION churn.some_row(name text, key text, key_type regtype) RETURNS text LANGUAGE sql AS $f$
SELECT format(CASE
    WHEN key_type IN ('int2'::regtype, 'int4', 'int8', 'numeric') THEN
        'SELECT * FROM %1$s WHERE %2$s >= (SELECT min(%2$s) + floor(random() * (max(%2$s) - min(%2$s) + 1)) FROM %1$s)'
        ' ORDER BY %2$s LIMIT 1'
    WHEN key_type IN ('timestamptz'::regtype, 'timestamp') THEN
        'SELECT * FROM %1$s WHERE %2$s >= (SELECT min(%2$s) + random() * (max(%2$s) - min(%2$s)) FROM %1$s)'
        ' ORDER BY %2$s LIMIT 1'
    WHEN key_type = 'uuid'::regtype THEN
        'SELECT * FROM %1$s WHERE %2$s >= gen_random_uuid() ORDER BY %2$s LIMIT 1'
    ELSE 'SELECT * FROM %1$s ORDER BY random() LIMIT 1' END, name, key)
$f$;

-- What a column of a copied row gets: `s` is the row that it is copied from.
CREATE FUNCTION churn.value(name text, type regtype, typmod int, new boolean) RETURNS text LANGUAGE sql AS $f$
SELECT CASE
    WHEN type IN ('text'::regtype, 'varchar') AND new THEN
        format('left(md5(random()::text), %s)', CASE WHEN typmod > 4 THEN least(typmod - 4, 24) ELSE 24 END)
    WHEN type = 'uuid'::regtype AND new THEN 'gen_random_uuid()'
    ELSE 's.' || name END
$f$;

CREATE FUNCTION churn.refresh() RETURNS void LANGUAGE sql AS $f$
DELETE FROM churn.statement;
WITH tables AS (
    SELECT c.oid, c.oid::regclass::text AS name, k.attname::text AS key, quote_ident(k.attname) AS quoted_key,
        k.atttypid::regtype AS key_type, i.indkey::int2[] AS keys
    FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND c.relname NOT IN ('settled', 'alembic_version', 'django_migrations', 'pgmigrations')),
columns AS (
    SELECT t.oid, a.attnum, quote_ident(a.attname) AS name, a.attnum = ANY (t.keys) AS is_key,
        a.atthasdef OR a.attidentity <> '' AS has_default, a.attidentity = 'a' AS always,
        churn.value(quote_ident(a.attname), a.atttypid::regtype, a.atttypmod, a.attnum = ANY (t.keys) OR EXISTS (
            SELECT FROM pg_index u WHERE u.indrelid = t.oid AND u.indisunique AND a.attnum = ANY (u.indkey))) AS copied,
        churn.value(quote_ident(a.attname), a.atttypid::regtype, a.atttypmod, true) AS changed
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attgenerated = ''),
inserted AS (
    SELECT oid, string_agg(name, ', ' ORDER BY attnum) AS names, string_agg(copied, ', ' ORDER BY attnum) AS copied
    FROM columns WHERE NOT always AND NOT (is_key AND has_default AND copied LIKE 's.%') GROUP BY oid)
INSERT INTO churn.statement
SELECT 'insert', format('INSERT INTO %s (%s) SELECT %s FROM (%s) s', name, names, copied,
                        churn.some_row(name, quoted_key, key_type))
FROM tables JOIN inserted USING (oid)
UNION ALL
SELECT 'update', format('UPDATE %1$s t SET %2$s = %3$s FROM (%4$s) s, (%4$s) o WHERE t.%5$s = o.%5$s', t.name, c.name,
                        c.changed, churn.some_row(t.name, quoted_key, key_type), quoted_key)
FROM tables t JOIN columns c USING (oid) WHERE NOT c.is_key AND NOT c.always
UNION ALL
SELECT 'delete', format('DELETE FROM %1$s WHERE %2$s = (SELECT %2$s FROM (%3$s) s) AND (SELECT count(*) FROM '
                        '(SELECT FROM %1$s LIMIT 30) f) = 30', name, quoted_key,
                        churn.some_row(name, quoted_key, key_type))
FROM tables
$f$;

CREATE FUNCTION churn.change() RETURNS void LANGUAGE plpgsql AS $f$
DECLARE
    dice float8;
    statement text;
BEGIN
    FOR i IN 1..CASE WHEN random() < 0.2 THEN 2 ELSE 1 END LOOP
        dice := random();
        SELECT s.text INTO statement FROM churn.statement s
        WHERE s.kind = CASE WHEN dice < 0.45 THEN 'insert' WHEN dice < 0.85 THEN 'update' ELSE 'delete' END
        ORDER BY random() LIMIT 1;
        CONTINUE WHEN statement IS NULL;
        BEGIN
            SET CONSTRAINTS ALL IMMEDIATE;
            EXECUTE statement;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $f$;
