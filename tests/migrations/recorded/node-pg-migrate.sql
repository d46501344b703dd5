-- sent
CREATE TABLE "public"."pgmigrations" (id SERIAL PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)
-- sent
BEGIN;
-- sent
CREATE TYPE "account_state" AS ENUM ($pga$open$pga$, $pga$locked$pga$);
-- sent
CREATE TABLE "accounts" (
  "id" serial PRIMARY KEY,
  "email" varchar(100) UNIQUE NOT NULL,
  "state" account_state DEFAULT $pga$open$pga$ NOT NULL,
  "balance" numeric(12,2) DEFAULT 0 NOT NULL,
  "createdAt" timestamp DEFAULT current_timestamp NOT NULL
);
-- sent
INSERT INTO accounts (email, balance) SELECT 'a' || i || '@example.org', i / 3.0 FROM generate_series(1, 80) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0001_accounts', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "transfers" (
  "id" bigserial PRIMARY KEY,
  "source" integer NOT NULL REFERENCES "accounts",
  "target" integer NOT NULL REFERENCES "accounts" ON DELETE cascade,
  "amount" numeric(12,2) NOT NULL CHECK (amount > 0)
);
COMMENT ON TABLE "transfers" IS $pga$money that was moved$pga$;
-- sent
INSERT INTO transfers (source, target, amount) SELECT a.id, b.id, 1 + a.id / 7.0 FROM accounts a JOIN accounts b ON b.id = a.id + 1;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0002_transfers', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers"
  ADD "reason" text DEFAULT $pga$none given$pga$,
  ADD "booked" boolean DEFAULT false NOT NULL,
  ADD "at" timestamptz DEFAULT now() NOT NULL;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0003_transfer_reason', NOW());
-- sent
COMMIT;
-- sent
CREATE INDEX CONCURRENTLY IF NOT EXISTS "transfers_source_index" ON "transfers" ("source");
-- sent
CREATE INDEX CONCURRENTLY "transfersByTarget" ON "transfers" ("target", "at" DESC);
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0004_index_transfers', NOW());
-- sent
ALTER TYPE "account_state" ADD VALUE IF NOT EXISTS $pga$closed$pga$;
-- sent
ALTER TYPE "account_state" ADD VALUE IF NOT EXISTS $pga$frozen$pga$ BEFORE $pga$closed$pga$;
-- sent
UPDATE accounts SET state = 'frozen' WHERE id % 9 = 0;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0005_state_closed', NOW());
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  ADD "updated_at" timestamptz;
-- sent
CREATE OR REPLACE FUNCTION "touch"()
  RETURNS trigger
  AS $pga$BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END$pga$
  VOLATILE
  LANGUAGE plpgsql;
-- sent
CREATE TRIGGER "touch_accounts"
  BEFORE INSERT OR UPDATE ON "accounts"
  FOR EACH ROW
  EXECUTE PROCEDURE "touch"();
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0006_updated_at_trigger', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE DOMAIN "short_text" AS varchar(60) CONSTRAINT "not_empty" CHECK (VALUE <> '');
-- sent
ALTER TABLE "accounts"
  ADD "nick" short_text DEFAULT $pga$nobody$pga$;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0007_email_domain', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers" RENAME "amount" TO "value";
-- sent
ALTER TABLE "transfers" RENAME CONSTRAINT "transfers_amount_check" TO "transfers_value_check";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0008_rename_amount', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
SET TIME ZONE 'Europe/Berlin';
-- sent
ALTER TABLE "accounts"
  ALTER "createdAt" SET DATA TYPE timestamptz;
-- sent
RESET TIME ZONE;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0009_created_timestamptz', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  ALTER "balance" SET DATA TYPE numeric(18,4);
-- sent
ALTER TABLE "accounts"
  ALTER "balance" SET DEFAULT 10;
COMMENT ON COLUMN "accounts"."balance" IS $pga$what is "left" over$pga$;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0010_big_balance', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  ALTER "balance" SET DEFAULT 0,
  ALTER "balance" SET DATA TYPE numeric(12,2) USING round(balance, 2);
