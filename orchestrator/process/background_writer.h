#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "orchestrator/process/event_loop.h"

namespace walstorm::process {

/// Writes texts to a descriptor on a thread of its own, in their order, so that a stopped terminal, a pipe
/// that nobody reads or a slow disk holds up that thread and never the loop that judges.
///
/// Made and used on the main thread. The two share a queue under a mutex, and nothing else: the thread may be
/// stuck in write(2) for as long as Ctrl-S lasts and is then left behind at the end, so it must not post to a
/// loop that may be gone by then.
class BackgroundWriter final {
 public:
  /// What becomes of a text of which only a part could be written.
  enum class Partial {
    stays,      ///< a terminal, a pipe: it is out
    taken_back  ///< a file of ours: cut off again, so that the next text begins where this one did
  };
  struct Options {
    std::size_t waiting_bytes_max = 0;  ///< what is queued beyond that is lost
    Partial partial = Partial::stays;
    bool owns_descriptor = false;
  };

  BackgroundWriter(int descriptor, Options options);
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;
  /// Leaves behind what is not written within a second: call finish() before.
  ~BackgroundWriter();

  /// Queues a text. It is lost when too much is waiting.
  void write(std::string text);
  /// Nothing waits: what is given now is written at once.
  [[nodiscard]] bool is_idle() const;

  struct Losses {
    std::uint64_t texts = 0;  ///< not written, or not to their end
    int error = 0;            ///< errno of the first one that could not be written; 0: too much was waiting
  };
  [[nodiscard]] Losses losses() const;

  /// Turns the loop until all is written. There is no deadline, for a terminal may be stopped for as long as
  /// its owner likes: more than `interrupts_tolerated` interrupts end it, and so does `timeout` without
  /// progress. False when something is left.
  bool finish(EventLoop& loop, std::chrono::milliseconds timeout, int interrupts_tolerated);

 private:
  struct Shared;
  static void serve(Shared& shared);

  std::shared_ptr<Shared> shared_;  // the thread's too: it may be left behind
  std::thread thread_;
};

/// "No space left on device"; "more was waiting than is kept" for losses without an error.
[[nodiscard]] std::string reason_of(const BackgroundWriter::Losses& losses);

}  // namespace walstorm::process
