# Sourced by tests/bench/run: changes, from the source's commit until the target shows them.
rows=${rows:-500000}
fewer=$((rows * 3 / 5))
transactions=$((rows / 5))
wide=$((rows * 3 / 50))
shop_scale=100
rate_scale=${RATE_SCALE:-100} rate=${RATE:-2500} rate_seconds=${RATE_SECONDS:-600}

wanted_by_name() { [ -n "$only" ] && wanted "$1"; }  # it takes minutes

prepare() {  # port
    psql_at "$1" postgres -c "CREATE DATABASE base"
    psql_at "$1" base -c "CREATE TABLE mark (id int PRIMARY KEY, at timestamptz)" \
        -c "CREATE TABLE users (id bigint PRIMARY KEY, account bigint, name varchar(80), profile jsonb, balance numeric(12, 2),
            created timestamp)" \
        -c "CREATE TABLE wide (id int PRIMARY KEY, counter int, body text)" \
        -c "ALTER TABLE wide ALTER body SET STORAGE EXTERNAL" \
        -c "INSERT INTO wide SELECT i, 0, repeat(md5(i::text), 256) FROM generate_series(1, $wide) AS i" \
        -c "CREATE TABLE lat (id int PRIMARY KEY, sent timestamptz)"
    local scale=(-s 10)
    ! wanted_by_name rate || scale=(-s "$rate_scale" --partitions=10)
    "$newest/pgbench" -i -q "${scale[@]}" "postgresql://postgres@127.0.0.1:$1/base" >/dev/null 2>&1
    if wanted shop; then
        { echo "CREATE SCHEMA shop; SET search_path = shop;" && examples/generate-shop schema &&
            examples/generate-shop --scale $shop_scale data; } | psql_at "$1" base -f -
    fi
    psql_at "$1" base -c "VACUUM ANALYZE" -c CHECKPOINT
}
prepare "$source_port"
prepare "$target_port"
echo "stream: $rows rows, $(nproc) cores; changes/s from commit to visible, CPU seconds, peak memory"

fresh_databases() {
    local at
    for at in "$source_port" "$target_port"; do
        psql_at "$at" postgres -c "CREATE DATABASE $database TEMPLATE base STRATEGY file_copy"
    done
}
drop_databases() {
    local at
    for at in "$source_port" "$target_port"; do psql_at "$at" postgres -c "DROP DATABASE $database WITH (FORCE)"; done
}

native_start() {
    on_source -c "CREATE PUBLICATION native FOR ALL TABLES"
    on_target -c "CREATE SUBSCRIPTION native CONNECTION 'host=127.0.0.1 port=$source_port dbname=$database user=postgres'
                  PUBLICATION native WITH (copy_data = off)" 2>/dev/null
}
native_pids() { on_target -c "SELECT pid FROM pg_stat_subscription WHERE pid IS NOT NULL"; }
native_stop() { on_target -c "DROP SUBSCRIPTION native" 2>/dev/null; }

replicator_more=()
pgsluice_start() {  # more words for the worker; replicator_more, for the replicator
    start_nats
    local schemas=public
    ! wanted shop || schemas=public,shop
    "$pgsluice" replicator --group bench --stream --schemas $schemas \
        --source-url "postgresql://postgres@127.0.0.1:$source_port/$database" --nats-url "nats://127.0.0.1:$nats_port" "${replicator_more[@]}" >"$directory/replicator.log" 2>&1 &
    replicator_pid=$!
    "$pgsluice" worker postgres --group bench --target-url "postgresql://postgres@127.0.0.1:$target_port/$database" \
        --nats-url "nats://127.0.0.1:$nats_port" "$@" >"$directory/worker.log" 2>&1 &
    worker_pid=$!
    pids+=("$replicator_pid" "$worker_pid")
    until [ "$(on_source -c "SELECT active FROM pg_replication_slots WHERE slot_name = 'pgsluice_bench'")" = t ]; do
        kill -0 "$replicator_pid" || fail "the replicator ended"
        sleep 0.1
    done
}
pgsluice_pids() { echo "$replicator_pid $worker_pid"; }
pgsluice_stop() {
    end_process "$worker_pid"
    end_process "$replicator_pid"
    replicator_pid= worker_pid=
    on_source -c "SELECT pg_drop_replication_slot('pgsluice_bench')" >/dev/null
    stop_nats
    nats_pid=
}

