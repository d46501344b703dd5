export const up = (pgm) => {
  pgm.renameTable("transfers", "payments");
  pgm.sql("ALTER SEQUENCE transfers_id_seq RENAME TO payments_id_seq; ALTER INDEX transfers_pkey RENAME TO payments_pkey");
};

export const down = (pgm) => {
  pgm.sql("ALTER INDEX payments_pkey RENAME TO transfers_pkey; ALTER SEQUENCE payments_id_seq RENAME TO transfers_id_seq");
  pgm.renameTable("payments", "transfers");
};
