export const up = (pgm) => {
  pgm.createTable(
    "transfers",
    {
      id: { type: "bigserial", primaryKey: true },
      source: { type: "integer", notNull: true, references: "accounts" },
      target: { type: "integer", notNull: true, references: "accounts", onDelete: "cascade" },
      amount: { type: "numeric(12,2)", notNull: true, check: "amount > 0" },
    },
    { comment: "money that was moved" },
  );
  pgm.sql("INSERT INTO transfers (source, target, amount) SELECT a.id, b.id, 1 + a.id / 7.0 FROM accounts a " +
    "JOIN accounts b ON b.id = a.id + 1");
};

export const down = (pgm) => pgm.dropTable("transfers");
