#include "orchestrator/process/terminal.h"

#include <cerrno>
#include <fmt/format.h>

namespace walstorm::process {
namespace {

constexpr std::size_t kWaitingBytesMax = 1U << 20U;
/// Of a terminal that takes nothing.
constexpr std::chrono::hours kStoppedMax{1};

}  // namespace

Terminal::Terminal(Shown shown, int descriptor)
    : writer_(descriptor, {kWaitingBytesMax, BackgroundWriter::Partial::stays, false}),
      buffer_(writer_, std::move(shown)),
      out_(&buffer_) {}

void Terminal::finish(EventLoop& loop) {
  out_.flush();
  const bool all = writer_.finish(loop, kStoppedMax, loop.interrupts());
  const auto losses = writer_.losses();
  if (!all || losses.texts == 0 || losses.error == EPIPE) return;
  fmt::print(stderr, "walstorm: standard output did not take all that was to be shown: {}\n",
             reason_of(losses));
}

int Terminal::Buffer::sync() {
  writer_.write(shown_(str()));
  str("");
  return 0;
}

}  // namespace walstorm::process