COMMENT ON COLUMN "accounts"."balance" IS NULL;
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0010_big_balance';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
SET TIME ZONE 'Europe/Berlin';
-- sent
ALTER TABLE "accounts"
  ALTER "createdAt" SET DATA TYPE timestamp;
-- sent
RESET TIME ZONE;
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0009_created_timestamptz';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
SET TIME ZONE 'Europe/Berlin';
-- sent
ALTER TABLE "accounts"
  ALTER "createdAt" SET DATA TYPE timestamptz;
-- sent
RESET TIME ZONE;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0009_created_timestamptz', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  ALTER "balance" SET DATA TYPE numeric(18,4);
-- sent
ALTER TABLE "accounts"
  ALTER "balance" SET DEFAULT 10;
COMMENT ON COLUMN "accounts"."balance" IS $pga$what is "left" over$pga$;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0010_big_balance', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "cards" (
  "id" uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  "account_id" integer NOT NULL REFERENCES "accounts" ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  "number" bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 7 START WITH 1000),
  "limits" jsonb DEFAULT $pga${"day": 500}$pga$
);
-- sent
CREATE INDEX "cards_limits_index" ON "cards" USING gin ("limits");
-- sent
INSERT INTO cards (account_id) SELECT id FROM accounts ORDER BY id LIMIT 50;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0011_cards', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers"
  ADD "place" serial NOT NULL;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0012_serial_for_all', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE transfers ADD CONSTRAINT not_to_self CHECK (source <> target OR value < 1000000) NOT VALID;
-- sent
ALTER TABLE cards ADD CONSTRAINT cards_number UNIQUE (number) DEFERRABLE INITIALLY DEFERRED;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0013_not_valid', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE transfers VALIDATE CONSTRAINT not_to_self;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0014_validate', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers" RENAME TO "payments";
-- sent
ALTER SEQUENCE transfers_id_seq RENAME TO payments_id_seq; ALTER INDEX transfers_pkey RENAME TO payments_pkey;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0015_rename_table', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE MATERIALIZED VIEW "sums" AS SELECT source, sum(value) AS total FROM payments GROUP BY source;
-- sent
CREATE VIEW "open_accounts" AS SELECT id, email FROM accounts WHERE state = 'open';
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0016_materialized', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP VIEW "open_accounts";
-- sent
ALTER TABLE "accounts"
  ALTER "email" SET DATA TYPE text;
-- sent
CREATE VIEW "open_accounts" AS SELECT id, email FROM accounts WHERE state = 'open';
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0017_email_text', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "measurements" (
  "sensor" integer NOT NULL,
  "day" date NOT NULL,
  "value" real,
  CONSTRAINT "measurements_pkey" PRIMARY KEY ("sensor", "day")
) PARTITION BY LIST ("sensor");
-- sent
CREATE TABLE measurements_1 PARTITION OF measurements FOR VALUES IN (1);
-- sent
CREATE TABLE measurements_2 PARTITION OF measurements FOR VALUES IN (2);
-- sent
CREATE TABLE measurements_3 PARTITION OF measurements FOR VALUES IN (3);
-- sent
INSERT INTO measurements SELECT 1 + i % 3, date '2024-01-01' + i, i / 7.0 FROM generate_series(1, 300) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0018_measurements', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "measurements_4" (
  LIKE "measurements" INCLUDING ALL
);
-- sent
INSERT INTO measurements_4 SELECT 4, date '2024-01-01' + i, i FROM generate_series(1, 100) i;
-- sent
ALTER TABLE measurements_4 ADD CHECK (sensor = 4);
-- sent
ALTER TABLE measurements ATTACH PARTITION measurements_4 FOR VALUES IN (4);
-- sent
ALTER TABLE "measurements"
  ADD "unit" char(3) DEFAULT $pga$kWh$pga$ NOT NULL;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0019_measurements_attach', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "payments"
  ADD "cents" bigint GENERATED ALWAYS AS ((value * 100)::bigint) STORED;
