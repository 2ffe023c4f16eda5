#include "producer/insert_writer.h"

#include <utility>

namespace walstorm::producer {

void InsertWriter::write(const Batch& batch, OnWritten on_written) {
  on_written_ = std::move(on_written);
  changes_.plan(batch, ChangePipeline::Inserts::included);
  connection_.pipeline([this] { return changes_.queue_next(); },
                       [this](const Reply& reply) {
                         on_written_({reply.rows, changes_.bytes(), reply.error});
                       });
}

}  // namespace walstorm::producer
