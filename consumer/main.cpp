#include <memory>

#include "consumer/consumer_worker.h"
#include "proto/postgres/environment.h"
#include "proto/wire/worker_session.h"

int main() {
  using namespace walstorm;
  postgres::take_postgres_variables();  // connection strings come by the Setup frame, complete
  return wire::run_worker("walstorm-consumer",
                          [](boost::asio::io_context& loop, wire::WorkerSession& session) {
                            return std::make_unique<consumer::ConsumerWorker>(loop, session);
                          });
}
