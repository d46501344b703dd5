export const up = (pgm) => {
  pgm.alterColumn("accounts", "balance", { type: "numeric(18,4)" });
  pgm.alterColumn("accounts", "balance", { default: 10, comment: "what is \"left\" over" });
};

export const down = (pgm) => {
  pgm.alterColumn("accounts", "balance", { type: "numeric(12,2)", using: "round(balance, 2)", default: 0, comment: null });
};