# The same with one rule, in the worker or before anything is published, for `--systems 'pgsluice masked source_masked'`.
write_mask() {
    echo 'tables: {users: [{type: transform, column: name, parameters: {type: mask}}]}' >"$directory/mask.yaml"
}
masked_start() {
    write_mask
    pgsluice_start --rules-config "$directory/mask.yaml"
}
source_masked_start() {
    write_mask
    replicator_more=(--rules-config "$directory/mask.yaml")
    pgsluice_start
    replicator_more=()
}
# Five transforms a row, four of them keyed, for `--systems 'pgsluice five'`.
five_start() {
    cat >"$directory/five.yaml" <<'END'
secret_env: PGSLUICE_BENCH_SECRET
tables:
  users:
    - {type: transform, column: name, parameters: {type: email}}
    - {type: transform, column: account, parameters: {type: encrypt_number}}
    - {type: transform, column: profile, parameters: {type: json, path: $.city, transform: {type: mask}}}
    - {type: transform, column: balance, parameters: {type: noise, percent: 10}}
    - {type: transform, column: created, parameters: {type: shift, days: 30, by: id}}
END
    PGSLUICE_BENCH_SECRET=secret pgsluice_start --rules-config "$directory/five.yaml"
}
check_five() {
    local of="name ~ '[.][a-z0-9]{13}@example[.]com$' AND profile->>'city' ~ '^c?[*]+[0-9]?$'"
    [ "$(on_source -c "SELECT count(*) FROM users")" = "$(on_target -c "SELECT count(*) FROM users WHERE $of")" ] ||
        fail "users are not transformed"
}
check_masked() {
    local count="SELECT count(*) FROM users"
    [ "$(on_source -c "$count")" = "$(on_target -c "$count WHERE name ~ '^u[*]+[!0-9]$'")" ] || fail "users are not masked"
}

# The same with a column that tells this source's rows from others', for `--systems 'pgsluice tenant append history'`.
kept_start() {  # mode, key, more columns
    echo "tables: {users: {to: kept.users, mode: $1, columns: {sid: 7}}}" >"$directory/routing.yaml"
    on_target -c "CREATE SCHEMA kept" -c "CREATE TABLE kept.users (sid bigint, LIKE users$3, PRIMARY KEY (sid, id$2))"
    [ "$1" != history ] || on_target -c "CREATE UNIQUE INDEX ON kept.users (sid, id, valid_to)"
    pgsluice_start --routing-config "$directory/routing.yaml"
}
tenant_start() { kept_start clone '' ''; }
append_start() { kept_start append '' ''; }
history_start() {
    kept_start history ', valid_from' ', valid_from timestamptz, valid_to timestamptz NOT NULL, deleted bool NOT NULL'
}
for system in masked source_masked five tenant append history; do
    eval "${system}_pids() { pgsluice_pids; }; ${system}_stop() { pgsluice_stop; }"
done
# With the rows that were deleted, where no row is removed.
check_kept() {
    local columns='count(*), sum(id), sum(balance)' of=true
    [ "$1" != history ] || of="valid_to = 'infinity'"
    [ "$1" != append ] || of="id > $fewer"
    [ "$(on_source -c "SELECT $columns FROM users")" = "$(on_target -c "SELECT $columns FROM kept.users WHERE $of")" ] ||
        fail "users are not the same"
    case $1 in append) of=$rows ;; history) of=$((rows + fewer)) ;; tenant) of=$((rows - fewer)) ;; esac
    [ "$(on_target -c "SELECT count(*) FROM kept.users")" = "$of" ] || fail "not $of rows are kept"
}

# The same with a sealed stream, for `--systems 'pgsluice sealed'`.
sealed_start() {
    (umask 077; echo "k1:$(openssl rand -base64 32)" >"$directory/stream.key")
    export PGSLUICE_STREAM_KEY_FILE="$directory/stream.key"
    pgsluice_start
}
sealed_pids() { pgsluice_pids; }
sealed_stop() {
    unset PGSLUICE_STREAM_KEY_FILE
    pgsluice_stop
}

# The same with a compressed stream, for `--systems 'pgsluice compressed'`; HOW=zstd:3 is another level.
compressed_start() {
    export PGSLUICE_STREAM_COMPRESSION=${HOW:-zstd}
    pgsluice_start
}
compressed_pids() { pgsluice_pids; }
compressed_stop() {
    unset PGSLUICE_STREAM_COMPRESSION
    pgsluice_stop
}

for peer in "${!peers[@]}"; do
    eval "${peer}_start() { peer_start $peer; }; ${peer}_pids() { echo \$peer_all; }; ${peer}_stop() { peer_stop $peer; }"
    systems+=" $peer"
