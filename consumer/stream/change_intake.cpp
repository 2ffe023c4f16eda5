#include "consumer/stream/change_intake.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <spdlog/spdlog.h>
#include <utility>
#include <variant>

#include "consumer/decode/column_value.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::consumer {
namespace {

/// The phase that `content` ends, if it is a marker of run `run_id`.
std::optional<std::uint32_t> marked_phase(std::string_view content, std::string_view run_id) {
  const std::string_view digits = content.substr(content.rfind(' ') + 1);
  std::uint32_t phase = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), phase);
  if (content != wire::phase_end_marker(run_id, phase)) return std::nullopt;
  return phase;
}

bool changed(const Value& before, const Value& after) {
  return after.kind != ValueKind::unchanged_toast && before != after;
}

/// Whether the sink tells the row after an update from the one before: then it has to be told to delete that
/// one. An old tuple of the key alone knows of no other column.
bool is_another_row(const BlockLayout& layout, const Update& update) {
  if (update.old_kind == OldTuple::key) {
    return changed(update.old_tuple[layout.key], update.new_tuple[layout.key]);
  }
  return std::any_of(layout.sorting_key.begin(), layout.sorting_key.end(), [&](std::size_t column) {
    return changed(update.old_tuple[column], update.new_tuple[column]);
  });
}

}  // namespace

ChangeIntake::ChangeIntake(std::string run_id, std::uint64_t streamed_bytes_max, PhaseBook& book,
                           LsnTracker& tracker, Batcher& batcher)
    : run_id_(std::move(run_id)),
      book_(book),
      tracker_(tracker),
      batcher_(batcher),
      streamed_(streamed_bytes_max) {}

void ChangeIntake::on_wal(const WalMessage& message) {
  if (releasing()) {
    throw wire::Error(wire::ErrorKind::internal, "a WAL message before the one before it was done with");
  }
  if (decoder_.is_streamed(message.payload)) {
    streamed_.hold({message.lsn, message.payload});
    return;
  }
  lsn_ = message.lsn;
  received_ = message.received;
  batched_us_ = message.received.steady_us;
  book_.reading().bytes += message.payload.size();
  std::visit([this](const auto& body) { on(body); }, decoder_.decode(message.payload));
}

void ChangeIntake::release_next(std::int64_t now_steady_us) {
  batched_us_ = now_steady_us;
  const std::optional<HeldMessage> message = streamed_.take();
  if (!message) return on(release_commit_);
  lsn_ = message->lsn;
  book_.reading().bytes += message->payload.size();
  std::visit([this](const auto& body) { on(body); }, decoder_.decode_streamed(message->payload));
}

void ChangeIntake::reset_stream() {
  decoder_.reset();
  streamed_.clear();
  replays_.connection_lost();
  tracker_.connection_lost();
}

void ChangeIntake::on(const Begin& begin) {
  tracker_.begin();
  replays_.begin(begin.final_lsn);
  commit_unix_us_ = begin.commit_time_us + wire::kPostgresEpochUnixUs + clock_ahead_us_;
}

void ChangeIntake::on(const Commit& commit) {
  tracker_.commit(commit.end_lsn);
  // Not the transactions of markers, which nobody produced.
  if (replays_.commit() && replays_.records() > 0) ++book_.reading().transactions;
}

void ChangeIntake::on(const Relation& relation) {
  BlockLayout layout = make_block_layout(relation);
  leave_out_other_columns(relation, layout);
  std::shared_ptr<const BlockLayout>& known = layouts_[relation.id];
  // The server repeats itself whenever its cache was invalidated; only a change must cut the batch.
  if (!known || *known != layout) known = std::make_shared<const BlockLayout>(std::move(layout));
}

void ChangeIntake::on(const Insert& insert) {
  if (replays_.next_is_replay()) return count_replay(Change::insert, insert.relation_id, insert.new_tuple);
  Batch& batch = batch_for(insert.relation_id);
  batch.block->append({.values = insert.new_tuple, .version = lsn_});
  count(batch, Change::insert,
        hash_of(*batch.block->layout(), insert.new_tuple[batch.block->layout()->row_hash]));
}

