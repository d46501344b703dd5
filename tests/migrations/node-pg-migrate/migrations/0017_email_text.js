export const up = (pgm) => {
  pgm.dropView("open_accounts");
  pgm.alterColumn("accounts", "email", { type: "text" });
  pgm.createView("open_accounts", {}, "SELECT id, email FROM accounts WHERE state = 'open'");
};

export const down = (pgm) => {
  pgm.dropView("open_accounts");
  pgm.alterColumn("accounts", "email", { type: "varchar(100)", using: "left(email, 100)" });
  pgm.createView("open_accounts", {}, "SELECT id, email FROM accounts WHERE state = 'open'");
};
