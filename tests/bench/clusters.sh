# Sourced by tests/bench/run: a source, a target, a nats-server; processes' costs; medians. Everything ends with the script.
newest=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
programs=${PG_PROGRAMS:-$newest}  # of the two servers; pgbench and psql are Debian's
directory=$(mktemp -d "${TMPDIR:-/tmp}/pgsluice-bench.XXXXXX")
chmod 777 "$directory"
results=$directory/results
touch "$results"
pids=()

clean_up() {
    local code=$?
    trap - EXIT
    [ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[@]}" 2>/dev/null || true
    for cluster in source target; do
        [ ! -f "$directory/$cluster/postmaster.pid" ] ||
            as_server_user "$programs/pg_ctl" stop -s -m immediate -D "$directory/$cluster" || true
    done
    rm -rf "$directory"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    printf 'bench: %s\n' "$1" >&2
    tail -n 20 "$directory"/*.log >&2
    exit 1
}

as_server_user() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; else "$@"; fi
}

taken=" "
choose_port() {
    while true; do
        port=$((12000 + RANDOM % 20000))
        [[ $taken != *" $port "* ]] && ! (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    done
    taken+="$port "
}

start_cluster() {  # name port
    as_server_user "$programs/initdb" --no-sync -A trust -U postgres -E UTF8 --locale=C.UTF-8 -D "$directory/$1" >/dev/null
    cat >>"$directory/$1/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $2
unix_socket_directories = '$directory'
fsync = off
full_page_writes = off
wal_level = logical
wal_sender_timeout = 5min
wal_receiver_timeout = 5min
logical_decoding_work_mem = 64MB
shared_buffers = 512MB
max_wal_size = 20GB
checkpoint_timeout = 1h
autovacuum = off
max_replication_slots = 200  # also of origins, of which each database of a round leaves one
${PG_SETTINGS:-}
jit = off
CONF
    as_server_user "$programs/pg_ctl" start -s -w -D "$directory/$1" -l "$directory/$1.server.log"
}

start_clusters() {
    choose_port; source_port=${SOURCE_PORT:-$port}
    choose_port; target_port=$port
    start_cluster source "$source_port"
    start_cluster target "$target_port"
}

# A new, empty nats-server.
start_nats() {
    choose_port; nats_port=$port
    PATH=$PATH:/usr/sbin nats-server -js -a 127.0.0.1 -p "$nats_port" -sd "$directory/jetstream" >"$directory/nats.log" 2>&1 &
    nats_pid=$!
    pids+=("$nats_pid")
    until (: <>"/dev/tcp/127.0.0.1/$nats_port") 2>/dev/null; do sleep 0.05; done
}

# What nats-server's files hold; nothing where there is none.
stream_bytes() { [ -z "${nats_pid:-}" ] || du -sb "$directory/jetstream" | cut -f1; }

end_process() {  # pid: SIGTERM, and it must end well
    kill -TERM "$1" 2>/dev/null || true
    wait "$1" || fail "a process ended with code $?"
    forget "$1"
}

forget() {
    local pid kept=()
    for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || kept+=("$pid"); done
    pids=("${kept[@]}")
}

stop_nats() {
    kill -TERM "$nats_pid"
    wait "$nats_pid" || true
    forget "$nats_pid"
    rm -rf "$directory/jetstream"
}

psql_at() {  # port database arguments...
    local at=$1 database=$2
    shift 2
    psql -X -q -A -t -v ON_ERROR_STOP=1 "postgresql://postgres@127.0.0.1:$at/$database" "$@"
}
on_source() { psql_at "$source_port" "$database" "$@"; }
on_target() { psql_at "$target_port" "$database" "$@"; }

check_equal() {  # table
    local query="SELECT count(*), coalesce(sum(hashtextextended(whole_row::text, 0)), 0) FROM $1 AS whole_row"
    [ "$(on_source -c "$query")" = "$(on_target -c "$query")" ] || fail "table $1 differs on the target"
}

# CPU ticks of a process, in REPLY; nothing is started for it, so that looking often costs what is measured nothing.
ticks_of() {
    local stat fields
    REPLY=0
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    read -ra fields <<<"${stat##*) }"
    REPLY=$((fields[11] + fields[12]))
}
# Of a cluster: its postmaster, its children, and those that have ended.
ticks_of_cluster() {
    local postmaster children child stat fields sum
    read -r postmaster <"$directory/$1/postmaster.pid"
    read -r stat <"/proc/$postmaster/stat"
    read -ra fields <<<"${stat##*) }"
    sum=$((fields[11] + fields[12] + fields[13] + fields[14]))
    read -ra children <"/proc/$postmaster/task/$postmaster/children" || true
    for child in "${children[@]}"; do
        ticks_of "$child"
        sum=$((sum + REPLY))
    done
    REPLY=$sum
}
# Highest resident memory of a process in MiB, in REPLY; empty when it has ended.
peak_of() {
    local name value rest
    REPLY=
    { while read -r name value rest; do
        [ "$name" != VmHWM: ] || { REPLY=$((value / 1024)); break; }
    done <"/proc/$1/status"; } 2>/dev/null || true
}
# What the adapter of a peer does and prints; an adapter may end late, its program's output goes to the log.
ask_peer() {  # name verb
    SOURCE_URL="postgresql://postgres@127.0.0.1:$source_port/$database" \
        TARGET_URL="postgresql://postgres@127.0.0.1:$target_port/$database" DIRECTORY=$directory \
        bash -c "${peers[$1]} $2" 2>>"$directory/peer.log" || fail "peer $1 fails to $2"
}

exec {never}<> <(:)
pause() { read -rt "$1" -u "$never" || true; }  # sleep, without a process

declare -A ticks_before figures
costs_begin() {
    figures=()
    pause 0.05  # until the session that has just ended is counted among the ended
    ticks_of_cluster source; ticks_before[source]=$REPLY
    ticks_of_cluster target; ticks_before[target]=$REPLY
    local name pid
    for name in nats replicator worker peer; do
        pid=${name}_pid
        ticks_before[$name]=0
        [ -z "${!pid:-}" ] || { ticks_of "${!pid}"; ticks_before[$name]=$REPLY; }
    done
}

# Takes down what one of our processes has used since costs_begin. One that has ended keeps its last figures.
look_at() {
    local pid=${1}_pid ticks
    [ -n "${!pid:-}" ] || return 0
    ticks_of "${!pid}"; ticks=$REPLY
    peak_of "${!pid}"
    [ -z "$REPLY" ] || figures[$1]="$((ticks - ticks_before[$1])) $REPLY"
}

# CPU seconds of both clusters since costs_begin.
costs_of_clusters() {
    local source
    ticks_of_cluster source; source=$((REPLY - ticks_before[source]))
    ticks_of_cluster target
    echo "source $(seconds "$source"), target $(seconds $((REPLY - ticks_before[target])))"
}

# CPU seconds and peak memory of everyone since costs_begin.
costs_end() {
    local name text ticks peak
    text=$(costs_of_clusters)
    for name in nats replicator worker peer; do
        look_at $name
        [ -n "${figures[$name]:-}" ] || continue
        read -r ticks peak <<<"${figures[$name]}"
        text+=", $name $(seconds "$ticks") ($peak MiB)"
    done
    echo "$text"
}
seconds() { awk -v ticks="$1" 'BEGIN { printf "%.2f", ticks / 100 }'; }

now() { date +%s.%N; }
per_second() { awk -v n="$1" -v from="$2" -v to="$3" 'BEGIN { printf "%.0f", n / (to - from) }'; }

# load system value [remark]: kept for the summary, and shown at once.
record() {
    echo "$1 $2 $3" >>"$results"
    printf '  %-10s %-16s %12s   %s\n' "$1" "$2" "$3" "${4:-}"
}

# load system: the values of the rounds, in their order.
values() { awk -v load="$1" -v who="$2" '$1 == load && $2 == who { print $3 }' "$results" | sort -n; }
range() { values "$@" | awk '{ v[NR] = $1 } END { if (NR > 1) print v[1] " to " v[NR] }'; }
median() { values "$@" |
    awk '{ v[NR] = $1 } END { if (NR) print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'; }

# load unit first-system systems...: medians of each, its ratio to the first, and the range of the rounds.
summary() {
    local load=$1 unit=$2 base=$3 system value
    shift 3
    value=$(median "$load" "$base")
    [ -n "$value" ] || return 0
    printf '%-10s %-16s %12s %s   %s\n' "$load" "$base" "$value" "$unit" "$(range "$load" "$base")"
    for system in "$@"; do
        [ -n "$(median "$load" "$system")" ] || continue
        printf '%-10s %-16s %12s %s   %s x %s   %s\n' "$load" "$system" "$(median "$load" "$system")" "$unit" \
            "$(awk -v a="$(median "$load" "$system")" -v b="$value" 'BEGIN { printf "%.2f", a / b }')" "$base" \
            "$(range "$load" "$system")"
    done
}
