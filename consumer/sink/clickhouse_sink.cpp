#include "consumer/sink/clickhouse_sink.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "consumer/batch/block_layout.h"
#include "proto/clickhouse/address.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::consumer {
namespace {

using clickhouse::Answer;

/// An INSERT answers nothing, or an error.
constexpr std::size_t kAnswerBytesMax = 1U << 20U;
/// Of a server's error; those of some versions carry a stack trace.
constexpr std::size_t kErrorTextMax = 600;
constexpr int kTooManyParts = 252;

std::string format_name(proto::InsertFormat format) {
  switch (format) {
    case proto::INSERT_FORMAT_NATIVE:
      return "Native";
    case proto::INSERT_FORMAT_ROW_BINARY:
      return "RowBinary";
    case proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW:
      return "JSONCompactEachRow";
    default:
      throw wire::Error(
          wire::ErrorKind::protocol,
          fmt::format("Setup asks for insert format {}, which is unknown", static_cast<int>(format)));
  }
}

/// Compressor has said no to what is unknown.
std::string content_encoding(proto::Compression compression) {
  switch (compression) {
    case proto::COMPRESSION_LZ4:
      return "lz4";
    case proto::COMPRESSION_ZSTD:
      return "zstd";
    case proto::COMPRESSION_GZIP:
      return "gzip";
    default:
      return {};
  }
}

/// The same in every attempt of a batch, and in no other batch: a process numbers its batches 1, 2, ...
std::string token_prefix(const proto::Setup& setup) {
  if (!setup.consumer().clickhouse().has_deduplication_token()) return {};
  return fmt::format("walstorm-{}-{}-", setup.run_id(), setup.worker());
}

/// A server that does not answer is as good as one that cannot be reached. An attempt gets half of a batch's
/// time, so that a second one, over a connection of its own, is made within it.
clickhouse::HttpClient::Limits limits_of(const proto::ConsumerSetup& setup) {
  clickhouse::HttpClient::Limits limits;
  limits.connections_max = setup.flush_concurrency_max();
  limits.answer_bytes_max = kAnswerBytesMax;
  // A Setup without it, which the tests' may be, gives up at the first failure and not before an answer.
  const std::chrono::milliseconds attempt(setup.sink_give_up_ms() / 2);
  if (attempt.count() > 0) limits.answer_timeout = std::min(limits.answer_timeout, attempt);
  limits.connect_timeout = std::min(limits.connect_timeout, limits.answer_timeout);
  return limits;
}

/// What to do, by ClickHouse's code; empty where its own text has to do.
std::string_view advice(int code) {
  switch (code) {
    case 192:  // UNKNOWN_USER
    case 193:  // WRONG_PASSWORD
    case 194:  // REQUIRED_PASSWORD
    case 516:  // AUTHENTICATION_FAILED
      return "see to user and password in clickhouse.url";
    case 195:  // IP_ADDRESS_NOT_ALLOWED
      return "let the user connect from this host, in the server's users";
    case 164:  // READONLY
    case 497:  // ACCESS_DENIED
      return "give the user of clickhouse.url the right to INSERT, and no profile with readonly";
    case 291:  // DATABASE_ACCESS_DENIED
      return "give the user of clickhouse.url access to the database, or name another in clickhouse.database";
    case 60:   // UNKNOWN_TABLE
    case 81:   // UNKNOWN_DATABASE
    case 218:  // TABLE_IS_DROPPED
      return "it was there when the run began; walstorm makes it anew at the start of each run";
    case 10:   // NOT_FOUND_COLUMN_IN_BLOCK
    case 16:   // NO_SUCH_COLUMN_IN_TABLE
    case 20:   // NUMBER_OF_COLUMNS_DOESNT_MATCH
    case 44:   // ILLEGAL_COLUMN
    case 53:   // TYPE_MISMATCH
    case 349:  // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
      return "the table does not have the columns of this version of walstorm: drop it, or name another "
             "clickhouse.database";
    case 6:    // CANNOT_PARSE_TEXT
    case 26:   // CANNOT_PARSE_QUOTED_STRING
    case 27:   // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    case 32:   // ATTEMPT_TO_READ_AFTER_EOF
    case 33:   // CANNOT_READ_ALL_DATA
    case 38:   // CANNOT_PARSE_DATE
    case 41:   // CANNOT_PARSE_DATETIME
    case 72:   // CANNOT_PARSE_NUMBER
    case 117:  // INCORRECT_DATA
    case 130:  // CANNOT_READ_ARRAY_FROM_TEXT
    case 131:  // TOO_LARGE_STRING_SIZE
      return "the server cannot read what walstorm sends: a defect of one of them. Another "
             "consumer.insertFormat or "
             "consumer.compression may do";
    case 73:  // UNKNOWN_FORMAT
      return "this server does not have the format: set consumer.insertFormat to \"native\"";
    case 89:  // UNKNOWN_COMPRESSION_METHOD
      return "this server does not read the compression: set consumer.compression to \"auto\"";
    case 115:  // UNKNOWN_SETTING
    case 452:  // SETTING_CONSTRAINT_VIOLATION
    case 472:  // READONLY_SETTING
      return "see to the settings in the query of clickhouse.url";
    case 201:  // QUOTA_EXPIRED
      return "raise the user's quota";
    case kTooManyParts:  // worth a retry, but for those of one insert
      return "the records of one flush are of too many months (createdAt): lower consumer.flushBatchSize, or "
             "raise "
             "max_partitions_per_insert_block in the query of clickhouse.url";
    case 243:  // NOT_ENOUGH_SPACE
      return "make room on the server's disk";
    default:
      return {};
  }
}

/// A proxy's page, or a server's text that was cut within a character, is not always UTF-8.
std::string shortened(const std::string& answer) {
  std::string text = wire::to_utf8(answer);
  if (text.size() > kErrorTextMax) text = std::string(wire::utf8_prefix(text, kErrorTextMax)) + " ...";
  return text;
}

/// Of a failure that may pass.
std::string why_not_yet(const Answer& answer) {
  if (answer.kind == Answer::Kind::no_answer) return shortened(answer.text);
  std::string why = shortened(answer.text);
  if (answer.code == 0) why = fmt::format("HTTP status {}: {}", answer.http_status, why);
  if (answer.code == kTooManyParts) {
    why +=
        ". Each insert makes a part, and merging does not keep up: raise consumer.flushBatchSize (and "
        "flushIntervalMs), lower consumer.maxFlushConcurrency";
  }
  return why;
}

}  // namespace

