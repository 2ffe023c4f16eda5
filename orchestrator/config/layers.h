#pragma once

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/config/json/problem.h"
#include "orchestrator/config/load.h"

namespace walstorm::config {

/// A document with values put over it, which remembers who put them there: so that a problem is told with the
/// name of its source.
class Layers final {
 public:
  /// `source` names where the document came from: "config.json".
  Layers(Json document, std::string source)
      : original_(document), document_(std::move(document)), source_(std::move(source)) {}

  [[nodiscard]] const Json& document() const { return document_; }

  /// Completes the document with the schema's defaults.
  void fill_in_defaults();

  /// Puts one value in. Objects merge, all else is replaced. What cannot be put becomes a line of problems().
  void put(const Override& override);

  /// A problem as one line for people: "--set producer.batchSize=0: must be at least 1".
  [[nodiscard]] std::string line_of(const Problem& problem) const;

  /// What went wrong in put(), as lines.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Put {
    Pointer at;
    std::string flag;
  };

  [[nodiscard]] const Put* origin_of(const Pointer& at) const;
  void put_at(Json& target, const Pointer& at, const std::vector<std::string>& steps, std::size_t step,
              const Override& override, const Json& value);

  Json original_;  // as the source has it, without defaults
  Json document_;
  std::string source_;
  std::vector<Put> puts_;
  std::vector<std::string> problems_;
};

}  // namespace walstorm::config
