#include "consumer/decode/pgoutput_decoder.h"

#include <cctype>
#include <fmt/format.h>

#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

[[noreturn]] void broken(const std::string& what) {
  throw wire::Error(wire::ErrorKind::protocol, "pgoutput: " + what);
}

/// A tag as people read it: 'x', or 0x07 where there is nothing to see.
std::string shown(char tag) {
  if (std::isprint(static_cast<unsigned char>(tag)) != 0) return fmt::format("'{}'", tag);
  return fmt::format("0x{:02x}", static_cast<unsigned char>(tag));
}

wire::Lsn lsn(ByteReader& in) {
  return wire::Lsn{in.number<std::uint64_t>()};
}

// Braced initialisers below are evaluated in order ([dcl.init.list]), so they read like the protocol page.

Begin decode_begin(ByteReader& in) {
  return Begin{lsn(in), in.number<std::int64_t>(), in.number<std::uint32_t>()};
}

Commit decode_commit(ByteReader& in) {
  (void)in.number<std::uint8_t>();  // flags, unused
  return Commit{lsn(in), lsn(in), in.number<std::int64_t>()};
}

Origin decode_origin(ByteReader& in) {
  return Origin{lsn(in), in.string()};
}

Type decode_type(ByteReader& in) {
  return Type{in.number<std::uint32_t>(), in.string(), in.string()};
}

LogicalMessage decode_logical_message(ByteReader& in) {
  const bool transactional = (in.number<std::uint8_t>() & 1U) != 0;
  return LogicalMessage{transactional, lsn(in), in.string(), in.bytes(in.number<std::uint32_t>())};
}

StreamCommit decode_stream_commit(ByteReader& in) {
  const auto xid = in.number<std::uint32_t>();
  (void)in.number<std::uint8_t>();  // flags, unused
  return StreamCommit{xid, lsn(in), lsn(in), in.number<std::int64_t>()};
}

StreamAbort decode_stream_abort(ByteReader& in) {
  StreamAbort abort{in.number<std::uint32_t>(), in.number<std::uint32_t>(), {}, {}};
  if (in.remaining() > 0) {
    abort.abort_lsn = lsn(in);
    abort.abort_time_us = in.number<std::int64_t>();
  }
  return abort;
}

/// Messages that carry their transaction's id when they come inside a streamed block.
bool has_xid_in_stream(char tag) {
  return std::string_view("RYIUDTM").find(tag) != std::string_view::npos;
}

/// Messages that may come inside a streamed block.
bool belongs_in_stream(char tag) {
  return has_xid_in_stream(tag) || tag == 'O' || tag == 'E';
}

}  // namespace

std::uint32_t streamed_xid(std::string_view bytes) {
  ByteReader in(bytes);
  (void)in.character();  // the tag
  return in.number<std::uint32_t>();
}

Message PgoutputDecoder::decode(std::string_view bytes) {
  return decode(bytes, in_stream_);
}

Message PgoutputDecoder::decode_streamed(std::string_view bytes) {
  return decode(bytes, true);
}

bool PgoutputDecoder::is_streamed(std::string_view bytes) const {
  return in_stream_ && !bytes.empty() && has_xid_in_stream(bytes.front());
}

Message PgoutputDecoder::decode(std::string_view bytes, bool in_stream) {
  ByteReader in(bytes);
  const char tag = in.character();
  if (in_stream && !belongs_in_stream(tag)) broken(fmt::format("{} inside a streamed block", shown(tag)));
  if (in_stream && has_xid_in_stream(tag)) (void)in.number<std::uint32_t>();
  Message message = decode_body(tag, in);
  if (in.remaining() != 0) {
    broken(fmt::format("{} bytes too many at the end of a message {}", in.remaining(), shown(tag)));
  }
  return message;
}

