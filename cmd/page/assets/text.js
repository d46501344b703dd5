// Numbers as people read them, as `pgsluice status` writes them.

const grouped = new Intl.NumberFormat("en");

export const count = (n) => (n === null || n === undefined ? "?" : grouped.format(Math.round(n)));

export function bytes(n) {
  if (n === null || n === undefined) return "?";
  if (n < 1000) return `${n} bytes`;
  let size = n / 1000;
  let unit = 0;
  for (; size >= 1000 && unit < 3; ++unit) size /= 1000;
  return `${size.toFixed(1)} ${["kB", "MB", "GB", "TB"][unit]}`;
}

export function seconds(s) {
  if (s === null || s === undefined) return "?";
  for (const [length, name] of [[86400, "days"], [3600, "h"], [60, "min"]])
    if (s >= 2 * length) return `${(s / length).toFixed(1)} ${name}`;
  return `${s.toFixed(1)} s`;
}

export const rate = (n) => (n === null || n === undefined ? "?" : `${n < 10 && n > 0 ? n.toFixed(1) : count(n)}/s`);
