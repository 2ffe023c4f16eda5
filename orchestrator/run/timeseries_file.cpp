#include "orchestrator/run/timeseries_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <utility>

#include "orchestrator/report/timeseries_csv.h"
#include "proto/wire/error.h"

namespace walstorm::run {
namespace {

using process::BackgroundWriter;
using wire::Error;
using wire::ErrorKind;

/// Hours of lines, for a disk that stands still so long.
constexpr std::size_t kWaitingBytesMax = 16U << 20U;
/// Of a disk that takes nothing at the end.
constexpr std::chrono::seconds kStuckMax{60};

int open_new(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor >= 0) return descriptor;
  throw Error(ErrorKind::unavailable, fmt::format("write {}: {}; choose another place with --output",
                                                  path.string(), std::strerror(errno)));
}

}  // namespace

TimeseriesFile::TimeseriesFile(process::EventLoop& loop, const std::filesystem::path& folder,
                               std::vector<std::string> roles)
    : loop_(loop),
      roles_(std::move(roles)),
      writer_(std::make_unique<BackgroundWriter>(
          open_new(folder / report::kTimeseriesFile),
          BackgroundWriter::Options{kWaitingBytesMax, BackgroundWriter::Partial::taken_back, true})) {
  writer_->write(report::csv_header(roles_));
}

std::string TimeseriesFile::name() const {
  return report::kTimeseriesFile;
}

void TimeseriesFile::take(const measure::Second& second) {
  ++lines_;
  writer_->write(report::csv_line(second, roles_));
}

void TimeseriesFile::conclude(const measure::RunReport& /*report*/) {
  const bool all = writer_->finish(loop_, kStuckMax, loop_.interrupts());
  const BackgroundWriter::Losses losses = writer_->losses();
  if (losses.texts > 0) {
    throw Error(ErrorKind::unavailable, fmt::format("{} of its {} lines could not be written: {}",
                                                    losses.texts, lines_ + 1, process::reason_of(losses)));
  }
  if (!all) throw Error(ErrorKind::unavailable, "the disk had not taken its last lines when the run ended");
}

}  // namespace walstorm::run
