#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "consumer/batch/block_layout.h"
#include "consumer/decode/pgoutput_message.h"
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

/// Rows in the form that a sink takes, encoded as they arrive: straight from the receive buffer into buffers
/// that are kept from one use to the next, so that nothing is allocated per row. The sink makes its blocks;
/// to all others the form is unknown.
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

}  // namespace walstorm::consumer
