#include "orchestrator/trial/progress_line.h"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>

#include "orchestrator/text/format.h"

namespace walstorm::trial {
namespace {

constexpr std::size_t kUsualColumns = 80;

std::size_t columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col;
}

}  // namespace

void ProgressLine::show(const std::string& line) {
  if (display_.quiet || !display_.terminal) return;
  clear();
  out_ << text::clipped(line, columns() - 1) << std::flush;
  shown_ = true;
}

void ProgressLine::print(const std::string& line) {
  if (display_.quiet) return;
  clear();
  out_ << line << std::endl;
}

void ProgressLine::clear() {
  if (!shown_) return;
  out_ << "\r\x1b[K" << std::flush;  // to the line's start, and erase it (ECMA-48: EL)
  shown_ = false;
}

}  // namespace walstorm::trial
