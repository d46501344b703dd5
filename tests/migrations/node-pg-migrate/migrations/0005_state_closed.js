export const up = (pgm) => {
  pgm.noTransaction();
  pgm.addTypeValue("account_state", "closed", { ifNotExists: true });
  pgm.addTypeValue("account_state", "frozen", { ifNotExists: true, before: "closed" });
  pgm.sql("UPDATE accounts SET state = 'frozen' WHERE id % 9 = 0");
};

export const down = (pgm) => pgm.sql("UPDATE accounts SET state = 'open' WHERE state IN ('closed', 'frozen')");
