export const up = (pgm) => {
  pgm.createTable("holders", { id: "id", nick: "short_text", born: "date" });
  pgm.addColumns("accounts", { holder_id: { type: "integer", references: "holders" } });
  pgm.sql("INSERT INTO holders (nick) SELECT DISTINCT nick FROM accounts WHERE nick IS NOT NULL");
  pgm.sql("UPDATE accounts a SET holder_id = (SELECT min(id) FROM holders h WHERE h.nick = a.nick)");
  pgm.dropColumns("accounts", "nick");
};

export const down = (pgm) => {
  pgm.addColumns("accounts", { nick: { type: "short_text", default: "nobody" } });
  pgm.sql("UPDATE accounts a SET nick = h.nick FROM holders h WHERE h.id = a.holder_id");
  pgm.dropColumns("accounts", "holder_id");
  pgm.dropTable("holders");
};
