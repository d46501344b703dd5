export const up = (pgm) => {
  pgm.addColumns("accounts", { updated_at: "timestamptz" });
  pgm.createFunction("touch", [], { returns: "trigger", language: "plpgsql", replace: true },
    "BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END");
  pgm.createTrigger("accounts", "touch_accounts",
    { when: "BEFORE", operation: ["INSERT", "UPDATE"], level: "ROW", function: "touch" });
};

export const down = (pgm) => {
  pgm.dropTrigger("accounts", "touch_accounts");
  pgm.dropFunction("touch", []);
  pgm.dropColumns("accounts", "updated_at");
};
