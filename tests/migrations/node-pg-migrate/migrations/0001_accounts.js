export const up = (pgm) => {
  pgm.createType("account_state", ["open", "locked"]);
  pgm.createTable("accounts", {
    id: "id",
    email: { type: "varchar(100)", notNull: true, unique: true },
    state: { type: "account_state", notNull: true, default: "open" },
    balance: { type: "numeric(12,2)", notNull: true, default: 0 },
    createdAt: { type: "timestamp", notNull: true, default: pgm.func("current_timestamp") },
  });
  pgm.sql("INSERT INTO accounts (email, balance) SELECT 'a' || i || '@example.org', i / 3.0 FROM generate_series(1, 80) i");
};

export const down = (pgm) => {
  pgm.dropTable("accounts");
  pgm.dropType("account_state");
};
