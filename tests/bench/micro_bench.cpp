// What the hot paths cost, one item each: the consumer's from the message to the compressed block, the
// producer's row, and a histogram's sample. `--update-baseline` keeps the figures.

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "consumer/batch/batcher.h"
#include "consumer/batch/block.h"
#include "consumer/batch/lsn_tracker.h"
#include "consumer/decode/pgoutput_decoder.h"
#include "consumer/encode/block_form.h"
#include "consumer/encode/compression.h"
#include "consumer/metrics/phase_book.h"
#include "consumer/stream/change_intake.h"
#include "producer/rows/row_source.h"
#include "proto/metrics.pb.h"
#include "proto/wire/histogram.h"
#include "tests/bench/baseline.h"
#include "tests/bench/stream_messages.h"

namespace walstorm::bench {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::uint64_t kPayloadBytes = 614;  // which makes rows of some 1 KB
constexpr double kEntropy = 0.5;
constexpr std::uint64_t kMessages = 1'000;  // some MB: more than the caches nearest to the core
constexpr std::uint64_t kBatchRows = 1'000;

producer::RowSource row_source() {
  return producer::RowSource(kSeed, kPayloadBytes, kEntropy);
}

enum class Change { insert, update };

std::vector<std::string> messages(Change change, Form form) {
  const producer::RowSource source = row_source();
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    all.push_back(change == Change::insert ? insert_message(source, i, form)
                                           : update_message(source, i, form));
  }
  return all;
}

void count_items(benchmark::State& state, std::uint64_t items_per_iteration = 1) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items_per_iteration));
}

void decode(benchmark::State& state, Change change, Form form) {
  const std::vector<std::string> all = messages(change, form);
  consumer::PgoutputDecoder decoder;
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(decoder.decode(all[next]));
    next = (next + 1) % all.size();
  }
  count_items(state);
}

/// The consumer from message to batch: decoded, encoded, counted; batches are thrown away as a sink would.
class Intake final {
 public:
  Intake() {
    take(relation_message());
    take(begin_message());
  }

