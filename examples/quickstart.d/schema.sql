-- A small shop. Source and target get the same tables.
CREATE TYPE order_state AS ENUM ('placed', 'paid', 'shipped', 'returned');

CREATE TABLE customers (
    id    bigint PRIMARY KEY,
    name  text NOT NULL,
    email text NOT NULL,
    since date NOT NULL,
    notes jsonb
);

CREATE TABLE products (
    id    int PRIMARY KEY,
    title text NOT NULL,
    price numeric(8, 2) NOT NULL,
    stock int NOT NULL
);

CREATE TABLE orders (
    id        bigint PRIMARY KEY,
    customer  bigint NOT NULL REFERENCES customers,
    product   int NOT NULL REFERENCES products,
    pieces    int NOT NULL,
    state     order_state NOT NULL DEFAULT 'placed',
    placed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON orders (customer);