Message PgoutputDecoder::decode_body(char tag, ByteReader& in) {
  switch (tag) {
    case 'B':
      return decode_begin(in);
    case 'C':
      return decode_commit(in);
    case 'O':
      return decode_origin(in);
    case 'R':
      return decode_relation(in);
    case 'Y':
      return decode_type(in);
    case 'I':
      return decode_insert(in);
    case 'U':
      return decode_update(in);
    case 'D':
      return decode_delete(in);
    case 'T':
      return decode_truncate(in);
    case 'M':
      return decode_logical_message(in);
    case 'S':
      return decode_stream_start(in);
    case 'E':
      return decode_stream_stop();
    case 'c':
      return decode_stream_commit(in);
    case 'A':
      return decode_stream_abort(in);
    default:
      broken(fmt::format("unknown message {}", shown(tag)));
  }
}

Tuple PgoutputDecoder::decode_tuple(ByteReader& in, std::vector<Value>& values) {
  values.resize(in.number<std::uint16_t>());
  for (Value& value : values) {
    switch (const char kind = in.character()) {
      case 'b':
        value = Value{ValueKind::binary, in.bytes(in.number<std::uint32_t>())};
        break;
      case 't':
        value = Value{ValueKind::text, in.bytes(in.number<std::uint32_t>())};
        break;
      case 'n':
        value = Value{ValueKind::null, {}};
        break;
      case 'u':
        value = Value{ValueKind::unchanged_toast, {}};
        break;
      default:
        broken(fmt::format("unknown kind {} of a column's value", shown(kind)));
    }
  }
  return values;
}

Relation PgoutputDecoder::decode_relation(ByteReader& in) {
  Relation relation{in.number<std::uint32_t>(), in.string(), in.string(), in.character(), {}};
  columns_.resize(in.number<std::uint16_t>());
  for (RelationColumn& column : columns_) {
    const bool is_key = (in.number<std::uint8_t>() & 1U) != 0;
    column = RelationColumn{is_key, in.string(), in.number<std::uint32_t>(), in.number<std::int32_t>()};
  }
  relation.columns = columns_;
  return relation;
}

Insert PgoutputDecoder::decode_insert(ByteReader& in) {
  const auto relation_id = in.number<std::uint32_t>();
  if (const char part = in.character(); part != 'N') {
    broken(fmt::format("an insert starts with {}, not with 'N'", shown(part)));
  }
  return Insert{relation_id, decode_tuple(in, new_values_)};
}

Update PgoutputDecoder::decode_update(ByteReader& in) {
  Update update;
  update.relation_id = in.number<std::uint32_t>();
  char part = in.character();
  if (part == 'K' || part == 'O') {
    update.old_kind = part == 'K' ? OldTuple::key : OldTuple::full;
    update.old_tuple = decode_tuple(in, old_values_);
    part = in.character();
  }
  if (part != 'N') broken(fmt::format("an update holds {} where 'N' was due", shown(part)));
  update.new_tuple = decode_tuple(in, new_values_);
  return update;
}

Delete PgoutputDecoder::decode_delete(ByteReader& in) {
  const auto relation_id = in.number<std::uint32_t>();
  const char part = in.character();
  if (part != 'K' && part != 'O') {
    broken(fmt::format("a delete starts with {}, not with 'K' or 'O'", shown(part)));
  }
  return Delete{relation_id, part == 'K' ? OldTuple::key : OldTuple::full, decode_tuple(in, old_values_)};
}

Truncate PgoutputDecoder::decode_truncate(ByteReader& in) {
  const auto count = in.number<std::uint32_t>();
  const auto options = in.number<std::uint8_t>();
  if (in.remaining() / sizeof(std::uint32_t) < count) {
    broken(fmt::format("a truncate names {} tables in {} bytes", count, in.remaining()));
  }
  relation_ids_.resize(count);
  for (std::uint32_t& id : relation_ids_) id = in.number<std::uint32_t>();
  return Truncate{relation_ids_, (options & 1U) != 0, (options & 2U) != 0};
}

StreamStart PgoutputDecoder::decode_stream_start(ByteReader& in) {
  in_stream_ = true;
  return StreamStart{in.number<std::uint32_t>(), in.number<std::uint8_t>() == 1};
}

StreamStop PgoutputDecoder::decode_stream_stop() {
  if (!in_stream_) broken("a streamed block stops that never started");
  in_stream_ = false;
  return StreamStop{};
}

}  // namespace walstorm::consumer
