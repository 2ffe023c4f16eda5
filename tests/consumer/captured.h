#pragma once

#include <string>
#include <vector>

#include "proto/wire/lsn.h"

namespace walstorm::consumer::test {

struct CapturedMessage {
  wire::Lsn lsn;
  std::string bytes;
};

/// The messages of capture/`file`, made by capture/capture.sh from a real server.
[[nodiscard]] std::vector<CapturedMessage> captured(const std::string& file);

}  // namespace walstorm::consumer::test
