export const up = (pgm) => {
  pgm.createMaterializedView("sums", {}, "SELECT source, sum(value) AS total FROM payments GROUP BY source");
  pgm.createView("open_accounts", {}, "SELECT id, email FROM accounts WHERE state = 'open'");
};

export const down = (pgm) => {
  pgm.dropView("open_accounts");
  pgm.dropMaterializedView("sums");
};
