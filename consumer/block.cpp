#include "consumer/block.h"

#include <fmt/format.h>

#include "consumer/encoded_block.h"
#include "consumer/json_compact_encoder.h"
#include "consumer/native_encoder.h"
#include "consumer/row_binary_encoder.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {

std::unique_ptr<Block> make_block(const BlockForm& form) {
  switch (form.format) {
    case proto::INSERT_FORMAT_NATIVE:
      return std::make_unique<EncodedBlock<NativeEncoder>>(form);
    case proto::INSERT_FORMAT_ROW_BINARY:
      return std::make_unique<EncodedBlock<RowBinaryEncoder>>(form);
    case proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW:
      return std::make_unique<EncodedBlock<JsonCompactEncoder>>(form);
    default:
      throw wire::Error(
          wire::ErrorKind::protocol,
          fmt::format("Setup asks for insert format {}, which is not known", static_cast<int>(form.format)));
  }
}

}  // namespace walstorm::consumer
