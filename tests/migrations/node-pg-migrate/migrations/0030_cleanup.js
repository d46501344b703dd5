export const up = (pgm) => {
  pgm.dropTable("invoices", { ifExists: true, cascade: true });
  pgm.dropMaterializedView("sums", { ifExists: true });
  pgm.createTable("invoices", { id: "id", text: { type: "text", notNull: true, default: "" } });
  pgm.sql("INSERT INTO invoices (text) SELECT 'invoice ' || i FROM generate_series(1, 40) i");
};

export const down = (pgm) => {
  pgm.dropTable("invoices");
  pgm.createMaterializedView("sums", {}, "SELECT source, sum(value) AS total FROM payments GROUP BY source");
  pgm.createTable("invoices", {
    number: { type: "integer", primaryKey: true, sequenceGenerated: { precedence: "BY DEFAULT" } },
    payment_id: { type: "bigint", references: "payments", onDelete: "SET NULL" },
    issued: { type: "date", notNull: true, default: pgm.func("current_date") },
    tenant: { type: "integer", notNull: true, default: 1 },
  });
  pgm.createIndex("invoices", "tenant", { name: "invoices_tenant" });
};
