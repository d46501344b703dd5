export const up = (pgm) => {
  pgm.createSequence("invoice_numbers", { start: 5000, increment: 10, type: "integer" });
  pgm.createTable("invoices", {
    number: { type: "integer", primaryKey: true, default: pgm.func("nextval('invoice_numbers')") },
    payment_id: { type: "bigint", references: "payments", onDelete: "SET NULL" },
    issued: { type: "date", notNull: true, default: pgm.func("current_date") },
  });
  pgm.alterSequence("invoice_numbers", { owner: "invoices.number", maxvalue: 2000000000 });
  pgm.sql("INSERT INTO invoices (payment_id) SELECT id FROM payments ORDER BY id LIMIT 60");
};

export const down = (pgm) => pgm.dropTable("invoices");
