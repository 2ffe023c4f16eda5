#pragma once

#include <functional>
#include <ostream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <utility>

#include "orchestrator/process/background_writer.h"

namespace walstorm::process {

/// Standard output, whatever that is: a stream whose text is written in the background (background_writer.h).
/// What was put in goes out with a flush.
class Terminal final {
 public:
  /// What is shown of a text.
  using Shown = std::function<std::string(const std::string&)>;

  explicit Terminal(Shown shown, int descriptor = STDOUT_FILENO);

  [[nodiscard]] std::ostream& out() { return out_; }
  /// False while it has not taken what it was given, as after Ctrl-S: no time to redraw.
  [[nodiscard]] bool is_idle() const { return writer_.is_idle(); }
  /// Waits until it has taken all, or a person ends that. Says on stderr what it refused, but for a reader
  /// that went away (| head), who wanted no more.
  void finish(EventLoop& loop);

 private:
  class Buffer final : public std::stringbuf {
   public:
    Buffer(BackgroundWriter& writer, Shown shown) : writer_(writer), shown_(std::move(shown)) {}

   protected:
    int sync() override;

   private:
    BackgroundWriter& writer_;
    Shown shown_;
  };

  BackgroundWriter writer_;
  Buffer buffer_;
  std::ostream out_;
};

}  // namespace walstorm::process
