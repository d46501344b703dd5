export const up = (pgm) => {
  pgm.sql("SET TIME ZONE 'Europe/Berlin'");
  pgm.alterColumn("accounts", "createdAt", { type: "timestamptz" });
  pgm.sql("RESET TIME ZONE");
};

export const down = (pgm) => {
  pgm.sql("SET TIME ZONE 'Europe/Berlin'");
  pgm.alterColumn("accounts", "createdAt", { type: "timestamp" });
  pgm.sql("RESET TIME ZONE");
};
