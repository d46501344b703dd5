# Sourced by the examples: pgsluice, a source, a target and a nats-server, all in a temporary directory on free ports, which
# are removed when the script ends. The databases are called shop.
pids=()
directory=
example=$(basename "$0")
declare -A started  # the processes' ids, by name

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
note() { printf '  %s\n' "$*"; }

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    [ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[@]}" 2>/dev/null || true
    if [ -n "$directory" ]; then
        for cluster in source target; do
            [ ! -f "$directory/$cluster/postmaster.pid" ] || server_of "$cluster" stop >/dev/null 2>&1 || true
        done
        rm -rf "$directory"
    fi
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {  # what; and the ends of all logs
    printf '\n%s: %s\n' "$example" "$1" >&2
    for log in "$directory"/*.log; do
        [ -s "$log" ] || continue
        printf '%s\n' "--- the end of $(basename "$log"):" >&2
        tail -n 20 "$log" >&2
    done
    exit 1
}

# PostgreSQL does not run as root.
as_server_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
    else
        "$@"
    fi
}

taken=" "
port=
choose_port() {
    while true; do
        port=$((12000 + RANDOM % 20000))
        [[ $taken == *" $port "* ]] && continue
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    taken+="$port "
}

# what condition...: waits until it holds, at most two minutes, and fails when one of our processes ends.
wait_for() {
    local what=$1 deadline=$((SECONDS + 120))
    shift
    until "$@"; do
        for pid in "${pids[@]}"; do
            kill -0 "$pid" 2>/dev/null || fail "a process ended while waiting for $what"
        done
        [ $SECONDS -lt $deadline ] || fail "gave up waiting for $what"
        sleep 0.1
    done
}

# name command...: in the background, with its output in NAME.out and its log in NAME.log.
start() {
    "${@:2}" >"$directory/$1.out" 2>"$directory/$1.log" </dev/null &
    started[$1]=$!
    pids+=("$!")
}

# name...: SIGTERM, and each must end with code 0.
end() {
    local name pid kept
    for name in "$@"; do kill -TERM "${started[$name]}"; done
    for name in "$@"; do
        wait "${started[$name]}" || fail "$name did not end with code 0"
        kept=()
        for pid in "${pids[@]}"; do [ "$pid" = "${started[$name]}" ] || kept+=("$pid"); done
        pids=("${kept[@]}")
    done
}

server_of() {  # cluster start|stop; source_programs, target_programs: where its version is, if not Debian's newest
    local where=$1_programs
    local programs_here=${!where:-$programs}
    if [ "$2" = stop ]; then
        as_server_user "$programs_here/pg_ctl" stop --silent --mode immediate -D "$directory/$1"
        return
    fi
    local port_of=$1_port
    as_server_user "$programs_here/initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
        -D "$directory/$1" >"$directory/$1.log" 2>&1 || fail "unable to make the $1 cluster"
    as_server_user "$programs_here/pg_ctl" start --silent --wait -D "$directory/$1" -l "$directory/$1/server.log" -o \
        "-p ${!port_of} -c listen_addresses=127.0.0.1 -c unix_socket_directories=$directory -c wal_level=logical -c fsync=off" \
        >>"$directory/$1.log" 2>&1 || fail "unable to start the $1 server"
    psql -X -q "postgresql://postgres@127.0.0.1:${!port_of}/postgres" -c "CREATE DATABASE shop"
}

psql_at() {  # port, psql's arguments
    local at=$1
    shift
    psql -X -q -A -t -v ON_ERROR_STOP=1 "postgresql://postgres@127.0.0.1:$at/${database:-shop}" "$@"
}
on_source() { psql_at "$source_port" "$@"; }
on_target() { psql_at "$target_port" "$@"; }
show() { sed 's/^/    /'; }

# PGSLUICE names a binary that is there already, for all that would be installed and built.
build() {
    pgsluice=${PGSLUICE:-build/release/pgsluice}
    [ -n "${PGSLUICE:-}" ] || examples/install-packages build server
    programs=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
    directory=$(mktemp -d "${TMPDIR:-/tmp}/pgsluice-$example.XXXXXX")
    chmod 755 "$directory"
    [ "$(id -u)" != 0 ] || chown postgres "$directory"
    [ -z "${PGSLUICE:-}" ] || return 0
    mkdir -p build
    { cmake --preset release && cmake --build --preset release --target pgsluice; } >"$directory/build.log" 2>&1 ||
        fail "unable to build"
}

nats_answers() { (: <>"/dev/tcp/127.0.0.1/$nats_port") 2>/dev/null; }
start_servers() {
    choose_port; source_port=$port
    choose_port; target_port=$port
    choose_port; nats_port=$port
    source_url=postgresql://postgres@127.0.0.1:$source_port/shop
    target_url=postgresql://postgres@127.0.0.1:$target_port/shop
    export PGSLUICE_NATS_URL=nats://127.0.0.1:$nats_port
    server_of source start
    server_of target start
    PATH=$PATH:/usr/sbin start nats nats-server --jetstream --addr 127.0.0.1 --port "$nats_port" \
        --store_dir "$directory/jetstream"
    wait_for "nats-server" nats_answers
}