-- sent
CREATE INDEX "payments_cents_index" ON "payments" ("cents");
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0020_generated', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "payments"
  DROP "cents";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0020_generated';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "measurements"
  DROP "unit";
-- sent
ALTER TABLE measurements DETACH PARTITION measurements_4;
-- sent
DROP TABLE "measurements_4";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0019_measurements_attach';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "measurements_4" (
  LIKE "measurements" INCLUDING ALL
);
-- sent
INSERT INTO measurements_4 SELECT 4, date '2024-01-01' + i, i FROM generate_series(1, 100) i;
-- sent
ALTER TABLE measurements_4 ADD CHECK (sensor = 4);
-- sent
ALTER TABLE measurements ATTACH PARTITION measurements_4 FOR VALUES IN (4);
-- sent
ALTER TABLE "measurements"
  ADD "unit" char(3) DEFAULT $pga$kWh$pga$ NOT NULL;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0019_measurements_attach', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "payments"
  ADD "cents" bigint GENERATED ALWAYS AS ((value * 100)::bigint) STORED;
-- sent
CREATE INDEX "payments_cents_index" ON "payments" ("cents");
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0020_generated', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE SEQUENCE "invoice_numbers"
  AS integer
  INCREMENT BY 10
  START WITH 5000;
-- sent
CREATE TABLE "invoices" (
  "number" integer DEFAULT nextval('invoice_numbers') PRIMARY KEY,
  "payment_id" bigint REFERENCES "payments" ON DELETE SET NULL,
  "issued" date DEFAULT current_date NOT NULL
);
-- sent
ALTER SEQUENCE "invoice_numbers"
  MAXVALUE 2000000000
  OWNED BY invoices.number;
-- sent
INSERT INTO invoices (payment_id) SELECT id FROM payments ORDER BY id LIMIT 60;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0021_sequence', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP VIEW "open_accounts";
-- sent
ALTER TABLE "accounts"
  ALTER "state" DROP DEFAULT;
-- sent
ALTER TABLE "accounts"
  ALTER "state" SET DEFAULT $pga$OPEN$pga$,
  ALTER "state" SET DATA TYPE text USING upper(state::text);
-- sent
DROP TYPE "account_state";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0022_state_text', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "cards"
    ENABLE ROW LEVEL SECURITY;
-- sent
CREATE POLICY "own_cards" ON "cards" FOR SELECT TO PUBLIC USING (account_id > 0);
-- sent
GRANT SELECT ON "accounts" TO PUBLIC;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0023_security', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "holders" (
  "id" serial PRIMARY KEY,
  "nick" short_text,
  "born" date
);
-- sent
ALTER TABLE "accounts"
  ADD "holder_id" integer REFERENCES "holders";
-- sent
INSERT INTO holders (nick) SELECT DISTINCT nick FROM accounts WHERE nick IS NOT NULL;
-- sent
UPDATE accounts a SET holder_id = (SELECT min(id) FROM holders h WHERE h.nick = a.nick);
-- sent
ALTER TABLE "accounts"
  DROP "nick";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0024_split_holders', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "bookings" (
  "id" integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
  "card_id" uuid REFERENCES "cards" ON DELETE CASCADE,
  "during" int4range NOT NULL,
  CONSTRAINT "bookings_excl" EXCLUDE USING gist (during WITH &&)
);
-- sent
INSERT INTO bookings (during) SELECT int4range(i * 10, i * 10 + 5) FROM generate_series(1, 50) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0025_exclusion', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['accounts', 'payments', 'invoices'] LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN tenant integer NOT NULL DEFAULT 1', name);
    EXECUTE format('CREATE INDEX %I ON %I (tenant)', name || '_tenant', name);
  END LOOP;
END $$;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0026_do_block', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE holders REPLICA IDENTITY FULL; ALTER TABLE payments SET (fillfactor = 80); CREATE STATISTICS payments_both ON source, target FROM payments;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0027_replica_identity', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "bookings"
  ADD "uid" uuid DEFAULT gen_random_uuid() NOT NULL;