void ChangeIntake::on(const Update& update) {
  if (replays_.next_is_replay()) return count_replay(Change::update, update.relation_id, update.new_tuple);
  Batch& batch = batch_for(update.relation_id);
  const BlockLayout& layout = *batch.block->layout();
  const Tuple full_before = update.old_kind == OldTuple::full ? update.old_tuple : Tuple();
  batch.block->append({.values = update.new_tuple, .before = full_before, .version = lsn_});
  if (update.old_kind != OldTuple::none) {
    if (update.old_tuple.size() != update.new_tuple.size()) {
      throw wire::Error(wire::ErrorKind::protocol, "pgoutput: an update's two tuples differ in length");
    }
    if (is_another_row(layout, update)) {
      batch.block->append({.values = update.old_tuple,
                           .version = lsn_,
                           .deleted = true,
                           .key_only = update.old_kind == OldTuple::key});
    }
  }
  const Value& new_hash = update.new_tuple[layout.row_hash];
  count(batch, Change::update, hash_of(layout, new_hash));
}

void ChangeIntake::on(const Delete& removal) {
  if (replays_.next_is_replay()) return count_replay(Change::remove, removal.relation_id, removal.old_tuple);
  Batch& batch = batch_for(removal.relation_id);
  if (removal.old_kind != OldTuple::full) {
    throw wire::Error(
        wire::ErrorKind::data,
        fmt::format("the delete at {} came with a key only, so neither its row nor its hash is known: "
                    "ALTER TABLE \"{}\" REPLICA IDENTITY FULL",
                    wire::to_string(lsn_), batch.block->layout()->table));
  }
  batch.block->append({.values = removal.old_tuple, .version = lsn_, .deleted = true});
  count(batch, Change::remove,
        hash_of(*batch.block->layout(), removal.old_tuple[batch.block->layout()->row_hash]));
}

void ChangeIntake::on(const Truncate& truncate) {
  for (const std::uint32_t id : truncate.relation_ids) {
    spdlog::warn("TRUNCATE of {} at {} is not landed: its rows stay in the sink", layout_of(id)->table,
                 wire::to_string(lsn_));
  }
}

void ChangeIntake::on(const LogicalMessage& message) {
  // A message outside a transaction is sent before transactions that began earlier: it would mark no
  // boundary. (Within a streamed transaction it carries the id of the whole, so the abort of a part does not
  // take it along. Markers are not written in parts.)
  if (!message.transactional || message.prefix != wire::kMarkerPrefix) return;
  const std::optional<std::uint32_t> phase = marked_phase(message.content, run_id_);
  if (!phase) return;
  if (const auto next = book_.marker(*phase, tracker_.last_batch())) batcher_.start_phase(*next);
}

void ChangeIntake::on(const StreamCommit& commit) {
  streamed_.release(commit.xid);
  release_commit_ = {commit.commit_lsn, commit.end_lsn, commit.commit_time_us};
  on(Begin{commit.commit_lsn, commit.commit_time_us, commit.xid});
}

const std::shared_ptr<const BlockLayout>& ChangeIntake::layout_of(std::uint32_t relation_id) {
  const auto found = layouts_.find(relation_id);
  if (found == layouts_.end()) {
    throw wire::Error(wire::ErrorKind::protocol,
                      fmt::format("pgoutput: a change of relation {}, which was not described", relation_id));
  }
  return found->second;
}

Batch& ChangeIntake::batch_for(std::uint32_t relation_id) {
  return batcher_.batch_for(layout_of(relation_id), batched_us_);
}

std::uint64_t ChangeIntake::hash_of(const BlockLayout& layout, const Value& value) const {
  if (value.kind == ValueKind::text || value.kind == ValueKind::binary) {
    if (const auto hash = read_integer<std::int64_t>(value)) return static_cast<std::uint64_t>(*hash);
  }
  throw wire::Error(wire::ErrorKind::data, fmt::format("the change at {} of {} has no row_hash",
                                                       wire::to_string(lsn_), layout.table));
}

void ChangeIntake::count(Batch& batch, Change change, std::uint64_t row_hash) {
  add(batch.changes, change, row_hash);
  batch.note(lsn_, commit_unix_us_, received_);
  batcher_.record_added();
}

void ChangeIntake::add(wire::ChangeTally& tally, Change change, std::uint64_t row_hash) {
  switch (change) {
    case Change::insert:
      tally.add_insert(row_hash);
      break;
    case Change::update:
      tally.add_update(row_hash);
      break;
    case Change::remove:
      tally.add_delete(row_hash);
      break;
  }
}

void ChangeIntake::count_replay(Change change, std::uint32_t relation_id, const Tuple& tuple) {
  const BlockLayout& layout = *layout_of(relation_id);
  add(book_.reading().replayed, change, hash_of(layout, tuple[layout.row_hash]));
}

}  // namespace walstorm::consumer
