#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "proto/wire/lsn.h"

/// The messages of pgoutput, the plugin behind PostgreSQL's own logical replication, protocol versions 1 to
/// 4: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
///
/// All views point into the bytes that were decoded, or into the decoder that decoded them: they are valid
/// until its next message. Timestamps are microseconds since PostgreSQL's epoch (wire::kPostgresEpochUnixUs).
namespace walstorm::consumer {

enum class ValueKind : std::uint8_t {
  null,
  unchanged_toast,  ///< 'u': the value exists, was not changed and is not sent. Not NULL.
  text,
  binary,
};

/// One column's value in a tuple.
struct Value {
  ValueKind kind = ValueKind::null;
  std::string_view bytes;

  friend bool operator==(const Value&, const Value&) = default;
};

using Tuple = std::span<const Value>;

struct Begin {
  wire::Lsn final_lsn;
  std::int64_t commit_time_us = 0;
  std::uint32_t xid = 0;
};

struct Commit {
  wire::Lsn commit_lsn;
  wire::Lsn end_lsn;  ///< where the next transaction may start: what can be confirmed
  std::int64_t commit_time_us = 0;
};

struct Origin {
  wire::Lsn commit_lsn;
  std::string_view name;
};

struct RelationColumn {
  bool is_key = false;  ///< part of the replica identity; with REPLICA IDENTITY FULL every column is
  std::string_view name;
  std::uint32_t type_oid = 0;
  std::int32_t type_modifier = -1;
};

struct Relation {
  std::uint32_t id = 0;
  std::string_view schema;  ///< empty for pg_catalog
  std::string_view name;
  char replica_identity = 'd';  ///< as pg_class.relreplident: d, n, f, i
  std::span<const RelationColumn> columns;
};

struct Type {
  std::uint32_t oid = 0;
  std::string_view schema;
  std::string_view name;
};

/// What an update or delete says of the row before it.
enum class OldTuple : std::uint8_t {
  none,
  key,   ///< 'K': the replica identity's columns only; the others are sent as null
  full,  ///< 'O': every column (REPLICA IDENTITY FULL)
};

struct Insert {
  std::uint32_t relation_id = 0;
  Tuple new_tuple;
};

struct Update {
  std::uint32_t relation_id = 0;
  OldTuple old_kind = OldTuple::none;
  Tuple old_tuple;
  Tuple new_tuple;
};

struct Delete {
  std::uint32_t relation_id = 0;
  OldTuple old_kind = OldTuple::key;
  Tuple old_tuple;
};

struct Truncate {
  std::span<const std::uint32_t> relation_ids;
  bool cascade = false;
  bool restart_identity = false;
};

/// pg_logical_emit_message's.
struct LogicalMessage {
  bool transactional = false;
  wire::Lsn lsn;
  std::string_view prefix;
  std::string_view content;
};

// A transaction sent before its end (protocol 2 and later).
struct StreamStart {
  std::uint32_t xid = 0;
  bool first_segment = false;
};
struct StreamStop {};
struct StreamCommit {
  std::uint32_t xid = 0;
  wire::Lsn commit_lsn;
  wire::Lsn end_lsn;
  std::int64_t commit_time_us = 0;
};
struct StreamAbort {
  std::uint32_t xid = 0;
  std::uint32_t subtransaction_xid = 0;
  /// Sent in protocol 4 with streaming = parallel only.
  std::optional<wire::Lsn> abort_lsn;
  std::optional<std::int64_t> abort_time_us;
};

using Message = std::variant<Begin, Commit, Origin, Relation, Type, Insert, Update, Delete, Truncate,
                             LogicalMessage, StreamStart, StreamStop, StreamCommit, StreamAbort>;

}  // namespace walstorm::consumer
