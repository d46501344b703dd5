export const up = (pgm) => {
  pgm.renameColumn("transfers", "amount", "value");
  pgm.renameConstraint("transfers", "transfers_amount_check", "transfers_value_check");
};

export const down = (pgm) => {
  pgm.renameConstraint("transfers", "transfers_value_check", "transfers_amount_check");
  pgm.renameColumn("transfers", "value", "amount");
};