done
peer_start() {
    ask_peer "$1" start >"$directory/peer.pids"
    peer_all=$(paste -sd ' ' "$directory/peer.pids")
    peer_pid=${peer_all%% *}  # whose costs are shown
    [[ $peer_all =~ ^[0-9]+(\ [0-9]+)*$ ]] || fail "peer $1 did not print process ids"
}
peer_stop() {
    peer_pid=
    ask_peer "$1" stop
}

# Waits in one session on the target for a mark; prints when it was seen. Looks by key, 500 times a second. Each look is
# a transaction: a snapshot held throughout would keep the target from pruning what is being measured.
watch_for() {
    on_target -c "DO \$\$ BEGIN
        LOOP
            PERFORM 1 FROM mark WHERE id = $1;
            EXIT WHEN found;
            PERFORM pg_sleep(0.002);
            COMMIT;
        END LOOP; END \$\$" -c "SELECT extract(epoch FROM clock_timestamp())"
}

mark=0
send_mark() { on_source -c "INSERT INTO mark VALUES ($mark, clock_timestamp())"; }

through() {  # one mark to and fro: everything before has arrived
    mark=$((mark + 1))
    send_mark
    timeout 120 bash -c "until [ \"\$(psql -X -q -A -t 'postgresql://postgres@127.0.0.1:$target_port/$database' \
        -c 'SELECT 1 FROM mark WHERE id = $mark')\" = 1 ]; do sleep 0.05; done" || fail "nothing arrives on the target"
}

# load changes statement: one transaction, counted from its commit.
one_transaction() {
    local load=$1 changes=$2 watcher stored
    stored=$(stream_bytes)
    mark=$((mark + 1))
    watch_for "$mark" >"$directory/seen" &
    watcher=$!
    on_source -c "$3" -c "INSERT INTO mark VALUES ($mark, clock_timestamp())"
    costs_begin
    wait "$watcher"
    local costs
    costs=$(costs_end)
    [ -z "$stored" ] || costs+=", stored $(((($(stream_bytes) - stored) + changes / 2) / changes)) B/change"
    record "$load" "$system" \
        "$(per_second "$changes" "$(on_source -c "SELECT extract(epoch FROM at) FROM mark WHERE id = $mark")" "$(cat "$directory/seen")")" \
        "$costs"
}

# load pgbench's arguments: the readers stand still while pgbench writes, then catch up.
backlog() {
    local load=$1 watcher stopped from
    shift
    stopped=$("${system}_pids")
    # shellcheck disable=SC2086
    kill -STOP $stopped
    "$newest/pgbench" -n -c 4 -j 1 -t $((transactions / 4)) "$@" \
        "postgresql://postgres@127.0.0.1:$source_port/$database" >/dev/null 2>&1
    mark=$((mark + 1))
    send_mark
    watch_for "$mark" >"$directory/seen" &
    watcher=$!
    sleep 0.2
    costs_begin
    from=$(now)
    # shellcheck disable=SC2086
    kill -CONT $stopped
    wait "$watcher"
    record "$load" "$system" "$(per_second "$transactions" "$from" "$(cat "$directory/seen")")" "$(costs_end)"
}

# The target's eye: when it saw each row of `lat`, looking every 0.2 ms at the highest key, until it sees the mark.
eye_opens() {
    echo "INSERT INTO lat SELECT coalesce(max(id), 0) + 1, clock_timestamp() FROM lat" >"$directory/latency.sql"
    mark=$((mark + 1))
    on_target -c "CREATE UNLOGGED TABLE seen (id int, at timestamptz)"
    on_target -c "DO \$\$
        DECLARE last int := 0; newest int;
        BEGIN
            LOOP
                SELECT max(id) INTO newest FROM lat;
                IF newest > last THEN
                    INSERT INTO seen SELECT i, clock_timestamp() FROM generate_series(last + 1, newest) AS i;
                    last := newest;
                END IF;
                PERFORM 1 FROM mark WHERE id = $mark;
                EXIT WHEN found;
                PERFORM pg_sleep(0.0002);
                COMMIT;
            END LOOP;
        END \$\$" &
    eye=$!
    sleep 0.3
    costs_begin
}
eye_closes() {  # rows that come before the measured ones
    local costs p
    send_mark
    wait "$eye"
    costs=$(costs_end)
    for p in 50 95 99 100; do
        record "p$p" "$system" "$(on_target -c "SELECT round((percentile_cont($p / 100.0) WITHIN GROUP
            (ORDER BY extract(epoch FROM seen.at - lat.sent) * 1000))::numeric, 2)
            FROM seen JOIN lat USING (id) WHERE id > $1")" "$costs"
        costs=
    done
}

