// Lines over the last hour.

import { drawn, element } from "./dom.js";

const height = 190;
let width = 600;  // of the plot that is being drawn
const edge = { left: 56, right: 8, top: 8, bottom: 22 };
const colours = 6;

// The smallest of 1, 2, 5 times a power of ten that is not below.
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.9999);
}

const across = (i, length) => edge.left + ((width - edge.left - edge.right) * i) / Math.max(1, length - 1);
const up = (value, top) => height - edge.bottom - ((height - edge.top - edge.bottom) * value) / top;

// Samples that one look at a busy group may miss: no hole.
const missed = 2;

// A line for each stretch without a hole.
function stretches(values, top) {
  const lines = [];
  let points = [];
  let hole = 0;
  const end = () => {
    if (points.length === 1) points.push(points[0].replace(/^[^,]*/, (x) => String(Number(x) + 1)));
    if (points.length > 0) lines.push(points.join(" "));
    points = [];
  };
  values.forEach((value, i) => {
    hole = value === null ? hole + 1 : 0;
    if (hole > missed) end();
    if (value !== null) points.push(`${across(i, values.length).toFixed(1)},${up(value, top).toFixed(1)}`);
  });
  end();
  return lines;
}

function axes(top, text, minutes) {
  const parts = [];
  for (const share of [0, 0.5, 1]) {
    const y = up(share * top, top);
    parts.push(drawn("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: y, y2: y }));
    parts.push(drawn("text", { x: edge.left - 6, y: y + 4, "text-anchor": "end" }, text(share * top)));
  }
  const times = [[0, "start", `${minutes} min ago`], [0.5, "middle", `${minutes / 2} min ago`], [1, "end", "now"]];
  for (const [share, anchor, label] of times)
    parts.push(drawn("text", { x: edge.left + share * (width - edge.left - edge.right), y: height - 5, "text-anchor": anchor }, label));
  return parts;
}

function legend(series, at, text) {
  const item = (line, i) => {
    const value = line.values[at];
    const key = drawn("svg", { viewBox: "0 0 14 8" }, drawn("line", { class: `c${i % colours}`, x1: 0, x2: 14, y1: 4, y2: 4, "stroke-width": 3 }));
    return element("li", {}, key, ` ${line.name} `, element("strong", {}, value === null || value === undefined ? "?" : text(value)));
  };
  return element("ul", { class: "legend" }, ...series.map(item));
}

// Which sample is under the pointer; the newest where it is not over the plot.
function pointed(svg, event, length) {
  const box = svg.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * width;
  const share = (x - edge.left) / (width - edge.left - edge.right);
  return Math.min(length - 1, Math.max(0, Math.round(share * (length - 1))));
}

// The last of at most three samples, as the newest may not have been taken yet.
function newest(series, length) {
  for (let at = length - 1; at > length - 4 && at > 0; --at)
    if (series.some((line) => line.values[at] !== null)) return at;
  return length - 1;
}

// The shortest of a few spans that has all samples.
function trimmed(series, interval) {
  const length = Math.max(1, ...series.map((line) => line.values.length));
  const first = Math.min(length, ...series.map((line) => line.values.findIndex((v) => v !== null)).filter((at) => at >= 0));
  const span = [5, 15, 30].map((m) => (m * 60) / interval).find((samples) => samples >= length - first) ?? length;
  return series.map((line) => ({ name: line.name, values: line.values.slice(-span) }));
}

// `all`: {name, values}, null where it was not known, all of one length, a value for each `interval` of seconds.
export function plot(target, all, text, interval) {
  const series = trimmed(all, interval);
  const length = Math.max(1, ...series.map((line) => line.values.length));
  const minutes = Math.round((length * interval) / 60);
  const last = newest(series, length);
  width = Math.max(280, target.clientWidth);
  const top = ceiling(Math.max(0, ...series.flatMap((line) => line.values.filter((v) => v !== null))));
  const lines = series.flatMap((line, i) =>
    stretches(line.values, top).map((points) => drawn("polyline", { class: `c${i % colours}`, points })));
  const label = series.map((line) => `${line.name}: ${line.values[last] === null ? "?" : text(line.values[last])}`).join(", ");
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...axes(top, text, minutes), ...lines);
  const cursor = drawn("line", { class: "cursor", y1: edge.top, y2: height - edge.bottom, visibility: "hidden" });
  svg.append(cursor);
  target.replaceChildren(svg, legend(series, last, text));
  const show = (at, visible) => {
    cursor.setAttribute("x1", across(at, length));
    cursor.setAttribute("x2", across(at, length));
    cursor.setAttribute("visibility", visible ? "visible" : "hidden");
    target.lastElementChild.replaceWith(legend(series, at, text));
  };
  svg.addEventListener("pointermove", (event) => show(pointed(svg, event, length), true));
  svg.addEventListener("pointerleave", () => show(last, false));
}