-- sent
ALTER TABLE "bookings" DROP CONSTRAINT "bookings_pkey";
-- sent
ALTER TABLE "bookings"
  ADD CONSTRAINT "bookings_pkey" PRIMARY KEY ("uid");
-- sent
ALTER TABLE "bookings"
  DROP "id";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0028_swap_key', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE measurements DETACH PARTITION measurements_2;
-- sent
DROP TABLE "measurements_3";
-- sent
DROP INDEX "payments_cents_index";
-- sent
ALTER TABLE "payments"
  DROP IF EXISTS "cents";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0029_drop_measurements', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE IF EXISTS "invoices" CASCADE;
-- sent
DROP MATERIALIZED VIEW IF EXISTS "sums";
-- sent
CREATE TABLE "invoices" (
  "id" serial PRIMARY KEY,
  "text" text DEFAULT $pga$$pga$ NOT NULL
);
-- sent
INSERT INTO invoices (text) SELECT 'invoice ' || i FROM generate_series(1, 40) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0030_cleanup', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE "invoices";
-- sent
CREATE MATERIALIZED VIEW "sums" AS SELECT source, sum(value) AS total FROM payments GROUP BY source;
-- sent
CREATE TABLE "invoices" (
  "number" integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
  "payment_id" bigint REFERENCES "payments" ON DELETE SET NULL,
  "issued" date DEFAULT current_date NOT NULL,
  "tenant" integer DEFAULT 1 NOT NULL
);
-- sent
CREATE INDEX "invoices_tenant" ON "invoices" ("tenant");
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0030_cleanup';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "payments"
  ADD "cents" bigint GENERATED ALWAYS AS ((value * 100)::bigint) STORED;
-- sent
CREATE INDEX "payments_cents_index" ON "payments" ("cents");
-- sent
CREATE TABLE measurements_3 PARTITION OF measurements FOR VALUES IN (3);
-- sent
ALTER TABLE measurements ATTACH PARTITION measurements_2 FOR VALUES IN (2);
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0029_drop_measurements';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE measurements DETACH PARTITION measurements_2;
-- sent
DROP TABLE "measurements_3";
-- sent
DROP INDEX "payments_cents_index";
-- sent
ALTER TABLE "payments"
  DROP IF EXISTS "cents";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0029_drop_measurements', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE IF EXISTS "invoices" CASCADE;
-- sent
DROP MATERIALIZED VIEW IF EXISTS "sums";
-- sent
CREATE TABLE "invoices" (
  "id" serial PRIMARY KEY,
  "text" text DEFAULT $pga$$pga$ NOT NULL
);
-- sent
INSERT INTO invoices (text) SELECT 'invoice ' || i FROM generate_series(1, 40) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0030_cleanup', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE "invoices";
-- sent
CREATE MATERIALIZED VIEW "sums" AS SELECT source, sum(value) AS total FROM payments GROUP BY source;
-- sent
CREATE TABLE "invoices" (
  "number" integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
  "payment_id" bigint REFERENCES "payments" ON DELETE SET NULL,
  "issued" date DEFAULT current_date NOT NULL,
  "tenant" integer DEFAULT 1 NOT NULL
);
-- sent
CREATE INDEX "invoices_tenant" ON "invoices" ("tenant");
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0030_cleanup';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "payments"
  ADD "cents" bigint GENERATED ALWAYS AS ((value * 100)::bigint) STORED;
-- sent
CREATE INDEX "payments_cents_index" ON "payments" ("cents");
-- sent
CREATE TABLE measurements_3 PARTITION OF measurements FOR VALUES IN (3);
-- sent
ALTER TABLE measurements ATTACH PARTITION measurements_2 FOR VALUES IN (2);
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0029_drop_measurements';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "bookings"
  ADD "id" integer NOT NULL GENERATED BY DEFAULT AS IDENTITY;
