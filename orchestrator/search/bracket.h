#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace walstorm::search {

/// What one trial said of its value.
enum class Judged { passes, fails, unclear };

/// Why a trial is made.
enum class Purpose {
  bracket,  ///< looking for a value on the other side of the edge
  bisect,   ///< between the last passing and the first failing value
  repeat,   ///< a value that was unclear, or the edge's failing side, once more
  confirm   ///< the highest passing value, for longer
};

enum class StopReason {
  none,          ///< goes on
  converged,     ///< the bracket is as narrow as asked for, and its lower end was confirmed
  max_passes,    ///< the greatest value allowed passes
  min_fails,     ///< the least value allowed fails
  edge_unclear,  ///< trials near the edge contradict each other: what passed did not pass again
};

/// As search.json has them: "bisect", "passes", "max-passes"; empty for StopReason::none.
[[nodiscard]] std::string to_string(Purpose purpose);
[[nodiscard]] std::string to_string(Judged judged);
[[nodiscard]] std::string to_string(StopReason reason);

/// The search for the greatest value that passes, one trial after the other: from a hint outward until a
/// value passes and a greater one fails, then by halves. Pure: it says what to try, and is told what came of
/// it, so a search goes on from a list of trials as if they had just been made.
///
/// Values are positive and a greater one is harder. Near the edge one trial proves little, so an unclear
/// value is tried up to three times, the edge's failing side twice, and the passing side once for longer.
class Bracket final {
 public:
  struct Limits {
    double min = 1;
    double max = 1e9;
    double precision = 0.05;  ///< of the width, (first failing - last passing) / last passing
    double grain = 1;         ///< values are multiples of it
  };
  struct Step {
    double value = 0;
    Purpose purpose = Purpose::bracket;
  };

  /// `hint`: where to look first.
  Bracket(Limits limits, double hint);

  /// The trial to make; nullopt once the search is over.
  [[nodiscard]] std::optional<Step> next() const;
  /// What came of a trial: of the one that next() asked for, or of one made earlier.
  void take(const Step& step, Judged judged);

  [[nodiscard]] std::optional<double> last_passing() const;
  [[nodiscard]] std::optional<double> first_failing() const;
  /// nullopt until both ends are known.
  [[nodiscard]] std::optional<double> width() const;
  [[nodiscard]] bool confirmed() const;
  [[nodiscard]] StopReason stop_reason() const;
  /// How many trials the search will about need from here on.
  [[nodiscard]] std::size_t trials_left() const;

 private:
  struct Tally {
    unsigned passes = 0, fails = 0, unclear = 0;
    unsigned confirmations = 0;  // passed for longer
    unsigned refusals = 0;       // did not
  };
  enum class Standing { passes, fails, undecided };

  [[nodiscard]] static Standing standing(const Tally& tally);
  [[nodiscard]] double rounded(double value) const;
  [[nodiscard]] std::optional<double> undecided() const;
  [[nodiscard]] bool narrow() const;
  [[nodiscard]] Step beyond(double value, bool upward) const;

  Limits limits_;
  double hint_;
  std::map<double, Tally> tried_;
  unsigned refusals_ = 0;
};

}  // namespace walstorm::search
