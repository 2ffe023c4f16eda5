#include "proto/wire/change_tally.h"

namespace walstorm::wire {

void ChangeTally::merge(const ChangeTally& other) {
  inserts += other.inserts;
  updates += other.updates;
  deletes += other.deletes;
  hash_xor ^= other.hash_xor;
  hash_sum += other.hash_sum;
}

void RowTally::merge(const RowTally& other) {
  rows += other.rows;
  hash_xor ^= other.hash_xor;
  hash_sum += other.hash_sum;
}

void to_proto(const ChangeTally& tally, proto::ChangeTally& out) {
  out.set_inserts(tally.inserts);
  out.set_updates(tally.updates);
  out.set_deletes(tally.deletes);
  out.set_hash_xor(tally.hash_xor);
  out.set_hash_sum(tally.hash_sum);
}

ChangeTally from_proto(const proto::ChangeTally& in) {
  ChangeTally tally;
  tally.inserts = in.inserts();
  tally.updates = in.updates();
  tally.deletes = in.deletes();
  tally.hash_xor = in.hash_xor();
  tally.hash_sum = in.hash_sum();
  return tally;
}

void to_proto(const RowTally& tally, proto::RowTally& out) {
  out.set_rows(tally.rows);
  out.set_hash_xor(tally.hash_xor);
  out.set_hash_sum(tally.hash_sum);
}

RowTally from_proto(const proto::RowTally& in) {
  return RowTally{in.rows(), in.hash_xor(), in.hash_sum()};
}

}  // namespace walstorm::wire
