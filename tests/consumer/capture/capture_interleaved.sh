#!/bin/sh
# Makes interleaved*.hex beside it: transactions of three sessions that a server of version 16 or later streams change
# by change as they happen (debug_logical_replication_streaming), one message per line, "LSN<tab>hex". In WAL order:
#   a inserts 1; b inserts 2; a inserts 4 in a sub-transaction, 8 in one within that, 16 in the outer again, and takes
#   all three back; b updates its row; a writes a marker and inserts 32; c inserts 64 and rolls back; b commits; a commits;
#   d inserts 128, adds a column to the table, inserts 256, deletes the row of 1, commits.
# Usage: capture_interleaved.sh PGBIN, as root or as an ordinary user. Starts a server of its own and removes it.
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
home=$(mktemp -d)
as_postgres=
if [ "$(id -u)" = 0 ]; then
  chown postgres "$home"
  as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups"
fi
cd "$home"
$as_postgres "$bin/initdb" -D "$home/data" -U postgres -A trust >/dev/null
$as_postgres "$bin/postgres" -D "$home/data" -c listen_addresses= -c unix_socket_directories="$home" -c wal_level=logical \
  -c debug_logical_replication_streaming=immediate -c fsync=off 2>"$home/log" &
server=$!
trap 'exec 3>&- 4<&- 5>&- 6<&-; kill -QUIT $server; wait $server 2>/dev/null || true; rm -rf "$home"' EXIT
export PGHOST="$home" PGUSER=postgres PGDATABASE=postgres
for _ in $(seq 100); do psql -qc '' 2>/dev/null && break || sleep 0.1; done

psql -qAt -v ON_ERROR_STOP=1 <<'SQL' >/dev/null
CREATE TABLE run (id text PRIMARY KEY, row_hash bigint NOT NULL, note text);
ALTER TABLE run REPLICA IDENTITY FULL;
CREATE PUBLICATION captured FOR TABLE run;
SELECT pg_create_logical_replication_slot('captured', 'pgoutput');
SQL

# Two sessions that stay open: their input and output are pipes, and a command is done when its echo comes back.
mkfifo a.in a.out b.in b.out
psql -qAt -v ON_ERROR_STOP=1 <a.in >a.out &
exec 3>a.in 4<a.out
psql -qAt -v ON_ERROR_STOP=1 <b.in >b.out &
exec 5>b.in 6<b.out
a() {
  printf '%s\n\\echo done\n' "$1" >&3
  while read -r line <&4; do [ "$line" = done ] && break; done
}
b() {
  printf '%s\n\\echo done\n' "$1" >&5
  while read -r line <&6; do [ "$line" = done ] && break; done
}
a "BEGIN; INSERT INTO run VALUES ('a1', 1);"
b "BEGIN; INSERT INTO run VALUES ('b1', 2);"
a "SAVEPOINT outer_part; INSERT INTO run VALUES ('a2', 4);"
a "SAVEPOINT inner_part; INSERT INTO run VALUES ('a3', 8); RELEASE inner_part;"
a "INSERT INTO run VALUES ('a4', 16); ROLLBACK TO outer_part; RELEASE outer_part;"
b "UPDATE run SET note = 'updated' WHERE id = 'b1';"
a "SELECT pg_logical_emit_message(true, 'walstorm', 'phase-end run-1 0'); INSERT INTO run VALUES ('a5', 32);"
psql -qAtc "BEGIN; INSERT INTO run VALUES ('c1', 64); ROLLBACK"
b "COMMIT;"
a "COMMIT;"
psql -qAtc "BEGIN; INSERT INTO run VALUES ('d1', 128); ALTER TABLE run ADD COLUMN extra integer;
  INSERT INTO run VALUES ('d2', 256, NULL, 7); DELETE FROM run WHERE id = 'a1'; COMMIT"

peek() { # slot options...
  psql -qAt -F "$(printf '\t')" -c "SELECT lsn, encode(data, 'hex') FROM pg_logical_slot_peek_binary_changes(
    'captured', NULL, NULL, 'publication_names', 'captured', 'messages', 'true', $*)" </dev/null
}
peek "'proto_version', '2', 'streaming', 'on'" >"$here/interleaved.hex"
peek "'proto_version', '4', 'streaming', 'parallel', 'binary', 'true'" >"$here/interleaved_parallel.hex"
