# Sourced by tests/bench/run: one large insert as lines, into files, stdout and a webhook.
#
# chain: from the moment the replicator, held since before the insert, is let go, until the worker has written everything
# and ended; its start is counted. stored: the stream holds everything already, and a worker reads it from the beginning.
rows=${rows:-500000}
database=bench
psql_at "$source_port" postgres -c "CREATE DATABASE bench"
on_source -c "CREATE TABLE users (id bigint PRIMARY KEY, account bigint, name varchar(80), profile jsonb, balance numeric(12, 2),
              created timestamp)"
echo "lines: $rows rows inserted in one transaction, $(nproc) cores; rows/s, CPU seconds, peak memory"

cmake --build --preset release --target webhook_receiver_bench >>build/bench.log 2>&1 || fail "webhook_receiver_bench does not build"

start_source() {
    on_source -c "TRUNCATE users"
    start_nats
    "$pgsluice" replicator --group bench --stream --tables users --nats-url "nats://127.0.0.1:$nats_port" \
        --source-url "postgresql://postgres@127.0.0.1:$source_port/bench" >"$directory/replicator.log" 2>&1 &
    replicator_pid=$!
    pids+=("$replicator_pid")
    until [ "$(on_source -c "SELECT active FROM pg_replication_slots WHERE slot_name = 'pgsluice_bench'")" = t ]; do
        kill -0 "$replicator_pid" || fail "the replicator ended"
        sleep 0.1
    done
}

stop_source() {
    end_process "$replicator_pid"
    replicator_pid=
    on_source -c "SELECT pg_drop_replication_slot('pgsluice_bench')" -c "DROP PUBLICATION pgsluice_bench" >/dev/null
    stop_nats
    nats_pid=
}

insert() {
    on_source -c "INSERT INTO users SELECT i, i * 7919 % 1000003, 'user number ' || i,
        jsonb_build_object('city', 'c' || i % 977, 'tags', i % 13), (i * 31 % 10000000) / 100.0,
        timestamp '2020-01-01' + i * interval '1 second' FROM generate_series(1, $rows::bigint) AS i"
    upto=$(on_source -c "SELECT pg_current_wal_insert_lsn()")
}

# CPU seconds (user and system) of the worker, which has ended: bash's own account of it.
worker_seconds() { awk '{ printf "%.2f", $1 + $2 }' "$directory/worker.time"; }

# name sink flags...: starts a worker that ends once it is at $upto; its output goes to /dev/null.
run_worker() {
    local name=$1 sink=$2
    shift 2
    (
        TIMEFORMAT='%U %S'
        time "$pgsluice" worker "$sink" --group bench --worker-name "$name" --nats-url "nats://127.0.0.1:$nats_port" \
            --exit-at-lsn "$upto" "$@" >/dev/null 2>"$directory/worker.log"
    ) 2>"$directory/worker.time"
}

# name sink flags...
measure() {
    local name=$1 from to costs stage
    for stage in chain stored; do
        prepare_"$name"
        if [ $stage = chain ]; then
            kill -STOP "$replicator_pid"
            insert
        fi
        costs_begin
        from=$(now)
        [ $stage = stored ] || kill -CONT "$replicator_pid"
        run_worker "$stage-$name" "${@:2}" "${more[@]}" || fail "the worker ended with code $?"
        to=$(now)
        costs="worker $(worker_seconds), $(costs_end)"
        check_"$name"
        record "$stage" "$name" "$(per_second "$rows" "$from" "$to")" "$costs$further"
    done
}

# prepare_ sets the further flags in `more`; check_ looks at what came, and may add to the costs in `further`.
more=()
further=
prepare_stdout() { more=() further=; }
check_stdout() { :; }

prepare_file() { rm -rf "$directory/lines"; more=(--file-output-dir "$directory/lines"); }
check_file() {
    local found
    found=$(cat "$directory"/lines/*.jsonl* | wc -l)
    [ "$found" = "$rows" ] || fail "$found lines instead of $rows"
}

# A receiver that counts rows; its CPU seconds are told, too.
prepare_webhook() {
    rm -f "$directory/receiver.log"  # the last one's port
    "$PWD/build/release/tests/webhook_receiver_bench" >"$directory/receiver.log" 2>&1 &
    receiver_pid=$!
    pids+=("$receiver_pid")
    until [ -s "$directory/receiver.log" ]; do sleep 0.02; done
    more=(--webhook-url "http://127.0.0.1:$(head -n 1 "$directory/receiver.log")/hook" --webhook-batch-size 1000)
}
check_webhook() {
    local found
    ticks_of "$receiver_pid"
    further=", receiver $(seconds "$REPLY")"
    end_process "$receiver_pid"
    found=$(tail -n 1 "$directory/receiver.log")
    [ "$found" = "$rows" ] || fail "$found rows received instead of $rows"
}

for round in $(seq "$rounds"); do
    echo "round $round"
    for name in stdout file webhook; do
        wanted "$name" || continue
        start_source
        measure "$name" "$name"
        stop_source
    done
done
echo "medians"
for stage in chain stored; do summary $stage rows/s stdout file webhook; done
