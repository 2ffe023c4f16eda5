#include "producer/postgres/statement_writer.h"

#include <utility>

namespace walstorm::producer {

void StatementWriter::write(const Batch& batch, OnWritten on_written) {
  on_written_ = std::move(on_written);
  changes_.plan(batch, ChangePipeline::Inserts::included);
  connection_.pipeline([this] { return changes_.queue_next(); },
                       [this](const Reply& reply) {
                         if (reply.error) changes_.refused();
                         Written written{reply.rows, changes_.bytes(), reply.error, std::nullopt};
                         if (reply.lost)
                           written.loss = Loss{*reply.lost, changes_.commit_queued(), reply.lost_sqlstate};
                         on_written_(written);
                       });
}

}  // namespace walstorm::producer
