#!/bin/sh
# Makes the fixtures beside it: what a real server sends for workload.sql and streamed.sql, one message per line,
# "LSN<tab>hex". Usage: capture.sh [PGBIN], as root or as an ordinary user. Starts a server of its own and removes it.
set -eu
bin=${1:-/usr/lib/postgresql/15/bin}
here=$(cd "$(dirname "$0")" && pwd)
home=$(mktemp -d)
as_postgres=
if [ "$(id -u)" = 0 ]; then
  chown postgres "$home"
  as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups"
fi
cd "$home"
$as_postgres "$bin/initdb" -D "$home/data" -U postgres -A trust >/dev/null
$as_postgres "$bin/postgres" -D "$home/data" -c listen_addresses= -c unix_socket_directories="$home" \
  -c wal_level=logical -c logical_decoding_work_mem=64kB -c fsync=off 2>"$home/log" &
server=$!
trap 'kill -QUIT $server; wait $server 2>/dev/null || true; rm -rf "$home"' EXIT
export PGHOST="$home" PGUSER=postgres PGDATABASE=postgres PGOPTIONS="-c timezone=Asia/Kolkata"
for _ in $(seq 100); do psql -qc '' 2>/dev/null && break || sleep 0.1; done

peek() { # slot options...
  slot=$1
  shift
  psql -qAt -F "$(printf '\t')" -c "SELECT lsn, encode(data, 'hex') FROM pg_logical_slot_peek_binary_changes(
    '$slot', NULL, NULL, 'publication_names', 'captured', 'messages', 'true', $*)" </dev/null
}
psql -q -v ON_ERROR_STOP=1 -f "$here/workload.sql" >/dev/null
peek captured "'proto_version', '1'" >"$here/text.hex"
peek captured "'proto_version', '1', 'binary', 'true'" >"$here/binary.hex"
psql -q -v ON_ERROR_STOP=1 -f "$here/streamed.sql" >/dev/null
peek streamed "'proto_version', '2', 'streaming', 'on'" >"$here/streamed.hex"
