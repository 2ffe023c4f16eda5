#pragma once

#include <filesystem>
#include <optional>
#include <string>

/// What tests need to start PostgreSQL servers other than walstorm's own kind.
namespace walstorm::tests {

/// initdb and postgres of another major version, as support/other_postgres/fetch left them; nullopt where it
/// could not. When the server's user cannot reach them there, they are copied into `scratch`.
[[nodiscard]] std::optional<std::filesystem::path> other_postgres(int major,
                                                                  const std::filesystem::path& scratch);

/// A TCP port on which nobody listens now.
[[nodiscard]] unsigned free_port();

/// Makes `file` the property of the user as whom a private server runs, and unreadable for all others.
void give_to_server(const std::filesystem::path& file);

/// Runs a program of PATH to its end; fails the test when it does not end well. Its output is returned.
std::string run_program(const std::string& command_line);

}  // namespace walstorm::tests
