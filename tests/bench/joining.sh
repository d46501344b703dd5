#!/usr/bin/env bash
# usage: tests/bench/joining.sh BINARY SOURCE_URL TARGET_URL NATS_URL [ROWS]
#
# How late the changes of a group's tables arrive while a table of ROWS rows (5,000,000) joins, under 1,000
# transactions a second. Two empty databases; needs psql and pgbench.
set -euo pipefail
binary=$1 source=$2 target=$3 nats=$4 rows=${5:-5000000}
work=$(mktemp -d)
group=joining_$$
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
run() { "$@" & started+=($!); }
ask() { psql -qAtX "$1" -c "$2"; }

for url in "$source" "$target"; do
    ask "$url" "CREATE TABLE small (id bigserial PRIMARY KEY, ts timestamptz DEFAULT clock_timestamp());
                CREATE TABLE big (id bigserial PRIMARY KEY, n bigint, name varchar(40), doc jsonb, price numeric, at timestamp)"
done
ask "$source" "INSERT INTO big (n, name, doc, price, at) SELECT i, 'name ' || i, '{\"a\": 1, \"b\": \"text\"}', i / 7.0, now()
               FROM generate_series(1, $rows) i; INSERT INTO small DEFAULT VALUES"
replicator=("$binary" replicator --group "$group" --nats-url "$nats" --source-url "$source" --copy-and-stream)
run "$binary" worker postgres --group "$group" --nats-url "$nats" --target-url "$target" 2>"$work/worker"
run "${replicator[@]}" --tables small 2>"$work/first"
first=${started[-1]}
until [ "$(ask "$target" 'SELECT count(*) FROM small')" -gt 0 ]; do sleep 0.2; done
echo 'INSERT INTO small DEFAULT VALUES;' >"$work/insert.sql"
run pgbench -n -f "$work/insert.sql" -R 1000 -c 4 -T 86400 "$source" >/dev/null 2>&1
sleep 5
kill "$first"
wait "$first" || true

run "${replicator[@]}" --tables small,big 2>"$work/second"
begun=$(date +%s) worst=0 late=1000
until [ "$(grep -c 'snapshot complete' "$work/worker")" -ge 2 ] && [ "$late" -lt 1000 ]; do
    late=$(ask "$target" "SELECT (extract(epoch FROM clock_timestamp() - max(ts)) * 1000)::int FROM small")
    worst=$((late > worst ? late : worst))
    sleep 0.25
done
grep 'tables complete' "$work/second" | tail -1
echo "changes of the other table: at most $worst ms late, level again $(($(date +%s) - begun)) s after the start"
