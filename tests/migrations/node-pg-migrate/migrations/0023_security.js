export const up = (pgm) => {
  pgm.alterTable("cards", { levelSecurity: "ENABLE" });
  pgm.createPolicy("cards", "own_cards", { command: "SELECT", role: "PUBLIC", using: "account_id > 0" });
  pgm.grantOnTables({ privileges: ["SELECT"], tables: "accounts", roles: "PUBLIC" });
};

export const down = (pgm) => {
  pgm.revokeOnTables({ privileges: ["SELECT"], tables: "accounts", roles: "PUBLIC" });
  pgm.dropPolicy("cards", "own_cards");
  pgm.alterTable("cards", { levelSecurity: "DISABLE" });
};
