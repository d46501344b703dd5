export const up = (pgm) => {
  pgm.sql("ALTER TABLE holders REPLICA IDENTITY FULL; ALTER TABLE payments SET (fillfactor = 80); CREATE STATISTICS payments_both ON source, target FROM payments");
};

export const down = (pgm) => {
  pgm.sql("DROP STATISTICS payments_both; ALTER TABLE payments RESET (fillfactor); ALTER TABLE holders REPLICA IDENTITY DEFAULT");
};
