#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "consumer/decode/chunk_pool.h"
#include "proto/wire/lsn.h"

namespace walstorm::consumer {

/// A message of the stream that is held back, as it came. `payload` is valid until the log is next touched.
struct HeldMessage {
  wire::Lsn lsn;
  std::string_view payload;
};

/// Messages in order: written at one end, later read and forgotten from the other. Nothing is allocated per
/// message; one may be larger than a chunk, and larger than the pool's memory.
class MessageLog final {
 public:
  /// `pool` outlives the log.
  explicit MessageLog(ChunkPool& pool) : pool_(pool) {}
  MessageLog(const MessageLog&) = delete;
  MessageLog& operator=(const MessageLog&) = delete;
  ~MessageLog();

  void append(const HeldMessage& message);

  /// Takes the first message; nullopt when there is none left. Do not append after the first take.
  [[nodiscard]] std::optional<HeldMessage> take();

 private:
  struct Header {
    std::uint64_t lsn;
    std::uint64_t payload_bytes;
  };

  void write(std::string_view bytes);
  [[nodiscard]] std::string_view read(std::size_t size);
  [[nodiscard]] bool skip_what_was_read();

  ChunkPool& pool_;
  std::deque<Chunk> chunks_;  // addresses stay as they are while it grows and shrinks at its ends
  std::uint32_t read_ = 0;    // of the first chunk
  std::string loaded_;        // the first chunk, when it was in the file
  bool is_loaded_ = false;
  std::string assembled_;  // a message that lies in several chunks
};

}  // namespace walstorm::consumer
