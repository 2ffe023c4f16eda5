#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "consumer/decode/byte_reader.h"
#include "consumer/decode/pgoutput_message.h"

namespace walstorm::consumer {

/// Bytes of pgoutput -> Message. Pure: no connection, no clock.
///
/// Allocates nothing once its vectors have grown to the widest table: values are views into the message.
/// Knows one thing between messages: whether it is inside a streamed block, where a transaction id stands
/// before the body.
class PgoutputDecoder final {
 public:
  /// Decodes one message, the payload of one XLogData. The result is valid until the next call, and while
  /// `bytes` is. Throws Error{protocol} for a message that is unknown, truncated, or longer than it should
  /// be: skipping any of those could lose rows.
  [[nodiscard]] Message decode(std::string_view bytes);

  /// The same for a message that came inside a streamed block, wherever the stream is now.
  [[nodiscard]] Message decode_streamed(std::string_view bytes);

  /// Whether `bytes` are of a change, or of what goes with one, inside a streamed block: with its
  /// transaction's id behind the tag, and to be held back until that has ended.
  [[nodiscard]] bool is_streamed(std::string_view bytes) const;

  /// The stream begins anew, outside any block.
  void reset() { in_stream_ = false; }

 private:
  [[nodiscard]] Message decode(std::string_view bytes, bool in_stream);
  [[nodiscard]] Message decode_body(char tag, ByteReader& in);
  [[nodiscard]] Tuple decode_tuple(ByteReader& in, std::vector<Value>& values);
  [[nodiscard]] Relation decode_relation(ByteReader& in);
  [[nodiscard]] Insert decode_insert(ByteReader& in);
  [[nodiscard]] Update decode_update(ByteReader& in);
  [[nodiscard]] Delete decode_delete(ByteReader& in);
  [[nodiscard]] Truncate decode_truncate(ByteReader& in);
  [[nodiscard]] StreamStart decode_stream_start(ByteReader& in);
  [[nodiscard]] StreamStop decode_stream_stop();

  // Reused from message to message.
  std::vector<Value> new_values_;
  std::vector<Value> old_values_;
  std::vector<RelationColumn> columns_;
  std::vector<std::uint32_t> relation_ids_;
  bool in_stream_ = false;
};

/// The (sub-)transaction of a message that PgoutputDecoder::is_streamed.
[[nodiscard]] std::uint32_t streamed_xid(std::string_view bytes);

}  // namespace walstorm::consumer