-- sent
ALTER TABLE "bookings" DROP CONSTRAINT "bookings_pkey";
-- sent
ALTER TABLE "bookings"
  ADD CONSTRAINT "bookings_pkey" PRIMARY KEY ("id");
-- sent
ALTER TABLE "bookings"
  DROP "uid";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0028_swap_key';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP STATISTICS payments_both; ALTER TABLE payments RESET (fillfactor); ALTER TABLE holders REPLICA IDENTITY DEFAULT;
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0027_replica_identity';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  DROP "tenant";
-- sent
ALTER TABLE "payments"
  DROP "tenant";
-- sent
ALTER TABLE "invoices"
  DROP "tenant";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0026_do_block';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE "bookings";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0025_exclusion';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  ADD "nick" short_text DEFAULT $pga$nobody$pga$;
-- sent
UPDATE accounts a SET nick = h.nick FROM holders h WHERE h.id = a.holder_id;
-- sent
ALTER TABLE "accounts"
  DROP "holder_id";
-- sent
DROP TABLE "holders";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0024_split_holders';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
REVOKE SELECT ON "accounts" FROM PUBLIC;
-- sent
DROP POLICY "own_cards" ON "cards";
-- sent
ALTER TABLE "cards"
    DISABLE ROW LEVEL SECURITY;
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0023_security';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TYPE "account_state" AS ENUM ($pga$open$pga$, $pga$locked$pga$, $pga$frozen$pga$, $pga$closed$pga$);
-- sent
ALTER TABLE "accounts"
  ALTER "state" DROP DEFAULT;
-- sent
ALTER TABLE "accounts"
  ALTER "state" SET DEFAULT $pga$open$pga$,
  ALTER "state" SET DATA TYPE account_state USING 'open'::account_state;
-- sent
CREATE VIEW "open_accounts" AS SELECT id, email FROM accounts WHERE state = 'open';
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0022_state_text';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE "invoices";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0021_sequence';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "payments"
  DROP "cents";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0020_generated';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "measurements"
  DROP "unit";
-- sent
ALTER TABLE measurements DETACH PARTITION measurements_4;
-- sent
DROP TABLE "measurements_4";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0019_measurements_attach';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE "measurements";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0018_measurements';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP VIEW "open_accounts";
-- sent
ALTER TABLE "accounts"
  ALTER "email" SET DATA TYPE varchar(100) USING left(email, 100);
-- sent
CREATE VIEW "open_accounts" AS SELECT id, email FROM accounts WHERE state = 'open';
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0017_email_text';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP VIEW "open_accounts";
-- sent
DROP MATERIALIZED VIEW "sums";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0016_materialized';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER INDEX payments_pkey RENAME TO transfers_pkey; ALTER SEQUENCE payments_id_seq RENAME TO transfers_id_seq;
-- sent
ALTER TABLE "payments" RENAME TO "transfers";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0015_rename_table';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0014_validate';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "cards" DROP CONSTRAINT "cards_number";
-- sent
ALTER TABLE "transfers" DROP CONSTRAINT "not_to_self";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0013_not_valid';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers"
  DROP "place";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0012_serial_for_all';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE "cards";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0011_cards';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  ALTER "balance" SET DEFAULT 0,
  ALTER "balance" SET DATA TYPE numeric(12,2) USING round(balance, 2);
COMMENT ON COLUMN "accounts"."balance" IS NULL;
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0010_big_balance';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
SET TIME ZONE 'Europe/Berlin';
-- sent
ALTER TABLE "accounts"
  ALTER "createdAt" SET DATA TYPE timestamp;
-- sent
RESET TIME ZONE;
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0009_created_timestamptz';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers" RENAME CONSTRAINT "transfers_value_check" TO "transfers_amount_check";
-- sent
ALTER TABLE "transfers" RENAME "value" TO "amount";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0008_rename_amount';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  DROP "nick";
-- sent
DROP DOMAIN "short_text";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0007_email_domain';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TRIGGER "touch_accounts" ON "accounts";
-- sent
DROP FUNCTION "touch"();
-- sent
ALTER TABLE "accounts"
  DROP "updated_at";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0006_updated_at_trigger';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
