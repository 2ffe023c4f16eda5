#include "consumer/decode/spill_file.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

#include "proto/wire/error.h"

namespace walstorm::consumer {

SpillFile::~SpillFile() {
  if (file_ >= 0) ::close(file_);
}

void SpillFile::open() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(error);  // TMPDIR, else /tmp
  if (error) {
    throw wire::Error(wire::ErrorKind::unavailable,
                      fmt::format("hold streamed transactions in a temporary file: TMPDIR: {}: set it to a "
                                  "folder that exists",
                                  error.message()));
  }
  folder_ = folder.string();
  std::string name = (folder / "walstorm-stream-XXXXXX").string();
  file_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (file_ < 0 || ::unlink(name.c_str()) != 0) fail("make");
}

std::uint64_t SpillFile::write(std::string_view bytes) {
  if (file_ < 0) open();
  const bool reused = !free_.empty();
  const std::uint64_t slot = reused ? free_.back() : slots_;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = ::pwrite(file_, bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(slot * slot_bytes_ + done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write to");
    done += static_cast<std::size_t>(written);
  }
  if (reused) {
    free_.pop_back();
  } else {
    ++slots_;
  }
  return slot;
}

void SpillFile::read(std::uint64_t slot, std::span<char> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        ::pread(file_, into.data() + done, into.size() - done, static_cast<off_t>(slot * slot_bytes_ + done));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO;  // shorter than it was left
    if (got <= 0) fail("read from");
    done += static_cast<std::size_t>(got);
  }
}

void SpillFile::release(std::uint64_t slot) {
  free_.push_back(slot);
  if (free_.size() < slots_) return;
  free_.clear();
  slots_ = 0;
  if (::ftruncate(file_, 0) != 0) fail("empty");
}

void SpillFile::fail(const char* doing) const {
  const std::string reason = std::generic_category().message(errno);
  throw wire::Error(
      wire::ErrorKind::unavailable,
      fmt::format("{} the temporary file in {} that holds streamed transactions ({} MB so far): {}: make "
                  "room there, set TMPDIR to a larger disk, or set consumer.streaming to \"off\"",
                  doing, folder_, slots_in_use() * slot_bytes_ >> 20U, reason));
}

}  // namespace walstorm::consumer
