-- The load of examples/generate-shop, for pgbench: one transaction of one user.
\set user random_exponential(1, 200 * @scale@, 4)
\set order random(1, 1000 * @scale@)
\set organisation random(1, 10 * @scale@)
\set pieces random(1, 5)
\set cents random(100, 9999)
\set kind random(1, 100)
BEGIN;
\if :kind <= 60
INSERT INTO orders (user_id, total, items) SELECT id, :pieces * :cents / 100.0, jsonb_build_array(jsonb_build_object('good', 'cup', 'pieces', :pieces)) FROM users WHERE id = :user;
UPDATE users SET seen_at = clock_timestamp() WHERE id = :user;
\elif :kind <= 80
UPDATE orders SET state = 'paid' WHERE id = :order AND state = 'placed';
UPDATE users SET seen_at = clock_timestamp() WHERE id = :user;
\elif :kind <= 88
UPDATE orders SET state = 'returned', remark = 'broken' WHERE id = :order;
\elif :kind <= 93
UPDATE users SET address = jsonb_set(address, '{zip}', to_jsonb(lpad(:cents::text, 5, '0'))) WHERE id = :user;
\elif :kind <= 96
UPDATE subscriptions SET seats = least(seats + :pieces, 1000), price = price + :pieces * 4.90 WHERE organisation_id = :organisation AND upper_inf(valid);
\elif :kind <= 98
INSERT INTO users (organisation_id, name, email, address) SELECT id, 'New User', gen_random_uuid() || '@' || domain, '{"city": "Lyon"}' FROM organisations WHERE id = :organisation;
\else
DELETE FROM orders WHERE id = :order;
\endif
COMMIT;
