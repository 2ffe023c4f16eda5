#include "orchestrator/report/output.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>

#include "proto/wire/utf8.h"

namespace walstorm::report {

void Outputs::conclude(const measure::RunReport& report) {
  for (const auto& output : outputs_) {
    attempt(output->name(), [&] { output->conclude(report); });
  }
}

bool Outputs::attempt(const std::string& name, const std::function<void()>& write) {
  std::erase_if(failures_, [&name](const auto& failure) { return failure.first == name; });
  try {
    write();
    return true;
  } catch (const std::exception& error) {
    // Foreign exceptions too: a defect in one part is no reason to lose the others.
    failures_.emplace_back(name, wire::to_utf8(error.what()));
  }
  return false;
}

void Outputs::take_over(const std::string& whose, const std::vector<std::string>& not_written) {
  for (const std::string& sentence : not_written) failures_.emplace_back(whose, sentence);
}

std::vector<std::string> Outputs::not_written() const {
  std::vector<std::string> sentences;
  for (const auto& [name, why] : failures_) sentences.push_back(fmt::format("{}: {}", name, why));
  return sentences;
}

std::string not_written_text(const std::vector<std::string>& not_written, int exit_code) {
  std::string text;
  for (const std::string& sentence : not_written) text += fmt::format("not written: {}\n", sentence);
  if (exit_code_with(not_written, exit_code) != exit_code)
    text += "exit code 1, since what was asked for is not all there\n";
  return text;
}

int exit_code_with(const std::vector<std::string>& not_written, int exit_code) {
  return exit_code == 0 && !not_written.empty() ? 1 : exit_code;
}

}  // namespace walstorm::report
