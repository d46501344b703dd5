// The rows that pass a worker, the newest first: each before and after the rules.

import { element, grid } from "./dom.js";

// Microseconds since 2000-01-01 UTC.
const epoch_ms = Date.UTC(2000, 0, 1);

function clock(time_us) {
  return time_us === 0 ? "" : new Date(epoch_ms + time_us / 1000).toISOString().slice(11, 23);
}

function text_of(value) {
  if (value === null) return "NULL";
  if (value === false) return "unchanged";
  if (value === "") return "''";
  return typeof value === "object" ? `\\x${value.hex}` : value;
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

// What the rules changed is marked, where both are known.
function values(row, before) {
  const known = before === undefined ? null : new Map(before);
  return row.flatMap(([name, value]) => [
    element("span", { class: "quiet" }, `${name} `),
    element("span", { class: known !== null && !same(known.get(name), value) ? "changed" : value === null || value === false ? "quiet" : "" }, text_of(value)),
    " ",
  ]);
}

function columns(both) {
  return [
    { name: "committed (UTC)", text: (r) => clock(r.time_us) },
    { name: "table", text: (r) => r.table },
    { name: "change", text: (r) => r.op },
    ...(both ? [{ name: "before the rules", text: (r) => element("span", {}, ...values(r.before)) }] : []),
    { name: "after the rules", text: (r) => r.dropped ? element("em", {}, "dropped") : element("span", {}, ...values(r.after, r.before)) },
  ];
}

export function rows(workers) {
  return workers.flatMap((one) => [
    element("p", { class: "quiet" }, `worker ${one.worker}: the last of its changes, a few each second` +
      (one.shows === "both" ? "" : "; only what its rules have left")),
    one.rows.length === 0 ? element("p", {}, "No change has passed since someone looked.")
      : element("div", { class: "wide" }, element("table", { class: "rows" }, ...grid(columns(one.shows === "both"), [...one.rows].reverse()))),
  ]);
}
