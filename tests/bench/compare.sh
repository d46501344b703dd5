#!/usr/bin/env bash
# usage: tests/bench/compare.sh BINARY SOURCE_URL TARGET_URL NATS_URL [ROWS]
#
# What `pgsluice compare` finds in a table of ROWS rows (10,000,000) of which 3 were changed by hand at the target, while
# 1,000 transactions a second write to it: the rows found, the seconds, the peak of resident memory. Fails when these are
# not exactly the 3. Two empty databases; needs psql, pgbench and GNU time.
set -euo pipefail
binary=$1 source=$2 target=$3 nats=$4 rows=${5:-10000000}
work=$(mktemp -d)
group=compare_$$
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
run() { "$@" & started+=($!); }
ask() { psql -qAtX "$1" -c "$2"; }

for url in "$source" "$target"; do
    ask "$url" "CREATE TABLE big (id bigserial PRIMARY KEY, n bigint, name varchar(40), doc jsonb, price numeric, at timestamp)"
done
ask "$source" "INSERT INTO big (n, name, doc, price, at) SELECT i, 'name ' || i, '{\"a\": 1, \"b\": \"text\"}', i / 7.0, now()
               FROM generate_series(1, $rows) i"
run "$binary" replicator --group "$group" --nats-url "$nats" --source-url "$source" --copy-and-stream --tables big 2>"$work/replicator"
run "$binary" worker postgres --group "$group" --nats-url "$nats" --target-url "$target" 2>"$work/worker"
until grep -q 'snapshot complete' "$work/worker"; do
    for pid in "${started[@]}"; do kill -0 "$pid" || { cat "$work/replicator" "$work/worker" >&2; exit 1; }; done
    sleep 0.5
done

# Rows that writers leave alone: one changed, one missing, one that the source does not have.
ask "$target" "UPDATE big SET name = 'by hand' WHERE id = $((rows / 3)); DELETE FROM big WHERE id = $((rows / 2));
               INSERT INTO big (id, n) VALUES ($((rows * 2)), 0)"
cat >"$work/write.sql" <<SQL
\set id random(1, $rows)
UPDATE big SET n = n + 1 WHERE id = :id AND id NOT IN ($((rows / 3)), $((rows / 2)));
SQL
run pgbench -n -f "$work/write.sql" -R 1000 -c 4 -T 86400 "$source" >/dev/null 2>&1
sleep 5

code=0
/usr/bin/time -f '%e %M' -o "$work/time" "$binary" compare --group "$group" --nats-url "$nats" --source-url "$source" \
    --target-url "$target" >"$work/report" 2>"$work/messages" || code=$?
cat "$work/report"
read -r seconds peak < <(tail -1 "$work/time")
echo "$rows rows, $(grep -c '^  (id)=' "$work/report") found: $seconds s, peak $((peak / 1024)) MiB resident"
expected="  (id)=('$((rows / 2))'): missing on the target
  (id)=('$((rows * 2))'): on the target only
  (id)=('$((rows / 3))'): differs in name"
[ $code = 1 ] && [ "$(grep '^  (id)=' "$work/report" | sort)" = "$(sort <<<"$expected")" ] ||
    { echo "expected exactly these, and exit code 1, not $code:"; echo "$expected"; cat "$work/messages"; exit 1; } >&2
