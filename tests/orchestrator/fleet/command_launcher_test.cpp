#include "orchestrator/fleet/command_launcher.h"

#include <gtest/gtest.h>

#include "proto/wire/error.h"

namespace walstorm::fleet {
namespace {

using Words = std::vector<std::string>;

std::string error_of(const Words& command, wire::ErrorKind kind) {
  try {
    (void)CommandLauncher(command, "h1", "/opt/walstorm").child("walstorm-producer");
    return "was taken";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
}

TEST(CommandLauncher, FillsInHostAndProgram) {
  const CommandLauncher launcher({"/usr/bin/ssh", "-T", "load@{host}", "exec {program}"}, "h1",
                                 "/opt/walstorm");
  const process::ChildOptions child = launcher.child("walstorm-producer");
  EXPECT_EQ(child.program, "/usr/bin/ssh");
  EXPECT_EQ(child.arguments, (Words{"-T", "load@h1", "exec /opt/walstorm/walstorm-producer"}));
  EXPECT_FALSE(launcher.child_is_worker());
}

TEST(CommandLauncher, PutsInNoMoreThanItWasGiven) {
  const CommandLauncher launcher({"/bin/x", "{host}{program}{host", "{hosts}", "{program}"}, "{program}",
                                 "/{host}");
  EXPECT_EQ(launcher.child("p").arguments, (Words{"{program}/{host}/p{host", "{hosts}", "/{host}/p"}));
}

TEST(CommandLauncher, FindsItsCommandInPath) {
  const CommandLauncher launcher({"sh", "-c", "exec \"$0\"", "{program}"}, "", "/opt");
  EXPECT_EQ(launcher.child("p").program.filename(), "sh");
  EXPECT_TRUE(launcher.child("p").program.is_absolute());
  EXPECT_EQ(
      error_of({"no-such-launcher", "{program}"}, wire::ErrorKind::unavailable),
      "start walstorm-producer: its launcher \"no-such-launcher\" is not in PATH; install it, or name it "
      "with its folder");
}

TEST(CommandLauncher, IsRefusedWithoutAProgramToStart) {
  EXPECT_EQ(error_of({"ssh", "{host}"}, wire::ErrorKind::config),
            "the launcher [ssh, {host}] starts no worker: one of its words has to be or contain {program}");
  EXPECT_NE(error_of({}, wire::ErrorKind::config), "was taken");
}

}  // namespace
}  // namespace walstorm::fleet
