export const up = (pgm) => {
  pgm.dropView("open_accounts");
  pgm.alterColumn("accounts", "state", { default: null });
  pgm.alterColumn("accounts", "state", { type: "text", using: "upper(state::text)", default: "OPEN" });
  pgm.dropType("account_state");
};

export const down = (pgm) => {
  pgm.createType("account_state", ["open", "locked", "frozen", "closed"]);
  pgm.alterColumn("accounts", "state", { default: null });
  pgm.alterColumn("accounts", "state", { type: "account_state", using: "'open'::account_state", default: "open" });
  pgm.createView("open_accounts", {}, "SELECT id, email FROM accounts WHERE state = 'open'");
};