UPDATE accounts SET state = 'open' WHERE state IN ('closed', 'frozen');
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0005_state_closed';
-- sent
COMMIT;
-- sent
DROP INDEX CONCURRENTLY "transfersByTarget";
-- sent
DROP INDEX CONCURRENTLY "transfers_source_index";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0004_index_transfers';
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers"
  DROP "reason",
  DROP "booked",
  DROP "at";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0003_transfer_reason';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE "transfers";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0002_transfers';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE "accounts";
-- sent
DROP TYPE "account_state";
-- sent
DELETE FROM "public"."pgmigrations" WHERE name='0001_accounts';
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TYPE "account_state" AS ENUM ($pga$open$pga$, $pga$locked$pga$);
-- sent
CREATE TABLE "accounts" (
  "id" serial PRIMARY KEY,
  "email" varchar(100) UNIQUE NOT NULL,
  "state" account_state DEFAULT $pga$open$pga$ NOT NULL,
  "balance" numeric(12,2) DEFAULT 0 NOT NULL,
  "createdAt" timestamp DEFAULT current_timestamp NOT NULL
);
-- sent
INSERT INTO accounts (email, balance) SELECT 'a' || i || '@example.org', i / 3.0 FROM generate_series(1, 80) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0001_accounts', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "transfers" (
  "id" bigserial PRIMARY KEY,
  "source" integer NOT NULL REFERENCES "accounts",
  "target" integer NOT NULL REFERENCES "accounts" ON DELETE cascade,
  "amount" numeric(12,2) NOT NULL CHECK (amount > 0)
);
COMMENT ON TABLE "transfers" IS $pga$money that was moved$pga$;
-- sent
INSERT INTO transfers (source, target, amount) SELECT a.id, b.id, 1 + a.id / 7.0 FROM accounts a JOIN accounts b ON b.id = a.id + 1;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0002_transfers', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers"
  ADD "reason" text DEFAULT $pga$none given$pga$,
  ADD "booked" boolean DEFAULT false NOT NULL,
  ADD "at" timestamptz DEFAULT now() NOT NULL;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0003_transfer_reason', NOW());
-- sent
COMMIT;
-- sent
CREATE INDEX CONCURRENTLY IF NOT EXISTS "transfers_source_index" ON "transfers" ("source");
-- sent
CREATE INDEX CONCURRENTLY "transfersByTarget" ON "transfers" ("target", "at" DESC);
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0004_index_transfers', NOW());
-- sent
ALTER TYPE "account_state" ADD VALUE IF NOT EXISTS $pga$closed$pga$;
-- sent
ALTER TYPE "account_state" ADD VALUE IF NOT EXISTS $pga$frozen$pga$ BEFORE $pga$closed$pga$;
-- sent
UPDATE accounts SET state = 'frozen' WHERE id % 9 = 0;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0005_state_closed', NOW());
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  ADD "updated_at" timestamptz;
-- sent
CREATE OR REPLACE FUNCTION "touch"()
  RETURNS trigger
  AS $pga$BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END$pga$
  VOLATILE
  LANGUAGE plpgsql;
-- sent
CREATE TRIGGER "touch_accounts"
  BEFORE INSERT OR UPDATE ON "accounts"
  FOR EACH ROW
  EXECUTE PROCEDURE "touch"();
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0006_updated_at_trigger', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE DOMAIN "short_text" AS varchar(60) CONSTRAINT "not_empty" CHECK (VALUE <> '');
-- sent
ALTER TABLE "accounts"
  ADD "nick" short_text DEFAULT $pga$nobody$pga$;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0007_email_domain', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers" RENAME "amount" TO "value";
