#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "consumer/block_layout.h"
#include "consumer/pgoutput_message.h"
#include "proto/control.pb.h"
#include "proto/wire/lsn.h"

namespace walstorm::consumer {

/// A row as the stream told it.
struct Row {
  Tuple values;
  /// Where a value that is "unchanged TOAST" is found: the old tuple of REPLICA IDENTITY FULL, or empty.
  Tuple before = {};
  wire::Lsn version = {};
  bool deleted = false;
  /// Only the key was sent: what else the table requires is filled in with ClickHouse's defaults.
  bool key_only = false;
};

/// Rows in one of ClickHouse's input formats, encoded as they arrive: straight from the receive buffer into
/// buffers that are kept from one use to the next, so that nothing is allocated per row.
class Block {
 public:
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  virtual ~Block() = default;

  /// Empties the block for rows of `layout`, which is shared with the relation cache: the table may change
  /// while blocks of its old shape are still on their way.
  virtual void reset(const std::shared_ptr<const BlockLayout>& layout) = 0;

  /// Throws Error{data} for a value that cannot be landed; the block is of no use then.
  virtual void append(const Row& row) = 0;

  /// Appends the rows as they go over the wire. The same rows are the same bytes, however often it is called.
  virtual void serialize(std::string& out) const = 0;

  [[nodiscard]] virtual const std::shared_ptr<const BlockLayout>& layout() const = 0;
  [[nodiscard]] virtual std::uint64_t rows() const = 0;
  /// Of row data held.
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
  /// Of memory held for it.
  [[nodiscard]] virtual std::uint64_t capacity_bytes() const = 0;
};

/// What all blocks of a run have in common.
struct BlockForm {
  proto::InsertFormat format = proto::INSERT_FORMAT_NATIVE;
  std::uint64_t run_number = 0;  ///< what every row has in `_run_id`
  bool times_as_int64 = false;   ///< the sink's columns for times are Int64, of milliseconds
};

/// An empty block. Throws Error{protocol} for a format that is not known here.
[[nodiscard]] std::unique_ptr<Block> make_block(const BlockForm& form);

}  // namespace walstorm::consumer
