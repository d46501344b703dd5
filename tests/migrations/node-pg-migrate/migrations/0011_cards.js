export const up = (pgm) => {
  pgm.createTable("cards", {
    id: { type: "uuid", primaryKey: true, default: pgm.func("gen_random_uuid()") },
    account_id: { type: "integer", notNull: true, references: { name: "accounts" }, onDelete: "CASCADE", deferrable: true, deferred: true },
    number: { type: "bigint", sequenceGenerated: { precedence: "ALWAYS", start: 1000, increment: 7 } },
    limits: { type: "jsonb", default: '{"day": 500}' },
  });
  pgm.createIndex("cards", "limits", { method: "gin" });
  pgm.sql("INSERT INTO cards (account_id) SELECT id FROM accounts ORDER BY id LIMIT 50");
};

export const down = (pgm) => pgm.dropTable("cards");