  void take(const std::string& message) { intake_.on_wal({lsn_, {1, 1'700'000'000'000'000}, message}); }
  [[nodiscard]] const consumer::Batch* last() const { return last_.get(); }

 private:
  wire::Lsn lsn_{0x1'0000'0000};
  consumer::LsnTracker tracker_{wire::Lsn{0}};
  consumer::PhaseBook book_;
  consumer::BatchPool pool_{64U << 20U, [] { return consumer::make_block({}); }};
  std::unique_ptr<consumer::Batch> last_;
  consumer::Batcher batcher_{
      {kBatchRows, 1'000'000}, pool_, tracker_, [this](std::unique_ptr<consumer::Batch> batch) {
        tracker_.acknowledge(batch->number);
        if (last_) pool_.give_back(std::move(last_));
        last_ = std::move(batch);
      }};
  consumer::ChangeIntake intake_{"bench", 0, book_, tracker_, batcher_};
};

void intake(benchmark::State& state, Change change, Form form) {
  const std::vector<std::string> all = messages(change, form);
  Intake into;
  std::size_t next = 0;
  for (auto _ : state) {
    into.take(all[next]);
    next = (next + 1) % all.size();
  }
  count_items(state);
}

/// Per row of a block of kBatchRows.
void serialize(benchmark::State& state, proto::Compression compression) {
  Intake from;
  for (const std::string& message : messages(Change::insert, Form::binary)) from.take(message);
  consumer::Compressor compressor(compression);
  std::string encoded;
  std::string room;
  for (auto _ : state) {
    encoded.clear();
    from.last()->block->serialize(encoded);
    benchmark::DoNotOptimize(compressor.compress(encoded, room));
  }
  count_items(state, kBatchRows);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(encoded.size()));
}

/// Rows of an insert each, decoded: what a block is given. They point into `messages`.
std::vector<std::vector<consumer::Value>> decoded_rows(const std::vector<std::string>& messages) {
  consumer::PgoutputDecoder decoder;
  std::vector<std::vector<consumer::Value>> rows;
  for (const std::string& message : messages) {
    const auto insert = std::get<consumer::Insert>(decoder.decode(message));
    rows.emplace_back(insert.new_tuple.begin(), insert.new_tuple.end());
  }
  return rows;
}

std::shared_ptr<const consumer::BlockLayout> layout() {
  const std::string message = relation_message();
  consumer::PgoutputDecoder decoder;
  return std::make_shared<const consumer::BlockLayout>(
      consumer::make_block_layout(std::get<consumer::Relation>(decoder.decode(message))));
}

/// All that a format costs: rows into a block, the block onto the wire. Per row of a block of kBatchRows.
void encode(benchmark::State& state, proto::InsertFormat format, proto::Compression compression) {
  const std::vector<std::string> all = messages(Change::insert, Form::binary);
  const std::vector<std::vector<consumer::Value>> rows = decoded_rows(all);
  const auto columns = layout();
  const std::unique_ptr<consumer::Block> block = consumer::make_block({format, 1, false});
  consumer::Compressor compressor(compression);
  std::string encoded;
  std::string room;
  std::size_t wire_bytes = 0;
  for (auto _ : state) {
    block->reset(columns);
    for (std::size_t i = 0; i < kBatchRows; ++i) {
      block->append({.values = rows[i % rows.size()], .version = wire::Lsn{0x1'0000'0000 + i}});
    }
    encoded.clear();
    block->serialize(encoded);
    wire_bytes = compressor.compress(encoded, room).size();
  }
  count_items(state, kBatchRows);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(encoded.size()));
  state.counters[kWireBytesPerItem] = static_cast<double>(wire_bytes) / kBatchRows;
}

void add_formats(const auto& add) {
  struct Format {
    proto::InsertFormat format;
    const char* name;
  };
  for (const auto& [format, name] :
       {Format{proto::INSERT_FORMAT_NATIVE, "native"}, Format{proto::INSERT_FORMAT_ROW_BINARY, "rowBinary"},
        Format{proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW, "jsonCompactEachRow"}}) {
    const auto with = [&add, format = format, name = name](const char* as, proto::Compression compression) {
      add(fmt::format("encode/{}/{}", name, as),
          [format, compression](auto& state) { encode(state, format, compression); });
    };
    with("none", proto::COMPRESSION_NONE);
    with("lz4", proto::COMPRESSION_LZ4);
    with("zstd", proto::COMPRESSION_ZSTD);
  }
}

void histogram_record(benchmark::State& state) {
  wire::Histogram histogram;
  std::int64_t value = 1;
  for (auto _ : state) {
    histogram.record(value);
    value = (value * 7 + 13) % 10'000'000;
  }
  benchmark::DoNotOptimize(histogram.count());
  count_items(state);
}

/// What a worker's metrics cost it: one such frame a second. Its four histograms are as wide as a long
/// overload makes them, from 100 us to 100 s.
void sample_frame(benchmark::State& state) {
  wire::Histogram histogram;
  std::int64_t value = 100;
  while (value < 100'000'000) {
    histogram.record(value, 1000);
    value += std::max<std::int64_t>(1, value / 256);
  }
  std::size_t bytes = 0;
  for (auto _ : state) {
    proto::MetricsFrame frame;
    proto::ConsumerStats& stats = *frame.mutable_sample()->mutable_consumer();
    for (proto::Histogram* out : {stats.mutable_lag_us(), stats.mutable_receive_us(),
                                  stats.mutable_queue_us(), stats.mutable_flush_us()})
      histogram.to_proto(*out);
    bytes = frame.SerializeAsString().size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
  count_items(state);
}

/// COPY sends a row's bytes as they are; the other modes bind them as parameters.
void make_rows(benchmark::State& state, producer::Columns columns, std::uint32_t version) {
  const producer::RowSource source = row_source();
  producer::EncodedRows rows;
  std::uint64_t next = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    if (next % 100 == 0) rows.clear();
    source.encode({producer::RowId::of(0, next++), version}, columns, rows);
    bytes += next % 100 == 0 ? rows.bytes().size() : 0;
  }
  benchmark::DoNotOptimize(bytes);
  count_items(state);
}

void add_all() {
  const auto add = [](const std::string& name, auto&& run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->Repetitions(5)->MinTime(0.1);
  };
  add("decode/insert/binary", [](auto& state) { decode(state, Change::insert, Form::binary); });
  add("decode/insert/text", [](auto& state) { decode(state, Change::insert, Form::text); });
  add("decode/update/binary", [](auto& state) { decode(state, Change::update, Form::binary); });
  add("intake/insert/binary", [](auto& state) { intake(state, Change::insert, Form::binary); });
  add("intake/insert/text", [](auto& state) { intake(state, Change::insert, Form::text); });
  add("intake/update/binary", [](auto& state) { intake(state, Change::update, Form::binary); });
  add("serialize/none", [](auto& state) { serialize(state, proto::COMPRESSION_NONE); });
  add("serialize/lz4", [](auto& state) { serialize(state, proto::COMPRESSION_LZ4); });
  add("serialize/zstd", [](auto& state) { serialize(state, proto::COMPRESSION_ZSTD); });
  add("serialize/gzip", [](auto& state) { serialize(state, proto::COMPRESSION_GZIP); });
  add_formats(add);
  add("histogram/record", histogram_record);
  add("sample/frame", sample_frame);
  add("rows/insert", [](auto& state) { make_rows(state, producer::kAllColumns, 0); });
  add("rows/update", [](auto& state) { make_rows(state, producer::kUpdateColumns, 1); });
  add("rows/delete", [](auto& state) { make_rows(state, producer::kIdColumn, 1); });
}

}  // namespace
}  // namespace walstorm::bench

int main(int argc, char** argv) {
  bool update = false;
  std::vector<char*> arguments;
  for (int i = 0; i < argc; ++i) {
    if (std::string(argv[i]) == "--update-baseline") {
      update = true;
    } else {
      arguments.push_back(argv[i]);
    }
  }
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  walstorm::bench::add_all();
  walstorm::bench::BaselineReporter reporter(WALSTORM_BASELINE);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  if (update) reporter.write_baseline();
  return 0;
}
