#include "proto/wire/error.h"

namespace walstorm::wire {

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::config:
      return "config";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::protocol:
      return "protocol";
    case ErrorKind::data:
      return "data";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace walstorm::wire
