// Elements with text in them. Nothing on this page is made from markup: a name or a message of an error is only ever
// a text.

// What is not UTF-8 comes as {hex: "..."}.
const shown = (child) => (child.hex === undefined ? child : `\\x${child.hex}`);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== "").map(shown));
  return made;
}

export function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const find = (id) => document.getElementById(id);

// Hides the section where there is nothing to show.
export function fill(section, target, children) {
  if (section !== null) find(section).hidden = children.length === 0;
  find(target).replaceChildren(...children);
}

// `columns`: {name, text(row), number}.
export function grid(columns, rows) {
  const head = columns.map((c) => element("th", { scope: "col", class: c.number ? "number" : "" }, c.name));
  const cell = (c, row) =>
    element("td", { "data-name": c.name, class: c.number ? "number" : "" }, c.text(row));
  const body = rows.map((row) => element("tr", {}, ...columns.map((c) => cell(c, row))));
  return [element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)];
}
