#include "orchestrator/config/expression.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <system_error>
#include <utility>

#include "orchestrator/config/json/json_text.h"
#include "proto/wire/error.h"

namespace walstorm::config {
namespace {

using Comparison = Expression::Comparison;
using Operation = Expression::Operation;

/// The longer ones first: "<=" begins with "<".
constexpr std::array<std::pair<std::string_view, Comparison>, 6> kComparisons{{{"<=", Comparison::at_most},
                                                                               {">=", Comparison::at_least},
                                                                               {"==", Comparison::equal},
                                                                               {"!=", Comparison::unequal},
                                                                               {"<", Comparison::less},
                                                                               {">", Comparison::greater}}};

constexpr std::string_view kRolesBelow = "processes";

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Ends the parse at once; the only catch is in parse_expression.
struct Stop {
  ExpressionError error;
};

/// By recursive descent, a function for each line of the grammar. As deep as the text is long at most, and
/// the schema bounds that.
class Parser final {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expression comparison() {
    Expression expression;
    expression.left = sum();
    expression.comparison = comparison_sign();
    expression.right = sum();
    if (sign_ahead()) fail("one comparison only: make two thresholds of it");
    if (!at_end()) fail(fmt::format("{} is too much here", shown_next()));
    if (expression.figures().empty()) fail_at(0, "names no figure, such as consumer.lagMs.p99");
    return expression;
  }

 private:
  [[noreturn]] void fail_at(std::size_t at, std::string message) const {
    throw Stop{{column_of(at), std::move(message)}};
  }
  [[noreturn]] void fail(std::string message) {
    skip_blanks();
    fail_at(at_, std::move(message));
  }

