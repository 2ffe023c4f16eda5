#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace walstorm::config {

/// What a threshold says: a comparison of two sums over figures of a phase's report.
///
///   comparison := sum ("<" | "<=" | ">" | ">=" | "==" | "!=") sum
///   sum        := product (("+" | "-") product)*
///   product    := factor (("*" | "/") factor)*
///   factor     := "-" factor | "(" sum ")" | number | figure | "phase(" name ")." figure
///   figure     := word ("." word)*
///
/// A figure is its path in metrics.json below a phase: consumer.lagMs.p99. The word after "processes." is a
/// role and may hold '-': processes.consumer-0.rssMaxBytes. A phase's name stands in ' or ". Numbers have no
/// units: a figure's name says its own.
struct Expression {
  struct Figure {
    std::string phase;  ///< empty: the phase that is judged
    std::string path;
    std::size_t column = 0;  ///< from 1, in characters

    /// As it is written in an expression.
    [[nodiscard]] std::string text() const;
  };
  enum class Operation { number, figure, negate, add, subtract, multiply, divide };
  struct Step {
    Operation operation = Operation::number;
    double number = 0;
    Figure figure = {};
  };
  /// In postfix order: each operation takes the results of the steps before it.
  using Sum = std::vector<Step>;
  enum class Comparison { less, at_most, greater, at_least, equal, unequal };

  Sum left, right;
  Comparison comparison = Comparison::less;

  /// All figures, those on the left first.
  [[nodiscard]] std::vector<Figure> figures() const;
};

struct ExpressionError {
  std::size_t column = 0;  ///< from 1, in characters
  std::string message;
};

[[nodiscard]] std::variant<Expression, ExpressionError> parse_expression(std::string_view text);

/// nullopt when a figure is, and when any step of it has no finite result: a division by zero.
[[nodiscard]] std::optional<double> value_of(
    const Expression::Sum& sum,
    const std::function<std::optional<double>(const Expression::Figure&)>& figure);

[[nodiscard]] bool holds(Expression::Comparison comparison, double left, double right);

}  // namespace walstorm::config