-- sent
ALTER TABLE "transfers" RENAME CONSTRAINT "transfers_amount_check" TO "transfers_value_check";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0008_rename_amount', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
SET TIME ZONE 'Europe/Berlin';
-- sent
ALTER TABLE "accounts"
  ALTER "createdAt" SET DATA TYPE timestamptz;
-- sent
RESET TIME ZONE;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0009_created_timestamptz', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "accounts"
  ALTER "balance" SET DATA TYPE numeric(18,4);
-- sent
ALTER TABLE "accounts"
  ALTER "balance" SET DEFAULT 10;
COMMENT ON COLUMN "accounts"."balance" IS $pga$what is "left" over$pga$;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0010_big_balance', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "cards" (
  "id" uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  "account_id" integer NOT NULL REFERENCES "accounts" ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  "number" bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 7 START WITH 1000),
  "limits" jsonb DEFAULT $pga${"day": 500}$pga$
);
-- sent
CREATE INDEX "cards_limits_index" ON "cards" USING gin ("limits");
-- sent
INSERT INTO cards (account_id) SELECT id FROM accounts ORDER BY id LIMIT 50;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0011_cards', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers"
  ADD "place" serial NOT NULL;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0012_serial_for_all', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE transfers ADD CONSTRAINT not_to_self CHECK (source <> target OR value < 1000000) NOT VALID;
-- sent
ALTER TABLE cards ADD CONSTRAINT cards_number UNIQUE (number) DEFERRABLE INITIALLY DEFERRED;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0013_not_valid', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE transfers VALIDATE CONSTRAINT not_to_self;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0014_validate', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "transfers" RENAME TO "payments";
-- sent
ALTER SEQUENCE transfers_id_seq RENAME TO payments_id_seq; ALTER INDEX transfers_pkey RENAME TO payments_pkey;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0015_rename_table', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE MATERIALIZED VIEW "sums" AS SELECT source, sum(value) AS total FROM payments GROUP BY source;
-- sent
CREATE VIEW "open_accounts" AS SELECT id, email FROM accounts WHERE state = 'open';
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0016_materialized', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP VIEW "open_accounts";
-- sent
ALTER TABLE "accounts"
  ALTER "email" SET DATA TYPE text;
-- sent
CREATE VIEW "open_accounts" AS SELECT id, email FROM accounts WHERE state = 'open';
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0017_email_text', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "measurements" (
  "sensor" integer NOT NULL,
  "day" date NOT NULL,
  "value" real,
  CONSTRAINT "measurements_pkey" PRIMARY KEY ("sensor", "day")
) PARTITION BY LIST ("sensor");
-- sent
CREATE TABLE measurements_1 PARTITION OF measurements FOR VALUES IN (1);
-- sent
CREATE TABLE measurements_2 PARTITION OF measurements FOR VALUES IN (2);
-- sent
CREATE TABLE measurements_3 PARTITION OF measurements FOR VALUES IN (3);
-- sent
INSERT INTO measurements SELECT 1 + i % 3, date '2024-01-01' + i, i / 7.0 FROM generate_series(1, 300) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0018_measurements', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "measurements_4" (
  LIKE "measurements" INCLUDING ALL
);
-- sent
INSERT INTO measurements_4 SELECT 4, date '2024-01-01' + i, i FROM generate_series(1, 100) i;
-- sent
ALTER TABLE measurements_4 ADD CHECK (sensor = 4);
-- sent
ALTER TABLE measurements ATTACH PARTITION measurements_4 FOR VALUES IN (4);
-- sent
ALTER TABLE "measurements"
  ADD "unit" char(3) DEFAULT $pga$kWh$pga$ NOT NULL;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0019_measurements_attach', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "payments"
  ADD "cents" bigint GENERATED ALWAYS AS ((value * 100)::bigint) STORED;
-- sent
CREATE INDEX "payments_cents_index" ON "payments" ("cents");
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0020_generated', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE SEQUENCE "invoice_numbers"
  AS integer
  INCREMENT BY 10
  START WITH 5000;
