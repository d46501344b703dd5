# Sourced by tests/bench/run: what --track-ddl costs the source, for each command, and while nothing is altered.
#
# Two databases of one cluster, each with 100 tables and a replicator, `tracked` with --track-ddl and `plain` without.
# Each round runs the same commands in both, in turn, one client on its own, which rests after each command, so that
# the replicator's work is not counted where cores are few. Two values: a command's mean time for the client, and the
# mean CPU time that its backend took for it, which other work on the machine changes less.
rows=${rows:-100}
[ "$systems" != 'native pgsluice' ] || systems='plain tracked'

script_columns='ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 1; ALTER TABLE t DROP COLUMN c;'
script_tables='CREATE TABLE made (id serial PRIMARY KEY, t int REFERENCES t, v text DEFAULT $$x$$); DROP TABLE made;'
script_indexes='CREATE INDEX made ON t (v); DROP INDEX made;'
script_keys='ALTER TABLE t ADD CONSTRAINT made CHECK (id > 0) NOT VALID; ALTER TABLE t DROP CONSTRAINT made;'
script_comments='COMMENT ON TABLE t IS $$what it is$$;'
script_updates='UPDATE u SET v = v + 1 WHERE id = 1 + :client_id;'  # no command at all

echo "ddl: $rows transactions of each kind and system in each of $rounds rounds, $(nproc) cores; ms for each command"
start_nats
for system in $systems; do
    database=$system
    psql_at "$source_port" postgres -c "CREATE DATABASE $system"
    on_source -c "DO 'BEGIN FOR i IN 1..100 LOOP EXECUTE format(''CREATE TABLE other%s (id serial PRIMARY KEY, a text,
                  b numeric(10,2) DEFAULT 0, c timestamptz)'', i); END LOOP; END'"
    on_source -c "CREATE TABLE u (id int PRIMARY KEY, v int); INSERT INTO u SELECT i, 0 FROM generate_series(1, 10) i;
                  CREATE TABLE t (id int PRIMARY KEY, v text)"
    more=()
    [ "$system" = plain ] || more=(--track-ddl)
    "$pgsluice" replicator --group "$system" --stream "${more[@]}" --nats-url "nats://127.0.0.1:$nats_port" \
        --source-url "postgresql://postgres@127.0.0.1:$source_port/$system" >"$directory/$system.log" 2>&1 &
    pids+=($!)
    until [ "$(on_source -c "SELECT active FROM pg_replication_slots WHERE slot_name = 'pgsluice_$system'")" = t ]; do
        kill -0 "${pids[-1]}" || fail "the replicator ended"
        sleep 0.1
    done
done

# kind: with a table that no earlier round has used up the column numbers of.
measure() {
    local script=script_$1
    on_source -c "DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, v text)"
    sed 's/; */;\n\\sleep 25 ms\n/g' <<<"${!script}" >"$directory/script.sql"
    pgbench -n -r -f "$directory/script.sql" -c 1 -t "$rows" "postgresql://postgres@127.0.0.1:$source_port/$database" \
        2>&1 >"$directory/pgbench.log" || fail "pgbench: $(tail -n 3 "$directory/pgbench.log")"
    record "$1" "$system" "$(awk '/^statement latencies/ { lines = 1; next }
        lines && !/\\sleep/ { sum += $1; ++n } END { printf "%.3f", sum / n }' "$directory/pgbench.log")"
}

# From within the backend, whose own CPU time is in /proc.
measure_cpu() {
    local script=script_$1 taken="SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);"
    on_source -c "DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, v text)"
    sed 's/; */;\n/g; s/:client_id/0/g' <<<"${!script}" >"$directory/commands.sql"
    {
        for _ in 1 2 3; do cat "$directory/commands.sql"; done  # plans are made
        echo "$taken"
        for _ in $(seq "$rows"); do sed 's/^/SELECT pg_sleep(0.025); /' "$directory/commands.sql"; done
        echo "$taken"
    } | on_source -q -f - | grep -E '^[0-9]+$' >"$directory/taken" || fail "psql"
    record "$1" "$system.cpu" "$(awk -v n=$((rows * $(grep -c ';' "$directory/commands.sql"))) 'NR == 1 { begin = $1 }
        END { printf "%.3f", ($1 - begin) / n / 1e6 }' "$directory/taken")"
}

kinds=${only:-columns tables indexes keys comments updates}
for round in $(seq "$rounds"); do
    for kind in ${kinds//,/ }; do
        # Who is first changes from round to round.
        for system in $([ $((round % 2)) = 0 ] && echo "$systems" || echo "$systems" | tac -s ' ' | tr '\n' ' '); do
            database=$system
            measure "$kind"
            measure_cpu "$kind"
        done
    done
done
echo
for kind in ${kinds//,/ }; do
    for what in '' .cpu; do
        awk -v kind="$kind$what" -v a="$(median "$kind" "plain$what")" -v b="$(median "$kind" "tracked$what")" \
            'BEGIN { printf "%-13s %7.3f ms plain, %7.3f ms tracked: %+.3f ms\n", kind, a, b, b - a }'
    done
done
