#include "producer/producer_worker.h"
#include "proto/wire/worker_session.h"

int main() {
  using namespace walstorm;
  return wire::run_worker("walstorm-producer",
                          [](boost::asio::io_context& loop, wire::WorkerSession& session) {
                            return std::make_unique<producer::ProducerWorker>(loop, session);
                          });
}
