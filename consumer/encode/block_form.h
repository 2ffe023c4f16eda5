#pragma once

#include <cstdint>
#include <memory>

#include "consumer/batch/block.h"
#include "proto/control.pb.h"

namespace walstorm::consumer {

/// What all blocks of a run have in common: rows in one of ClickHouse's input formats.
struct BlockForm {
  proto::InsertFormat format = proto::INSERT_FORMAT_NATIVE;
  std::uint64_t run_number = 0;  ///< what every row has in `_run_id`
  bool times_as_int64 = false;   ///< the sink's columns for times are Int64, of milliseconds
};

/// Which of them the consumer's Setup asks for.
[[nodiscard]] BlockForm block_form(const proto::ConsumerSetup& setup);

/// An empty block. Throws Error{protocol} for a format that is not known here.
[[nodiscard]] std::unique_ptr<Block> make_block(const BlockForm& form);

}  // namespace walstorm::consumer
