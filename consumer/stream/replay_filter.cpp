#include "consumer/stream/replay_filter.h"

#include <algorithm>
#include <limits>

namespace walstorm::consumer {

void ReplayFilter::begin(wire::Lsn commit) {
  commit_ = commit;
  records_ = 0;
  seen_before_ = 0;
  if (commit <= complete_) {
    seen_before_ = std::numeric_limits<std::uint64_t>::max();
  } else if (commit == cut_off_) {
    seen_before_ = cut_off_records_;
  }
}

bool ReplayFilter::commit() {
  const bool first_time = commit_ > complete_;
  complete_ = std::max(complete_, commit_);
  return first_time;
}

void ReplayFilter::connection_lost() {
  if (commit_ > complete_) {
    // The replay itself may have been cut off, earlier than the first time.
    cut_off_records_ = std::max(commit_ == cut_off_ ? cut_off_records_ : 0, records_);
    cut_off_ = commit_;
  }
  commit_ = complete_;
  records_ = 0;
}

}  // namespace walstorm::consumer