ClickhouseSink::ClickhouseSink(boost::asio::io_context& loop, BusyMeter& meter, const proto::Setup& setup)
    : meter_(meter),
      where_(clickhouse::parse_address(setup.consumer().clickhouse().url(), "clickhouse.url").shown()),
      table_(setup.consumer().clickhouse().table()),
      form_(block_form(setup.consumer())),
      format_(format_name(setup.consumer().insert_format())),
      encoding_(content_encoding(setup.consumer().compression())),
      token_prefix_(token_prefix(setup)),
      settings_(setup.consumer().clickhouse().settings().begin(),
                setup.consumer().clickhouse().settings().end()),
      compressor_(setup.consumer().compression()),
      spare_bytes_max_(setup.consumer().buffered_bytes_max() / 4),
      client_(loop, clickhouse::parse_address(setup.consumer().clickhouse().url(), "clickhouse.url"),
              limits_of(setup.consumer())) {}

void ClickhouseSink::submit(const Batch& batch, Done done) {
  Body& body = take_body();
  const Landing landing = encode(batch, body);
  client_.send(insert_of(batch, body),
               [this, &batch, &body, landing, done = std::move(done)](const Answer& answer) {
                 const BusyMeter::Scope working(meter_);
                 give_back(body);
                 on_answer(batch, answer, landing, done);
               });
}

/// Compressed data gets a room of its own, as large as it and not as large as it might have been.
Landing ClickhouseSink::encode(const Batch& batch, Body& body) {
  Landing landing;
  if (encoding_.empty()) {
    batch.block->serialize(body.bytes);
    landing.encoded_bytes = body.bytes.size();
  } else {
    encoded_.clear();
    batch.block->serialize(encoded_);
    body.bytes = compressor_.compress(encoded_, compressed_);
    landing.encoded_bytes = encoded_.size();
  }
  landing.wire_bytes = body.bytes.size();
  body.held_bytes = body.bytes.capacity();
  held_bytes_ += body.held_bytes;
  return landing;
}

clickhouse::Statement ClickhouseSink::insert_of(const Batch& batch, const Body& body) {
  if (layout_ != batch.block->layout()) {
    layout_ = batch.block->layout();
    insert_sql_ = fmt::format("INSERT INTO {} ({}) FORMAT {}", table_, column_list(*layout_), format_);
  }
  clickhouse::Statement statement{
      .sql = insert_sql_, .settings = settings_, .data = body.bytes, .encoding = encoding_};
  if (!token_prefix_.empty()) {
    statement.settings["insert_deduplication_token"] = token_prefix_ + std::to_string(batch.number);
  }
  return statement;
}

ClickhouseSink::Body& ClickhouseSink::take_body() {
  if (free_bodies_.empty()) return bodies_.emplace_back();
  Body& body = *free_bodies_.back();
  free_bodies_.pop_back();
  spare_bytes_ -= body.bytes.capacity();
  return body;
}

/// Keeps the buffer for the next batch, unless such buffers have grown to more than their share.
void ClickhouseSink::give_back(Body& body) {
  held_bytes_ -= std::exchange(body.held_bytes, 0);
  body.bytes.clear();
  if (spare_bytes_ + body.bytes.capacity() > spare_bytes_max_) body.bytes.shrink_to_fit();
  spare_bytes_ += body.bytes.capacity();
  free_bodies_.push_back(&body);
}

void ClickhouseSink::on_answer(const Batch& batch, const Answer& answer, Landing landing,
                               const Done& done) const {
  if (!answer.ok()) {
    if (!clickhouse::worth_a_retry(answer)) refuse(batch, answer);
    landing.error = why_not_yet(answer);
  } else if (!answer.text.empty()) {
    // ClickHouse acknowledges an INSERT without a word.
    landing.error = "not the answer to an INSERT: " + shortened(answer.text);
  }
  done(landing);
}

/// The same batch would be refused again, and to leave it out would be to lose it.
void ClickhouseSink::refuse(const Batch& batch, const Answer& answer) const {
  std::string said = shortened(answer.text);
  if (answer.code != 0 && !said.starts_with("Code: ")) said = fmt::format("error {}: {}", answer.code, said);
  if (answer.code == 0 && answer.http_status != 0)
    said = fmt::format("HTTP status {}: {}", answer.http_status, said);
  const std::string_view what_to_do = advice(answer.code);
  throw wire::Error(
      wire::ErrorKind::data,
      fmt::format(
          "insert the {} records from {} to {} into {} at {}: {}. They are not landed, and the slot is not "
          "confirmed past them{}{}",
          batch.changes.records(), wire::to_string(batch.first_lsn), wire::to_string(batch.last_lsn), table_,
          where_, said, what_to_do.empty() ? "" : "; ", what_to_do));
}

}  // namespace walstorm::consumer