  [[nodiscard]] std::size_t column_of(std::size_t at) const {
    return 1 + static_cast<std::size_t>(std::count_if(text_.begin(),
                                                      text_.begin() + static_cast<std::ptrdiff_t>(at),
                                                      [](char c) { return begins_character(c); }));
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  [[nodiscard]] bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  [[nodiscard]] char next() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  /// The next word, number or character, for a message.
  [[nodiscard]] std::string shown_next() {
    if (at_end()) return "the end";
    std::size_t end = at_ + 1;
    const bool is_word = is_letter(text_[at_]) || is_digit(text_[at_]);
    while (end < text_.size() &&
           (is_word ? is_letter(text_[end]) || is_digit(text_[end]) : !begins_character(text_[end]))) {
      ++end;
    }
    return fmt::format("\"{}\"", text_.substr(at_, end - at_));
  }

  [[nodiscard]] std::optional<std::pair<std::string_view, Comparison>> sign_ahead() {
    skip_blanks();
    for (const auto& sign : kComparisons) {
      if (text_.substr(at_).starts_with(sign.first)) return sign;
    }
    return std::nullopt;
  }

  Comparison comparison_sign() {
    if (const auto sign = sign_ahead()) {
      at_ += sign->first.size();
      return sign->second;
    }
    if (next() == '=') fail("a lone =; write == for \"is equal to\"");
    fail(fmt::format("a comparison belongs here (<, <=, >, >=, == or !=), not {}", shown_next()));
  }

  Expression::Sum sum() {
    Expression::Sum steps = product();
    while (next() == '+' || next() == '-') {
      const Operation operation = text_[at_++] == '+' ? Operation::add : Operation::subtract;
      append(steps, product(), operation);
    }
    return steps;
  }

  Expression::Sum product() {
    Expression::Sum steps = factor();
    while (next() == '*' || next() == '/') {
      const Operation operation = text_[at_++] == '*' ? Operation::multiply : Operation::divide;
      append(steps, factor(), operation);
    }
    return steps;
  }

  static void append(Expression::Sum& steps, Expression::Sum more, Operation operation) {
    std::move(more.begin(), more.end(), std::back_inserter(steps));
    steps.push_back({operation});
  }

  Expression::Sum factor() {
    if (take('-')) {
      Expression::Sum steps = factor();
      steps.push_back({Operation::negate});
      return steps;
    }
    if (take('(')) {
      Expression::Sum steps = sum();
      if (!take(')')) fail(fmt::format("a ) belongs here, not {}", shown_next()));
      return steps;
    }
    if (is_digit(next())) return {number()};
    if (is_letter(next())) return {figure()};
    fail(fmt::format("a number or a figure belongs here, not {}", shown_next()));
  }

  Expression::Step number() {
    double value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("is no number that can be had");
    at_ += static_cast<std::size_t>(end - begin);
    if (at_ < text_.size() && (is_letter(text_[at_]) || text_[at_] == '%')) {
      fail("a number has no unit here: the figure's name says it (lagMs is in milliseconds)");
    }
    return {Operation::number, value};
  }

  Expression::Step figure() {
    skip_blanks();
    const std::size_t begin = at_;
    std::string first = word(false);
    if (first != "phase" || next() != '(') {
      return {Operation::figure, 0, {{}, path(std::move(first)), column_of(begin)}};
    }
    ++at_;
    std::string name = quoted();
    if (!take(')')) fail(fmt::format("a ) belongs here, not {}", shown_next()));
    if (!take('.')) fail(fmt::format("a figure of phase \"{}\" belongs here: .consumer.lagMs.p99", name));
    if (!is_letter(next())) fail(fmt::format("a figure belongs here, not {}", shown_next()));
    return {Operation::figure, 0, {std::move(name), path(word(false)), column_of(begin)}};
  }

  std::string path(std::string first) {
    std::string whole = std::move(first);
    while (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (at_ == text_.size() || !(is_letter(text_[at_]) || is_digit(text_[at_]))) {
        fail(fmt::format("the rest of the figure belongs here, not {}", shown_next()));
      }
      const bool is_role = whole == kRolesBelow;
      whole += "." + word(is_role);
    }
    return whole;
  }

  std::string word(bool is_role) {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (is_letter(text_[at_]) || is_digit(text_[at_]) || (is_role && text_[at_] == '-'))) {
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted() {
    const char quote = next();
    if (quote != '\'' && quote != '"') fail("a phase's name in quotes belongs here: phase('baseline')");
    const std::size_t begin = at_ + 1;
    const std::size_t end = text_.find(quote, begin);
    if (end == std::string_view::npos) fail("the quote that begins here does not end");
    if (end == begin) fail("a phase has a name");
    at_ = end + 1;
    return std::string(text_.substr(begin, end - begin));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

double result_of(Operation operation, double left, double right) {
  switch (operation) {
    case Operation::add:
      return left + right;
    case Operation::subtract:
      return left - right;
    case Operation::multiply:
      return left * right;
    case Operation::divide:
      return left / right;
    default:
      throw wire::Error(wire::ErrorKind::internal, "an operation of an expression takes two numbers");
  }
}

}  // namespace

std::string Expression::Figure::text() const {
  return phase.empty() ? path : fmt::format("phase('{}').{}", phase, path);
}

std::vector<Expression::Figure> Expression::figures() const {
  std::vector<Figure> found;
  for (const Sum* sum : {&left, &right}) {
    for (const Step& step : *sum) {
      if (step.operation == Operation::figure) found.push_back(step.figure);
    }
  }
  return found;
}

std::variant<Expression, ExpressionError> parse_expression(std::string_view text) {
  try {
    return Parser(text).comparison();
  } catch (const Stop& stop) {
    return stop.error;
  }
}

std::optional<double> value_of(
    const Expression::Sum& sum,
    const std::function<std::optional<double>(const Expression::Figure&)>& figure) {
  std::vector<double> stack;
  // Of every step: 1 / (1 / 0) is a number again, and says nothing.
  bool all_known = true;
  for (const Expression::Step& step : sum) {
    if (step.operation == Operation::number) {
      stack.push_back(step.number);
    } else if (step.operation == Operation::figure) {
      const auto value =
          figure(step.figure);  // each is asked for, so that the caller learns which are missing
      all_known = all_known && value && std::isfinite(*value);
      stack.push_back(value.value_or(0));
    } else if (step.operation == Operation::negate) {
      stack.back() = -stack.back();
    } else {
      const double right = stack.back();
      stack.pop_back();
      stack.back() = result_of(step.operation, stack.back(), right);
      all_known = all_known && std::isfinite(stack.back());
    }
  }
  if (!all_known || stack.size() != 1) return std::nullopt;
  return stack.back();
}

bool holds(Expression::Comparison comparison, double left, double right) {
  switch (comparison) {
    case Comparison::less:
      return left < right;
    case Comparison::at_most:
      return left <= right;
    case Comparison::greater:
      return left > right;
    case Comparison::at_least:
      return left >= right;
    case Comparison::equal:
      return left == right;
    case Comparison::unequal:
      return left != right;
  }
  return false;
}

}  // namespace walstorm::config