# One row per transaction, 500 a second for 20 s.
latency() {
    eye_opens
    "$newest/pgbench" -n -c 1 -M prepared -R 500 -t 10000 -f "$directory/latency.sql" \
        "postgresql://postgres@127.0.0.1:$source_port/$database" >/dev/null 2>&1
    eye_closes 500
}

# Kuvasz-streamer's load: pgbench with 10 partitions at 2,500 transactions a second for ten minutes; 20 rows a second
# are looked for. RATE_SCALE, RATE and RATE_SECONDS make it another.
at_rate() {
    local load
    eye_opens
    "$newest/pgbench" -n -c 8 -j 1 -M prepared -R "$rate" -T "$rate_seconds" \
        "postgresql://postgres@127.0.0.1:$source_port/$database" >"$directory/rate" 2>&1 &
    load=$!
    "$newest/pgbench" -n -c 1 -M prepared -R 20 -T "$rate_seconds" -f "$directory/latency.sql" \
        "postgresql://postgres@127.0.0.1:$source_port/$database" >/dev/null 2>&1
    wait "$load"
    record rate "$system" "$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$directory/rate")" ''
    eye_closes 20
}

measure() {
    database=bench_${round}_$system
    fresh_databases
    "${system}_start"
    through
    if wanted insert || wanted update || wanted delete; then
        one_transaction insert "$rows" "INSERT INTO users SELECT i, i * 7919 % 1000003, 'user number ' || i,
            jsonb_build_object('city', 'c' || i % 977, 'tags', i % 13), (i * 31 % 10000000) / 100.0,
            timestamp '2020-01-01' + i * interval '1 second' FROM generate_series(1, $rows::bigint) AS i"
        one_transaction update "$fewer" "UPDATE users SET balance = balance + 1, name = name || '!' WHERE id <= $fewer"
        one_transaction delete "$fewer" "DELETE FROM users WHERE id <= $fewer"
        case $system in
            masked | source_masked) check_masked ;;
            five) check_five ;;
            tenant | append | history) check_kept "$system" ;;
            *) check_equal users ;;
        esac
    fi
    if wanted wide; then
        one_transaction wide "$wide" "UPDATE wide SET counter = counter + 1"
        check_equal wide
    fi
    if wanted pgbench; then
        backlog pgbench -M prepared
        check_equal pgbench_accounts
        check_equal pgbench_history
    fi
    if wanted shop; then
        examples/generate-shop --scale $shop_scale load >"$directory/shop.sql"
        PGOPTIONS='-c search_path=shop,public' backlog shop --random-seed=7 -f "$directory/shop.sql"
        for table in users subscriptions orders; do check_equal shop.$table; done
    fi
    if wanted latency; then latency; fi
    if wanted_by_name rate; then
        at_rate
        for table in pgbench_accounts pgbench_branches pgbench_tellers pgbench_history; do check_equal $table; done
    fi
    "${system}_stop"
    drop_databases
}

for round in $(seq "$rounds"); do
    echo "round $round"
    for system in $systems; do measure; done
done
echo "medians"
for load in insert update delete wide; do summary $load changes/s native pgsluice; done
for ruled in masked source_masked five; do
    case " $systems " in *" $ruled "*) for load in insert update delete; do summary $load changes/s pgsluice $ruled; done ;; esac
done
case $systems in *sealed*)
    for load in insert update delete wide; do summary $load changes/s pgsluice sealed; done
    summary pgbench transactions/s pgsluice sealed ;;
esac
for kept in tenant append history; do
    case $systems in *$kept*) for load in insert update delete; do summary $load changes/s pgsluice $kept; done ;; esac
done
case $systems in *compressed*)
    for load in insert update delete wide; do summary $load changes/s pgsluice compressed; done
    summary pgbench transactions/s pgsluice compressed ;;
esac
for peer in "${!peers[@]}"; do
    for load in insert update delete wide pgbench shop; do summary $load changes/s "$peer" pgsluice; done
    for p in p50 p95 p99 p100; do summary $p ms "$peer" pgsluice; done
done
for load in pgbench shop; do summary $load transactions/s native pgsluice; done
summary rate transactions/s native pgsluice
for p in p50 p95 p99 p100; do summary $p ms native pgsluice; done
