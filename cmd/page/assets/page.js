// Asks the process every two seconds how things are, and shows it.

import { element, fill, find, grid } from "./dom.js";
import { flow } from "./flow.js";
import { plot } from "./plot.js";
import { rows } from "./rows.js";
import { bytes, count, rate, seconds } from "./text.js";

const rhythm_ms = 2000;
const looks_per_history = 3;
const most_tables = 100;

const group = new URLSearchParams(location.search).get("group") ?? "";

async function ask(path, of = group) {
  const answer = await fetch(`${path}?group=${encodeURIComponent(of)}`, { cache: "no-store" });
  if (answer.status === 401) {
    location.assign("login");
    return null;
  }
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
  return answer.json();
}

function show_trouble(text) {
  find("trouble").hidden = text === "";
  find("trouble").textContent = text;
}

const group_columns = [
  { name: "group", text: (g) => element("a", { href: `?group=${encodeURIComponent(g.group)}` }, g.group) },
  { name: "health", text: (g) => element("span", { class: g.health }, g.health) },
  { name: "replicator", text: (g) => g.state },
  { name: "workers", text: (g) => count(g.workers), number: true },
  { name: "worker furthest behind", text: (g) => seconds(g.behind_seconds), number: true },
  { name: "changes", text: (g) => rate(g.changes_per_second), number: true },
];

const badness = { fail: 0, warn: 1, ok: 2 };

// Where there are several: the worst first.
function show_groups(live) {
  const rows = [...live.groups].sort((a, b) => badness[a.health] - badness[b.health] || a.group.localeCompare(b.group));
  fill("s-groups", "groups", rows.length < 2 ? [] : grid(group_columns, rows));
}

function show_head(live) {
  const { process, status } = live;
  const health = status === null ? "unknown" : status.health;
  find("group").textContent = live.group;
  find("health").textContent = health;
  find("health").className = `badge ${health}`;
  find("process").textContent =
    [process.role, process.worker, process.sink === process.worker ? "" : process.sink, `pgsluice ${process.version}`].filter((part) => part !== "").join(" · ");
  find("logout").hidden = !process.asks_for_token;
  document.title = live.group === "" ? "pgsluice" : `${live.group}: ${health} - pgsluice`;
}

function show_findings(live) {
  const items = live.status.findings.map((one) =>
    element("li", {}, element("strong", { class: one.level }, one.level), ` ${one.part}: ${one.text}`));
  if (live.process.not_ready !== "")
    items.push(element("li", {}, element("strong", { class: "warn" }, "not ready"), ` this ${live.process.role}: ${live.process.not_ready}`));
  fill("s-findings", "findings", items);
}

function bar(name, share, text) {
  return element("div", { class: "bar" }, element("span", {}, name),
    element("progress", { value: share, max: 1, "aria-label": name }), element("span", { class: "quiet" }, text));
}

function show_snapshot(live) {
  const all = live.status.snapshot;
  if (all === null) return fill("s-snapshot", "snapshot", []);
  const left = all.complete ? ", complete" : all.seconds_left === null ? "" : `, about ${seconds(all.seconds_left)} left`;
  const percent = (share) => `${Math.floor(share * 100)} %`;
  const total = bar(`epoch ${all.epoch}: ${all.tables_done} of ${all.tables} tables`, all.complete ? 1 : all.share,
    `${percent(all.complete ? 1 : all.share)}, ${count(all.rows)} rows${left}`);
  const each = live.snapshot.slice(0, most_tables).map((one) =>
    bar(one.name, one.share, `${percent(one.share)}, ${count(one.rows)} rows, ${bytes(one.bytes)}`));
  fill("s-snapshot", "snapshot", [total, ...each]);
}

function trouble_of(worker) {
  const parts = [];
  if (worker.waiting !== null) parts.push(`waits for ${worker.waiting}`);
  if (worker.last_error !== null) parts.push(`${seconds(worker.last_error_age)} ago: ${worker.last_error}`);
  return parts.join("; ");
}

const worker_columns = [
  { name: "worker", text: (w) => w.name },
  { name: "sink", text: (w) => w.sink },
  { name: "state", text: (w) => w.state },
  { name: "applied", text: (w) => w.applied },
  { name: "messages behind", text: (w) => count(w.behind_messages), number: true },
  { name: "time behind", text: (w) => seconds(w.behind_seconds), number: true },
  { name: "changes", text: (w) => rate(w.changes_per_second), number: true },
  { name: "reported", text: (w) => `${seconds(w.report_age)} ago`, number: true },
  { name: "waits, last error", text: trouble_of },
];

const table_columns = (role) => [
  { name: "table", text: (t) => t.name },
  ...["insert", "update", "delete", "truncate"].map((op) => ({ name: op, text: (t) => count(t[op]), number: true })),
  { name: "bytes", text: (t) => bytes(t.bytes), number: true },
  ...(role === "worker" ? [{ name: "dropped by rules", text: (t) => count(t.dropped), number: true },
    { name: "rows of snapshots", text: (t) => count(t.copied_rows), number: true }] : []),
];

function show_tables(live) {
  const most = (t) => t.insert + t.update + t.delete + t.truncate + t.copied_rows;
  const rows = [...live.tables].sort((a, b) => most(b) - most(a)).slice(0, most_tables);
  fill("s-tables", "tables", rows.length === 0 ? [] : grid(table_columns(live.process.role), rows));
}

function show(live) {
  show_groups(live);
  show_head(live);
  show_trouble(live.status !== null ? "" : live.in_sight ? "No group has a stream on this NATS server."
    : "NATS does not say how the group is: it does not answer, or does not permit it.");
  if (live.status === null) return;
  show_findings(live);
  fill(null, "flow", flow(live.status));
  show_snapshot(live);
  fill(null, "workers", grid(worker_columns, live.status.workers));
  show_tables(live);
}

function show_history(history) {
  plot(find("lag"), history.lag, seconds, history.interval);
  plot(find("rate"), history.rate, rate, history.interval);
}

// Rows are taken only while someone asks for them.
async function show_rows(live) {
  find("s-rows").hidden = !live.process.shows_rows;
  if (!live.process.shows_rows || !find("rows-open").open) return;
  const shown = await ask("rows", live.group);
  if (shown !== null) fill(null, "rows", rows(shown));
}

let looks = 0;

async function look() {
  try {
    const live = await ask("live");
    if (live === null) return;
    show(live);
    await show_rows(live);
    if (looks++ % looks_per_history === 0) {
      const history = await ask("history");
      if (history !== null) show_history(history);
    }
  } catch (error) {
    show_trouble(`This process does not answer: ${error.message}. What is shown is from before.`);
  }
  setTimeout(look, rhythm_ms);
}

look();
