#include "proto/wire/host_name.h"

#include <array>
#include <unistd.h>

#include "proto/wire/utf8.h"

namespace walstorm::wire {

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return to_utf8(name.data());
}

}  // namespace walstorm::wire
