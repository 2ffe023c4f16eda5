#include "consumer/decode/streamed_transactions.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "consumer/decode/pgoutput_decoder.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

[[noreturn]] void broken(std::uint32_t xid, const char* what) {
  throw wire::Error(wire::ErrorKind::protocol,
                    fmt::format("pgoutput: streamed transaction {} {}", xid, what));
}

}  // namespace

void StreamedTransactions::start_block(const StreamStart& start) {
  auto found = transactions_.find(start.xid);
  const bool known = found != transactions_.end();
  if (known && start.first_segment) broken(start.xid, "begins a second time");
  if (!known && !start.first_segment) broken(start.xid, "goes on, but its beginning was not sent");
  if (!known) found = transactions_.emplace(start.xid, std::make_unique<Transaction>(pool_)).first;
  open_ = found->second.get();
}

void StreamedTransactions::hold(const HeldMessage& message) {
  if (open_ == nullptr) throw wire::Error(wire::ErrorKind::internal, "a message to hold outside a block");
  (void)streamed_xid(message.payload);  // throws now, not when it is released
  open_->log.append(message);
}

void StreamedTransactions::abort(const StreamAbort& abort) {
  const auto found = transactions_.find(abort.xid);
  if (found == transactions_.end()) return;
  if (abort.subtransaction_xid == abort.xid) {
    ++counts_.aborted;
    transactions_.erase(found);
  } else {
    ++counts_.parts_aborted;
    found->second->aborted.push_back(abort.subtransaction_xid);
  }
}

void StreamedTransactions::release(std::uint32_t xid) {
  const auto found = transactions_.find(xid);
  if (found == transactions_.end()) broken(xid, "commits, but it was not sent");
  ++counts_.committed;
  released_ = std::move(found->second);
  transactions_.erase(found);
  std::sort(released_->aborted.begin(), released_->aborted.end());
}

std::optional<HeldMessage> StreamedTransactions::take() {
  Transaction& transaction = *released_;
  while (const auto message = transaction.log.take()) {
    const std::uint32_t xid = streamed_xid(message->payload);
    if (xid != transaction.last_xid) {
      transaction.last_xid = xid;
      transaction.last_aborted =
          std::binary_search(transaction.aborted.begin(), transaction.aborted.end(), xid);
    }
    if (!transaction.last_aborted) return message;
  }
  released_.reset();
  return std::nullopt;
}

void StreamedTransactions::clear() {
  open_ = nullptr;
  released_.reset();
  transactions_.clear();
}

StreamedCounts StreamedTransactions::counts() const {
  StreamedCounts counts = counts_;
  counts.bytes_spilled = pool_.bytes_spilled();
  return counts;
}

}  // namespace walstorm::consumer