-- sent
CREATE TABLE "invoices" (
  "number" integer DEFAULT nextval('invoice_numbers') PRIMARY KEY,
  "payment_id" bigint REFERENCES "payments" ON DELETE SET NULL,
  "issued" date DEFAULT current_date NOT NULL
);
-- sent
ALTER SEQUENCE "invoice_numbers"
  MAXVALUE 2000000000
  OWNED BY invoices.number;
-- sent
INSERT INTO invoices (payment_id) SELECT id FROM payments ORDER BY id LIMIT 60;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0021_sequence', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP VIEW "open_accounts";
-- sent
ALTER TABLE "accounts"
  ALTER "state" DROP DEFAULT;
-- sent
ALTER TABLE "accounts"
  ALTER "state" SET DEFAULT $pga$OPEN$pga$,
  ALTER "state" SET DATA TYPE text USING upper(state::text);
-- sent
DROP TYPE "account_state";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0022_state_text', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "cards"
    ENABLE ROW LEVEL SECURITY;
-- sent
CREATE POLICY "own_cards" ON "cards" FOR SELECT TO PUBLIC USING (account_id > 0);
-- sent
GRANT SELECT ON "accounts" TO PUBLIC;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0023_security', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "holders" (
  "id" serial PRIMARY KEY,
  "nick" short_text,
  "born" date
);
-- sent
ALTER TABLE "accounts"
  ADD "holder_id" integer REFERENCES "holders";
-- sent
INSERT INTO holders (nick) SELECT DISTINCT nick FROM accounts WHERE nick IS NOT NULL;
-- sent
UPDATE accounts a SET holder_id = (SELECT min(id) FROM holders h WHERE h.nick = a.nick);
-- sent
ALTER TABLE "accounts"
  DROP "nick";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0024_split_holders', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
CREATE TABLE "bookings" (
  "id" integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
  "card_id" uuid REFERENCES "cards" ON DELETE CASCADE,
  "during" int4range NOT NULL,
  CONSTRAINT "bookings_excl" EXCLUDE USING gist (during WITH &&)
);
-- sent
INSERT INTO bookings (during) SELECT int4range(i * 10, i * 10 + 5) FROM generate_series(1, 50) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0025_exclusion', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['accounts', 'payments', 'invoices'] LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN tenant integer NOT NULL DEFAULT 1', name);
    EXECUTE format('CREATE INDEX %I ON %I (tenant)', name || '_tenant', name);
  END LOOP;
END $$;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0026_do_block', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE holders REPLICA IDENTITY FULL; ALTER TABLE payments SET (fillfactor = 80); CREATE STATISTICS payments_both ON source, target FROM payments;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0027_replica_identity', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE "bookings"
  ADD "uid" uuid DEFAULT gen_random_uuid() NOT NULL;
-- sent
ALTER TABLE "bookings" DROP CONSTRAINT "bookings_pkey";
-- sent
ALTER TABLE "bookings"
  ADD CONSTRAINT "bookings_pkey" PRIMARY KEY ("uid");
-- sent
ALTER TABLE "bookings"
  DROP "id";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0028_swap_key', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
ALTER TABLE measurements DETACH PARTITION measurements_2;
-- sent
DROP TABLE "measurements_3";
-- sent
DROP INDEX "payments_cents_index";
-- sent
ALTER TABLE "payments"
  DROP IF EXISTS "cents";
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0029_drop_measurements', NOW());
-- sent
COMMIT;
-- sent
BEGIN;
-- sent
DROP TABLE IF EXISTS "invoices" CASCADE;
-- sent
DROP MATERIALIZED VIEW IF EXISTS "sums";
-- sent
CREATE TABLE "invoices" (
  "id" serial PRIMARY KEY,
  "text" text DEFAULT $pga$$pga$ NOT NULL
);
-- sent
INSERT INTO invoices (text) SELECT 'invoice ' || i FROM generate_series(1, 40) i;
-- sent
INSERT INTO "public"."pgmigrations" (name, run_on) VALUES ('0030_cleanup', NOW());
-- sent
COMMIT;
