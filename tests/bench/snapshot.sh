# Sourced by tests/bench/run: the first copy of one large table.
rows=${rows:-2000000}
database=bench
table="CREATE TABLE users (id bigserial PRIMARY KEY, account bigint, name varchar(80), profile jsonb, balance numeric(12, 2),
       created timestamp)"
for at in "$source_port" "$target_port"; do
    psql_at "$at" postgres -c "CREATE DATABASE bench"
    psql_at "$at" bench -c "$table"
done
on_source -c "INSERT INTO users (account, name, profile, balance, created)
    SELECT i * 7919 % 1000003, 'user number ' || i, jsonb_build_object('city', 'c' || i % 977, 'tags', i % 13),
           (i * 31 % 10000000) / 100.0, timestamp '2020-01-01' + i * interval '1 second'
    FROM generate_series(1, $rows::bigint) AS i" -c "VACUUM ANALYZE users"
bytes=$(on_source -c "SELECT (avg(length(users::text)) * $rows)::bigint FROM users TABLESAMPLE SYSTEM (1)")
echo "snapshot: $rows rows, $((bytes / 1000000)) MB as text, $(nproc) cores; rows/s, CPU seconds, peak memory"

empty_target() {
    on_target -c "SET client_min_messages = warning" -c "DROP SCHEMA IF EXISTS pgsluice CASCADE" \
        -c "DROP TABLE IF EXISTS users CASCADE" -c "${1:-$table}" -c CHECKPOINT
}

finish() {  # system from to costs
    check_equal users
    record snapshot "$1" "$(per_second "$rows" "$2" "$3")" \
        "$(awk -v b="$bytes" -v from="$2" -v to="$3" 'BEGIN { printf "%.0f MB/s", b / 1e6 / (to - from) }'); $4${5:-}"
}

native() {
    local from to
    empty_target
    on_source -c "CREATE PUBLICATION native FOR TABLE users"
    costs_begin
    from=$(now)
    on_target -c "CREATE SUBSCRIPTION native CONNECTION 'host=127.0.0.1 port=$source_port dbname=bench user=postgres' PUBLICATION native" \
        -c "DO \$\$ BEGIN
            LOOP
                PERFORM 1 FROM pg_subscription_rel WHERE srsubstate IN ('f', 's', 'r');
                EXIT WHEN found;
                PERFORM pg_sleep(0.01);
                COMMIT;
            END LOOP; END \$\$" 2>/dev/null
    to=$(now)
    local costs
    costs=$(costs_end)
    until [ -n "$(on_target -c "SELECT 1 FROM pg_subscription_rel WHERE srsubstate = 'r'")" ]; do sleep 0.1; done
    on_target -c "DROP SUBSCRIPTION native" 2>/dev/null
    on_source -c "DROP PUBLICATION native"
    finish native "$from" "$to" "$costs"
}

pipes() {
    local from to half pipe_pids=()
    empty_target
    half=$(on_source -c "SELECT pg_relation_size('users') / current_setting('block_size')::int / 2")
    costs_begin
    from=$(now)
    for range in "ctid < '($half,0)'" "ctid >= '($half,0)'"; do
        on_source -c "COPY (SELECT * FROM users WHERE $range) TO STDOUT" | on_target -c "COPY users FROM STDIN" &
        pipe_pids+=($!)
    done
    wait "${pipe_pids[@]}"
    to=$(now)
    finish two-pipes "$from" "$to" "$(costs_end)"
}

peer() {  # name
    local from to
    empty_target
    costs_begin
    from=$(now)
    ask_peer "$1" copy
    to=$(now)
    finish "$1" "$from" "$to" "$(costs_end)"
}

ours() {  # system's name, worker's further flags...
    local name=$1 from to costs
    shift
    start_nats
    costs_begin
    from=$(now)
    "$pgsluice" replicator --group bench --copy --tables users --source-url "postgresql://postgres@127.0.0.1:$source_port/bench" \
        --nats-url "nats://127.0.0.1:$nats_port" >"$directory/replicator.log" 2>&1 &
    replicator_pid=$!
    "$pgsluice" worker postgres --group bench --target-url "postgresql://postgres@127.0.0.1:$target_port/bench" "$@" \
        --nats-url "nats://127.0.0.1:$nats_port" --exit-after-snapshot >"$directory/worker.log" 2>&1 &
    worker_pid=$!
    pids+=("$replicator_pid" "$worker_pid")
    while look_at worker; look_at replicator; kill -0 "$worker_pid" 2>/dev/null; do pause 0.02; done
    wait "$worker_pid" || fail "the worker ended with code $?"
    to=$(now)
    costs=$(costs_end)
    wait "$replicator_pid" || fail "the replicator ended with code $?"
    forget "$worker_pid"
    forget "$replicator_pid"
    replicator_pid= worker_pid=
    finish "$name" "$from" "$to" "$costs" ", stored $(($(stream_bytes) / rows)) B/row"
    on_source -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'pgsluice_bench'" \
        -c "SET client_min_messages = warning" -c "DROP PUBLICATION IF EXISTS pgsluice_bench" >/dev/null
    stop_nats
    nats_pid=
}

for round in $(seq "$rounds"); do
    echo "round $round"
    if wanted native; then native; fi
    if wanted two-pipes; then pipes; fi
    for name in "${!peers[@]}"; do
        if wanted "$name"; then peer "$name"; fi
    done
    if wanted pgsluice; then
        empty_target
        ours pgsluice
    fi
    if wanted pgsluice-compressed; then
        empty_target
        PGSLUICE_STREAM_COMPRESSION=${HOW:-zstd} ours pgsluice-compressed
    fi
    if wanted pgsluice-direct; then
        empty_target
        PGSLUICE_SNAPSHOT=direct ours pgsluice-direct --source-host 127.0.0.1 --source-port "$source_port" \
            --source-dbname bench --source-user postgres
    fi
    if wanted pgsluice-synced; then
        empty_target "SELECT"
        ours pgsluice-synced --target-sync-schema --source-host 127.0.0.1 --source-port "$source_port" \
            --source-dbname bench --source-user postgres
    fi
done
echo "medians"
summary snapshot rows/s native pgsluice pgsluice-direct pgsluice-compressed pgsluice-synced two-pipes
for name in "${!peers[@]}"; do summary snapshot rows/s "$name" pgsluice pgsluice-direct pgsluice-synced; done
