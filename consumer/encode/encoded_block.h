#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "consumer/decode/column_value.h"
#include "consumer/encode/block_form.h"

namespace walstorm::consumer {

/// Throws Error{data}: the value of column `index` in the change at `version` cannot be landed; `why` follows
/// the column's name.
[[noreturn]] void refuse_value(const BlockLayout& layout, std::size_t index, wire::Lsn version,
                               std::string_view why);
/// Its bytes are not in a form of its type.
[[noreturn]] void refuse_form(const BlockLayout& layout, std::size_t index, wire::Lsn version);
/// Throws Error{protocol} unless `row` has as many columns as the table.
void check_width(const BlockLayout& layout, const Row& row);

/// A block in the format that its Encoder writes. Here is what the formats have in common: which value lands,
/// as which type, what stands for a NULL, and what is refused. A template, so that a value goes from the
/// receive buffer into its column with no call that the compiler cannot see through.
///
/// The encoder is told a row's values one by one, in the columns' order:
///
///   clear()                      no rows, memory kept
///   set_layout(layout)           of the rows to come; only while there are none
///   begin_row()
///   present(column)              the column is Nullable, and its value follows
///   null(column)                 it is NULL; with Encoder::kValueUnderNull a value follows all the same
///   number(column, n)            n: int32, int64, uint64, uint8 or double
///   string(column, text)
///   strings(column, elements)
///   end_row(version, deleted)    what stands behind the columns
///   serialize(rows, out), bytes(), capacity_bytes()    as Block's
template <typename Encoder>
class EncodedBlock final : public Block {
 public:
  explicit EncodedBlock(const BlockForm& form) : encoder_(form) {}

  void reset(const std::shared_ptr<const BlockLayout>& layout) override {
    rows_ = 0;
    encoder_.clear();
    if (layout == layout_) return;
    layout_ = layout;
    encoder_.set_layout(*layout);
  }

  void append(const Row& row) override {
    check_width(*layout_, row);
    row_version_ = row.version;
    encoder_.begin_row();
    for (std::size_t i = 0; i < row.values.size(); ++i) {
      if (layout_->columns[i].kind == ColumnKind::left_out) continue;
      const Value* value = &row.values[i];
      if (value->kind == ValueKind::unchanged_toast && !row.before.empty()) value = &row.before[i];
      if (value->kind == ValueKind::text || value->kind == ValueKind::binary) [[likely]] {
        append_value(i, *value);
      } else if (value->kind == ValueKind::null) {
        append_absent(i, row.key_only);
      } else {
        refuse(i, "is unchanged TOAST and its old value was not sent: ALTER TABLE ... REPLICA IDENTITY FULL");
      }
    }
    encoder_.end_row(row.version, row.deleted);
    ++rows_;
  }

  void serialize(std::string& out) const override { encoder_.serialize(rows_, out); }

  [[nodiscard]] const std::shared_ptr<const BlockLayout>& layout() const override { return layout_; }
  [[nodiscard]] std::uint64_t rows() const override { return rows_; }
  [[nodiscard]] std::uint64_t bytes() const override { return encoder_.bytes(); }
  [[nodiscard]] std::uint64_t capacity_bytes() const override { return encoder_.capacity_bytes(); }

 private:
  void append_value(std::size_t i, const Value& value) {
    const BlockColumn& column = layout_->columns[i];
    if (column.nullable) encoder_.present(i);
    switch (column.kind) {
      case ColumnKind::string:
        return encoder_.string(i, value.bytes);
      case ColumnKind::jsonb:
        return encoder_.string(i, text_of_jsonb(i, value));
      case ColumnKind::other:
        if (value.kind == ValueKind::text) return encoder_.string(i, value.bytes);
        refuse(i, "came in a binary form that is unknown here: set consumer.binary to false");
      case ColumnKind::int32:
        return encoder_.number(i, parsed(i, read_integer<std::int32_t>(value)));
      case ColumnKind::int64:
        return encoder_.number(i, parsed(i, read_integer<std::int64_t>(value)));
      case ColumnKind::hash:
        return encoder_.number(i, static_cast<std::uint64_t>(parsed(i, read_integer<std::int64_t>(value))));
      case ColumnKind::float64:
        return encoder_.number(i, parsed(i, read_double(value)));
      case ColumnKind::boolean:
        return encoder_.number(i, static_cast<std::uint8_t>(parsed(i, read_bool(value))));
      case ColumnKind::datetime:
        return encoder_.number(i, parsed(i, read_timestamp_ms(value)));
      case ColumnKind::strings:
        if (!read_text_array(value, elements_, unescaped_)) refuse(i, "is not an array of one dimension");
        return encoder_.strings(i, elements_);
      case ColumnKind::left_out:
        return;
    }
  }

  void append_absent(std::size_t i, bool key_only) {
    const BlockColumn& column = layout_->columns[i];
    if (column.nullable) {
      encoder_.null(i);
      if constexpr (Encoder::kValueUnderNull) append_default(i, column.kind);
      return;
    }
    if (!key_only && column.kind != ColumnKind::strings) {
      refuse(i, "is NULL, which the table in ClickHouse does not allow");
    }
    append_default(i, column.kind);
  }

  /// ClickHouse's default of the type.
  void append_default(std::size_t i, ColumnKind kind) {
    switch (kind) {
      case ColumnKind::string:
      case ColumnKind::jsonb:
      case ColumnKind::other:
        return encoder_.string(i, {});
      case ColumnKind::int32:
        return encoder_.number(i, std::int32_t{0});
      case ColumnKind::int64:
      case ColumnKind::datetime:
        return encoder_.number(i, std::int64_t{0});
      case ColumnKind::hash:
        return encoder_.number(i, std::uint64_t{0});
      case ColumnKind::float64:
        return encoder_.number(i, 0.0);
      case ColumnKind::boolean:
        return encoder_.number(i, std::uint8_t{0});
      case ColumnKind::strings:
        elements_.clear();
        return encoder_.strings(i, elements_);
      case ColumnKind::left_out:
        return;
    }
  }

  template <typename T>
  [[nodiscard]] T parsed(std::size_t i, std::optional<T> number) const {
    if (!number) [[unlikely]]
      refuse_form(*layout_, i, row_version_);
    return *number;
  }

  /// Its binary form has a version byte in front.
  [[nodiscard]] std::string_view text_of_jsonb(std::size_t i, const Value& value) const {
    if (value.kind == ValueKind::text) return value.bytes;
    if (!value.bytes.starts_with('\1')) refuse(i, "is jsonb of an unknown version");
    return value.bytes.substr(1);
  }

  [[noreturn]] void refuse(std::size_t i, std::string_view why) const {
    refuse_value(*layout_, i, row_version_, why);
  }

  std::shared_ptr<const BlockLayout> layout_;
  Encoder encoder_;
  std::uint64_t rows_ = 0;
  wire::Lsn row_version_;  // of the row being appended, for messages
  // Reused for arrays.
  TextElements elements_;
  std::string unescaped_;
};

}  // namespace walstorm::consumer
