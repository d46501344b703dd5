// The group as a picture: source -> slot -> stream -> workers -> targets.

import { element } from "./dom.js";
import { bytes, count, rate, seconds } from "./text.js";

const levels = { ok: 0, warn: 1, fail: 2 };

// The worst finding about a part.
function level(status, part) {
  let worst = "ok";
  for (const finding of status.findings)
    if (finding.part === part && levels[finding.level] > levels[worst]) worst = finding.level;
  return worst;
}

function box(kind, name, state, ...lines) {
  const quiet = lines.filter((line) => line !== "").map((line) => element("span", { class: "quiet" }, line));
  return element("div", { class: `box ${state}` }, element("span", { class: "kind" }, kind), element("strong", {}, name), ...quiet);
}

function pipe(moves, above, below) {
  const parts = [element("span", {}, above), element("span", { class: "wire" }), element("span", { class: "quiet" }, below)];
  return element("div", { class: moves ? "pipe moves" : "pipe" }, ...parts);
}

function slot_box(status) {
  const slot = status.slot;
  if (slot === null) return box("slot", "not seen", level(status, "slot"));
  const loss = slot.seconds_to_loss === null ? "" : `lost in ${seconds(slot.seconds_to_loss)} at this rate`;
  const condition = !slot.exists ? "does not exist" : slot.invalidated ? "invalidated" : `WAL ${slot.wal_status}`;
  return box("slot", slot.name, level(status, "slot"), condition, `holds ${bytes(slot.held_bytes)}`, `confirmed ${slot.confirmed}`, loss);
}

function source_box(status) {
  const slot = status.slot;
  const wal = slot === null ? "" : `WAL up to ${slot.wal_end}`;
  const written = slot === null || slot.wal_bytes_per_second === null ? "" : `writes ${bytes(Math.round(slot.wal_bytes_per_second))}/s`;
  return box("source", "PostgreSQL", level(status, "source"), wal, written);
}

function stream_box(status) {
  const stream = status.stream;
  if (!stream.exists) return box("stream", stream.name, "fail", "does not exist");
  const size = stream.max_bytes === null ? bytes(stream.bytes) : `${bytes(stream.bytes)} of ${bytes(stream.max_bytes)}`;
  const age = stream.oldest_age === null ? "" : `oldest ${seconds(stream.oldest_age)}`;
  const dead = status.dead_letters.messages === 0 ? "" : `${count(status.dead_letters.messages)} dead letters`;
  return box("stream", stream.name, level(status, "stream"), `${count(stream.messages)} messages`, size, age, dead);
}

function worker_branch(status, worker) {
  const backlog = worker.behind_messages === 0 ? "nothing behind" : `${count(worker.behind_messages)} messages behind`;
  const waits = worker.waiting === null ? "" : `waits for ${worker.waiting}`;
  const state = level(status, `worker ${worker.name}`);
  return element("div", { class: "branch" },
    pipe(worker.behind_messages > 0 || worker.changes_per_second > 0, seconds(worker.behind_seconds), backlog),
    box("worker", worker.name, state, worker.state, waits),
    pipe(worker.changes_per_second > 0, rate(worker.changes_per_second), "changes"),
    box("target", worker.sink, state, `applied ${worker.applied}`));
}

// A replicator need not report its rate: then by what is seen at both ends of the stream.
function publishes({ slot, replicator, workers }) {
  if (replicator.state === "snapshot" || replicator.changes_per_second > 0) return true;
  const moves = (slot !== null && slot.behind_bytes > 0) || workers.some((worker) => worker.changes_per_second > 0);
  return replicator.state === "streaming" && moves;
}

export function flow(status) {
  const { slot, replicator } = status;
  const behind = slot === null ? "?" : seconds(slot.behind_seconds);
  const branches = status.workers.map((worker) => worker_branch(status, worker));
  if (branches.length === 0) branches.push(element("p", { class: "quiet" }, "No worker is registered."));
  return [
    source_box(status),
    pipe(slot !== null && slot.active, behind, slot === null ? "behind" : `${bytes(slot.behind_bytes)} behind`),
    slot_box(status),
    pipe(publishes(status), replicator.changes_per_second === null ? replicator.published : rate(replicator.changes_per_second),
      `replicator ${replicator.state}`),
    stream_box(status),
    element("div", { class: "branches" }, ...branches),
  ];
}
