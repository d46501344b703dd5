#!/usr/bin/env bash
# usage: tests/bench/groups.sh BINARY [GROUPS]
#
# What GROUPS (100) idle groups cost in one `pgsluice run`, each a replicator and a postgres worker between databases of
# its own: the time until all stream, memory, threads and connections, CPU, and the same after a kill -9. Brings its own
# PostgreSQL and nats-server.
set -euo pipefail
binary=$(realpath "$1") groups=${2:-100}
source "$(dirname "$0")/clusters.sh"

start_clusters
for cluster in source target; do
    cat >>"$directory/$cluster/postgresql.conf" <<CONF
max_connections = $((groups * 8 + 20))
max_wal_senders = $((groups + 5))
max_replication_slots = $((groups + 5))
shared_buffers = 128MB
CONF
    as_server_user "$programs/pg_ctl" restart -s -w -D "$directory/$cluster" -l "$directory/$cluster.server.log"
done
start_nats

config=$directory/run.yaml
echo "nats-url: nats://127.0.0.1:$nats_port
assume-sync-always: true
groups:" >"$config"
for ((i = 0; i < groups; ++i)); do
    for port in "$source_port" "$target_port"; do
        psql_at "$port" postgres -c "CREATE DATABASE d$i"
        psql_at "$port" "d$i" -c "CREATE TABLE t (id int PRIMARY KEY, note text)"
    done
    psql_at "$source_port" "d$i" -c "INSERT INTO t VALUES (1, 'one')"
    echo "  g$i:
    source-url: postgres://postgres@127.0.0.1:$source_port/d$i
    replicator: {copy-and-stream: true}
    workers:
      - {sink: postgres, target-url: 'postgres://postgres@127.0.0.1:$target_port/d$i'}" >>"$config"
done

start_run() {
    : >"$directory/run.log"
    begun=$(now)
    "$binary" run --config "$config" 2>"$directory/run.log" &
    run_pid=$!
    pids+=("$run_pid")
}
say_after() { printf '%-46s %8.1f s\n' "$1" "$(awk -v a="$begun" -v b="$(now)" 'BEGIN { print b - a }')"; }
await() {  # count pattern
    until [ "$(grep -c "$2" "$directory/run.log")" -ge "$1" ]; do
        kill -0 "$run_pid" 2>/dev/null || fail "the process has ended"
        sleep 0.05
    done
}
status_of() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$run_pid/status"; }

start_run
await "$groups" 'snapshot complete: epoch'
say_after "first start: all groups copied"
pause 20
printf '%-46s %8.2f MiB a group\n' "resident memory, idle" "$(awk -v k="$(status_of VmRSS)" -v n="$groups" 'BEGIN { print k / 1024 / n }')"
printf '%-46s %8.1f a group\n' "threads" "$(awk -v t="$(status_of Threads)" -v n="$groups" 'BEGIN { print t / n }')"
printf '%-46s %8.1f a group\n' "sockets" "$(find "/proc/$run_pid/fd" -lname 'socket:*' | wc -l | awk -v n="$groups" '{ print $1 / n }')"
wake_ups_of() { REPLY=$(cat /proc/"$1"/task/*/status | awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'); }
costs_begin
ticks_of "$run_pid"; before=$REPLY
wake_ups_of "$run_pid"; wake_ups_before=$REPLY
pause 30
ticks_of "$run_pid"
printf '%-46s %8.2f %% of one processor\n' "CPU, idle" "$(awk -v t=$((REPLY - before)) 'BEGIN { print t / 30 }')"
wake_ups_of "$run_pid"
printf '%-46s %8.1f a second and group\n' "wake-ups, idle" \
    "$(awk -v w=$((REPLY - wake_ups_before)) -v n="$groups" 'BEGIN { print w / 30 / n }')"
printf '%-46s %s\n' "CPU seconds of the servers in these 30 s" "$(costs_end)"

kill -KILL "$run_pid"
wait "$run_pid" 2>/dev/null || true
forget "$run_pid"
costs_begin
start_run
await "$groups" 'reads stream'
say_after "restart after kill -9: all workers read"
until [ "$(psql_at "$source_port" postgres -c 'SELECT count(*) FROM pg_replication_slots WHERE active')" = "$groups" ]; do
    sleep 0.05
done
say_after "restart after kill -9: all replicators stream"
await $((2 * groups)) 'running, .* s after its start'
ticks_of "$run_pid"
printf '%-46s %s, the process %s\n' "CPU seconds of the restart" "$(costs_end)" "$(seconds "$REPLY")"
grep -o 'running, [0-9.]* s' "$directory/run.log" | awk '{ print $2 }' | sort -n >"$directory/starts"
printf '%-46s %8.2f s, longest %.2f s\n' "restart of one part: half are within" \
    "$(sed -n "${groups}p" "$directory/starts")" "$(tail -n 1 "$directory/starts")"
begun=$(now)
end_process "$run_pid"
say_after "SIGTERM until the end"

stop_nats
