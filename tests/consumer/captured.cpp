#include "captured.h"

#include <fstream>
#include <stdexcept>

namespace walstorm::consumer::test {

std::vector<CapturedMessage> captured(const std::string& file) {
  std::ifstream in(std::string(WALSTORM_CAPTURE_DIR) + "/" + file);
  std::vector<CapturedMessage> messages;
  std::string lsn;
  std::string hex;
  while (in >> lsn >> hex) {
    CapturedMessage& message = messages.emplace_back();
    message.lsn = wire::parse_lsn(lsn);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      message.bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
  }
  if (messages.empty()) throw std::runtime_error("no captured messages in " + file);
  return messages;
}

}  // namespace walstorm::consumer::test
