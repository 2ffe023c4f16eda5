#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "consumer/encode/block_form.h"
#include "consumer/encode/compression.h"
#include "consumer/metrics/busy_meter.h"
#include "consumer/sink/sink.h"
#include "proto/clickhouse/http_client.h"
#include "proto/control.pb.h"

namespace walstorm::consumer {

/// Lands batches in ClickHouse, an INSERT for each, over HTTP.
///
/// A batch that is sent again is the same bytes under the same insert_deduplication_token, so that the server
/// can tell that it has it; where it cannot, `_version` makes the second landing harmless. A body is made
/// anew for each attempt: while the server is away, none is held. Lives on `loop`.
class ClickhouseSink final : public Sink {
 public:
  /// `loop` and `meter` outlive the sink. `setup` has a consumer part, and that a ClickhouseSinkSetup. Throws
  /// Error{config} for its URL, Error{unavailable} when https finds no CA certificates, Error{protocol} for a
  /// format or compression that is unknown.
  ClickhouseSink(boost::asio::io_context& loop, BusyMeter& meter, const proto::Setup& setup);

  [[nodiscard]] std::unique_ptr<Block> make_block() const override { return consumer::make_block(form_); }
  void submit(const Batch& batch, Done done) override;
  [[nodiscard]] std::uint64_t held_bytes() const override { return held_bytes_; }

 private:
  /// What is sent, in buffers that go from batch to batch.
  struct Body {
    std::string bytes;
    std::uint64_t held_bytes = 0;  // as counted in held_bytes_
  };

  [[nodiscard]] Landing encode(const Batch& batch, Body& body);
  [[nodiscard]] clickhouse::Statement insert_of(const Batch& batch, const Body& body);
  [[nodiscard]] Body& take_body();
  void give_back(Body& body);
  void on_answer(const Batch& batch, const clickhouse::Answer& answer, Landing landing,
                 const Done& done) const;
  [[noreturn]] void refuse(const Batch& batch, const clickhouse::Answer& answer) const;

  BusyMeter& meter_;
  const std::string where_;  // the server, for people
  const std::string table_;  // ready to stand in a statement
  const BlockForm form_;
  const std::string format_;        // ClickHouse's name
  const std::string encoding_;      // HTTP's name; empty: none
  const std::string token_prefix_;  // empty: the server knows no insert_deduplication_token
  std::map<std::string, std::string> settings_;
  Compressor compressor_;
  std::string encoded_;                        // reused
  std::string compressed_;                     // reused
  std::shared_ptr<const BlockLayout> layout_;  // that insert_sql_ is for
  std::string insert_sql_;
  std::deque<Body> bodies_;  // a body never moves
  std::vector<Body*> free_bodies_;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t spare_bytes_ = 0;  // of free bodies
  const std::uint64_t spare_bytes_max_;
  clickhouse::HttpClient client_;  // the last one: what it sends lies in the bodies
};

}  // namespace walstorm::consumer
