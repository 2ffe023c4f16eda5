#include "consumer/encode/block_form.h"

#include <fmt/format.h>

#include "consumer/encode/encoded_block.h"
#include "consumer/encode/json_compact_encoder.h"
#include "consumer/encode/native_encoder.h"
#include "consumer/encode/row_binary_encoder.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {

BlockForm block_form(const proto::ConsumerSetup& setup) {
  return {.format = setup.insert_format(),
          .run_number = setup.run_number(),
          .times_as_int64 = setup.times_as_int64()};
}

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
