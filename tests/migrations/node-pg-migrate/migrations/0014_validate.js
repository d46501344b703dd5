export const up = (pgm) => pgm.sql("ALTER TABLE transfers VALIDATE CONSTRAINT not_to_self");

export const down = () => {};
