#include "consumer/decode/message_log.h"

#include <algorithm>
#include <cstring>

namespace walstorm::consumer {

MessageLog::~MessageLog() {
  for (const Chunk& chunk : chunks_) pool_.release(chunk);
}

void MessageLog::append(const HeldMessage& message) {
  const Header header{message.lsn.value, message.payload.size()};
  write({reinterpret_cast<const char*>(&header), sizeof header});
  write(message.payload);
}

void MessageLog::write(std::string_view bytes) {
  while (!bytes.empty()) {
    // The last chunk may have gone to the file half empty; it is not fetched back for the rest of its room.
    if (chunks_.empty() || !chunks_.back().in_memory || chunks_.back().used == ChunkPool::kChunkBytes) {
      Chunk& fresh = chunks_.emplace_back();
      try {
        pool_.open(fresh);
      } catch (...) {
        chunks_.pop_back();  // it is not the pool's, so the destructor must not give it back
        throw;
      }
    }
    Chunk& last = chunks_.back();
    const std::size_t size = std::min(bytes.size(), ChunkPool::kChunkBytes - last.used);
    std::memcpy(pool_.bytes_of(last) + last.used, bytes.data(), size);
    last.used += static_cast<std::uint32_t>(size);
    bytes.remove_prefix(size);
  }
}

std::optional<HeldMessage> MessageLog::take() {
  if (!skip_what_was_read()) return std::nullopt;
  Header header{};
  std::memcpy(&header, read(sizeof header).data(), sizeof header);
  return HeldMessage{wire::Lsn{header.lsn}, read(header.payload_bytes)};
}

/// The next `size` bytes, which the log has: where they lie, or put together.
std::string_view MessageLog::read(std::size_t size) {
  assembled_.clear();
  while (skip_what_was_read()) {
    const Chunk& first = chunks_.front();
    if (!first.in_memory && !is_loaded_) {
      loaded_.resize(ChunkPool::kChunkBytes);
      pool_.read(first, loaded_.data());
      is_loaded_ = true;
    }
    const char* const at = (first.in_memory ? pool_.bytes_of(first) : loaded_.data()) + read_;
    const std::size_t here = std::min<std::size_t>(size - assembled_.size(), first.used - read_);
    read_ += static_cast<std::uint32_t>(here);
    if (here == size) return {at, size};
    assembled_.append(at, here);
    if (assembled_.size() == size) break;
  }
  return assembled_;
}

/// Forgets the first chunks as far as they are read; false when nothing is left.
bool MessageLog::skip_what_was_read() {
  while (!chunks_.empty() && read_ == chunks_.front().used) {
    pool_.release(chunks_.front());
    chunks_.pop_front();
    read_ = 0;
    is_loaded_ = false;
  }
  return !chunks_.empty();
}

}  // namespace walstorm::consumer
