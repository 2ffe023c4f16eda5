// Runs in which something goes wrong: each must end within its deadline, say why, and leave nothing behind.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/process/private_folder.h"
#include "tests/support/run_fixture.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(OnAServer, CleanListsAndThenRemovesWhatAKilledRunLeft) {
  const json left = config({phase("p", 60, 500)});
  {
    WalstormRun run(left);
    run.wait_for_output("phase p");
    run.wait_until([&] { return one("SELECT count(*) FROM pg_stat_replication")[0].as<int>() == 1; });
    run.send_signal(SIGKILL);
    (void)run.finish();
    (void)run.loop().wait(std::chrono::seconds(5), 0, [&] { return run.survivors().empty(); });
  }
  WalstormRun look(left, {"--dry-run"}, WALSTORM_BINARY, "clean");
  EXPECT_EQ(look.finish().code, 0) << look.output();
  EXPECT_THAT(look.output(), HasSubstr("found replication slot \"walstorm_slot\""));
  EXPECT_THAT(look.output(), HasSubstr("rows)"));
  EXPECT_EQ(one("SELECT count(*) FROM pg_replication_slots")[0].as<int>(), 1) << "a dry run only looks";
  WalstormRun clean(left, {}, WALSTORM_BINARY, "clean");
  EXPECT_EQ(clean.finish().code, 0) << clean.output();
  expect_no_slot();
  EXPECT_EQ(one("SELECT count(*) FROM pg_database WHERE datname = 'walstorm_profiling'")[0].as<int>(), 0);
  WalstormRun again(left, {}, WALSTORM_BINARY, "clean");
  EXPECT_EQ(again.finish().code, 0);
  EXPECT_THAT(again.output(), HasSubstr("nothing left"));
}

/// The next run does not remove a folder under a server that is still on its way out of it.
TEST(KilledOrchestrator, HasItsPrivateServerEndedAndItsFolderRemovedByTheNextRunAtOnce) {
  WalstormRun run(config_with({phase("p", 60, 5000)}));
  run.wait_for_output("phase p");
  const auto folders = run.private_folders();
  ASSERT_EQ(folders.size(), 1U);
  ASSERT_FALSE(run.descendants("postgres").empty());
  run.send_signal(SIGKILL);
  (void)run.finish();
  EXPECT_EQ(process::remove_stale_folders(folders[0].parent_path()), folders);
  EXPECT_THAT(run.private_folders(), IsEmpty());
  for (const pid_t survivor : run.survivors()) {
    std::error_code gone;
    EXPECT_NE(std::filesystem::read_symlink("/proc/" + std::to_string(survivor) + "/cwd", gone),
              folders[0] / "data");
  }
}

/// libpq's variables belong to servers that the user names, and PGPORT and PGDATA to none of ours.
TEST(PrivateServer, KnowsNothingOfTheEnvironment) {
  const TemporaryFolder folder;
  const std::filesystem::path program = folder.path() / "walstorm";
  std::ofstream(program)
      << "#!/bin/sh\n"
         "export PGHOSTADDR=127.0.0.1 PGPORT=1 PGSERVICE=nowhere PGOPTIONS='-c nonsense=1' "
         "PGREQUIREPEER=nobody-there PGGSSENCMODE=require PGCHANNELBINDING=require "
         "PGSSLMODE=verify-full PGDATA=/nonexistent PGUSER=nobody PGDATABASE=none "
         "PGTZ=nowhere PGTARGETSESSIONATTRS=standby\n"
         "exec "
      << WALSTORM_BINARY << " \"$@\"\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  WalstormRun run(config_with({phase("p", 1, 500)}), {}, program);
  expect_clean_run(run);
  expect_nothing_left(run);
  // Many runs on one private server.
  WalstormRun sweep(config_with({phase("p", 1, 500)}), {"--vary", "producer.batchSize=10", "--repeats", "1"},
                    program, "sweep");
  EXPECT_EQ(sweep.finish().code, 0) << sweep.output();
  WalstormRun check(config_with({phase("p", 1, 500)}), {}, program, "check");
  EXPECT_EQ(check.finish().code, 0) << check.output();
}

/// What waits for ever is named, and does not stay on the server.
TEST_F(OnAServer, CommitsThatWaitForAStandbyThatIsNotThereAreNamed) {
  const json waits =
      config({phase("p", 6, 500)}, {{"database", {{"giveUpSec", 1}}}, {"stop", {{"graceSec", 2}}}});
  WalstormRun run(waits);
  run.wait_for_output("phase p");
  pqxx::connection admin(server_.address().conninfo("postgres", "test"));
  pqxx::nontransaction(admin).exec("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  pqxx::nontransaction(admin).exec("SELECT pg_reload_conf()");
  EXPECT_EQ(run.finish().code, 1) << run.output();
  EXPECT_THAT(
      run.metrics()["run"]["failure"].get<std::string>(),
      AllOf(HasSubstr("waits for a synchronous standby: synchronous_standby_names is 'nobody', and none"),
            HasSubstr("pg_reload_conf()")));
  EXPECT_THAT(run.survivors(), IsEmpty());
  EXPECT_EQ(
      one("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'walstorm-%'")[0].as<int>(), 0);
  expect_no_slot();
  WalstormRun second(waits);
  EXPECT_EQ(second.finish().code, 3) << second.output();
  EXPECT_THAT(second.output(), HasSubstr("synchronous_standby_names is 'nobody'"));
}

TEST_F(OnAServer, KilledConsumerFailsTheRunAndLeavesNoSlot) {
  WalstormRun run(config({phase("peak", 30, 1000)}));
  run.wait_until([&] { return one("SELECT count(*) FROM pg_stat_replication")[0].as<int>() == 1; });
  run.wait_until([&] { return !run.descendants("walstorm-producer").empty(); });
  ::kill(run.descendants("walstorm-consumer").at(0), SIGKILL);
  EXPECT_EQ(run.finish(std::chrono::seconds(40)).code, 1) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["run"]["outcome"], "failed");
  EXPECT_THAT(metrics["run"]["failure"].get<std::string>(), HasSubstr("consumer-0 ended: signal 9"));
  EXPECT_EQ(metrics["run"]["exitCode"], 1);
  expect_no_slot();
  expect_nothing_left(run);
}

TEST_F(OnAServer, SlotOfAKilledOrchestratorIsDroppedByTheNextRun) {
  {
    WalstormRun run(config({phase("p", 60, 500)}));
    run.wait_until([&] { return one("SELECT count(*) FROM pg_stat_replication")[0].as<int>() == 1; });
    run.wait_until([&] { return !run.descendants("walstorm-producer").empty(); });
    run.send_signal(SIGKILL);
    EXPECT_EQ(run.finish().signal, SIGKILL);
    (void)run.loop().wait(std::chrono::seconds(5), 0, [&] { return run.survivors().empty(); });
    EXPECT_THAT(run.survivors(), IsEmpty());
    EXPECT_EQ(one("SELECT count(*) FROM pg_replication_slots")[0].as<int>(), 1);
  }
  WalstormRun next(config({phase("p", 1, 500)}));
  EXPECT_EQ(next.finish().code, 0) << next.output();
  EXPECT_THAT(next.metrics()["run"]["notes"].dump(), HasSubstr("an earlier run left"));
  expect_no_slot();
}

TEST_F(OnAServer, TwoRunsAtOnceDoNotDisturbEachOther) {
  WalstormRun first(config({phase("p", 4, 500)}));
  first.wait_until([&] { return one("SELECT count(*) FROM pg_stat_replication")[0].as<int>() == 1; });
  WalstormRun second(config({phase("p", 1, 500)}));
  EXPECT_EQ(second.finish().code, 3) << second.output();
  EXPECT_THAT(second.output(), HasSubstr("another walstorm run is using the database"));
  EXPECT_FALSE(second.run_folder().has_value());
  EXPECT_EQ(first.finish().code, 0) << first.output();
  expect_clean_changes(first.metrics()["ledger"]["changes"]);
}

TEST_F(OnAServer, RowsAlteredBehindTheRunsBackAreFound) {
  WalstormRun run(config({phase("load", 2, 1000), phase("wait", 5, 10)}));
  run.wait_for_output("phase wait");
  {
    pqxx::connection connection(server_.address().conninfo("walstorm_profiling", "saboteur"));
    pqxx::nontransaction(connection)
        .exec("DELETE FROM \"TaskRun\" WHERE id = (SELECT min(id) FROM \"TaskRun\")");
  }
  EXPECT_EQ(run.finish().code, 1) << run.output();
  const json ledger = run.metrics()["ledger"];
  EXPECT_EQ(ledger["rows"]["postgres"].get<int>() + 1, ledger["rows"]["expected"].get<int>());
  EXPECT_EQ(ledger["rows"]["checksumMatches"], false);
}

TEST_F(OnAServer, WhoseWalLevelIsReplicaIsRefusedWithWhatToDo) {
  postgres::PrivateServer replica(loop_, {{"wal_level", "replica"}}, logs_.path() / "replica.log");
  WalstormRun run(config({phase("p", 1, 500)}, {{"database", {{"url", url_of(replica)}}}}));
  EXPECT_EQ(run.finish().code, 3) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("wal_level is replica: set it to logical"));
  EXPECT_FALSE(run.run_folder().has_value());
}

TEST(Unreachable, ServerIsExitThreeAndLeavesNothing) {
  WalstormRun run(
      config_with({phase("p", 1, 500)}, {{"database", {{"url", "postgresql://u:s3cret@127.0.0.1:1/x"}}}}));
  EXPECT_EQ(run.finish().code, 3) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("prepare PostgreSQL at 127.0.0.1:1 as \"u\": "));
  EXPECT_THAT(run.output(), testing::Not(HasSubstr("s3cret")));
  EXPECT_FALSE(run.run_folder().has_value());
  expect_nothing_left(run);
}

TEST(Failure, KilledProducerFailsTheRun) {
  WalstormRun run(config_with({phase("p", 30, 1000)}, {{"producer", {{"workerCount", 2}}}}));
  run.wait_until([&] { return run.descendants("walstorm-producer").size() == 2; });
  run.wait_for_output("phase p");
  ::kill(run.descendants("walstorm-producer").at(1), SIGKILL);
  EXPECT_EQ(run.finish(std::chrono::seconds(40)).code, 1) << run.output();
  EXPECT_THAT(run.metrics()["run"]["failure"].get<std::string>(), HasSubstr("ended: signal 9"));
  expect_nothing_left(run);
}

TEST(Failure, StoppedPostgresFailsTheRunAndIsNamed) {
  WalstormRun run(config_with({phase("p", 30, 1000)}));
  run.wait_until([&] { return !run.descendants("walstorm-producer").empty(); });
  // A child that was just forked has its parent's command line for a moment: the postmaster is found alone,
  // or again.
  std::vector<pid_t> postmasters;
  run.wait_until([&] {
    postmasters = run.descendants("postgres" + std::string(1, '\0') + "-D");
    return postmasters.size() == 1;
  });
  ASSERT_EQ(postmasters.size(), 1U);
  ::kill(postmasters[0], SIGQUIT);
  EXPECT_EQ(run.finish(std::chrono::seconds(40)).code, 1) << run.output();
  EXPECT_THAT(run.metrics()["run"]["failure"].get<std::string>(), HasSubstr("the private PostgreSQL ended"));
  expect_nothing_left(run);
}

TEST(Failure, FrozenConsumerIsFoundByItsSilence) {
  WalstormRun run(config_with({phase("p", 60, 500)}, {{"stop", {{"graceSec", 1}}}}));
  // A second of load: frozen while it is told of the phase, it would be missed as one that does not answer.
  run.wait_for_output("phase p");
  run.wait_until([&] {
    const std::string seconds = run.read("timeseries.csv");
    return std::count(seconds.begin(), seconds.end(), '\n') > 1;
  });
  ::kill(run.descendants("walstorm-consumer").at(0), SIGSTOP);
  EXPECT_EQ(run.finish(std::chrono::seconds(60)).code, 1) << run.output();
  EXPECT_THAT(run.metrics()["run"]["failure"].get<std::string>(), HasSubstr("consumer-0 has been silent"));
  EXPECT_THAT(run.metrics()["run"]["notes"].dump(), HasSubstr("SIGKILL"));
  expect_nothing_left(run);
}

TEST(Interrupt, WhileAPrivateServerStartsLeavesNothing) {
  // What initdb has started, and the server itself.
  for (const std::string& started : {std::string("--single"), "postgres" + std::string(1, '\0') + "-D"}) {
    WalstormRun run(config_with({phase("never", 60, 1000)}));
    run.wait_until([&] { return !run.descendants(started).empty(); });
    run.send_signal(SIGINT);
    EXPECT_EQ(run.finish(std::chrono::seconds(20)).code, 130) << run.output();
    EXPECT_FALSE(run.run_folder().has_value());
    expect_nothing_left(run);
  }
}

TEST(Interrupt, OnceEndsTheLoadDrainsAndReports) {
  WalstormRun run(config_with({phase("long", 60, 1000), phase("never", 60, 1000)}));
  run.wait_for_output("phase long");
  run.send_signal(SIGINT);
  EXPECT_EQ(run.finish(std::chrono::seconds(40)).code, 130) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["run"]["outcome"], "interrupted");
  ASSERT_EQ(metrics["phases"].size(), 1U);
  EXPECT_EQ(metrics["phases"][0]["drain"]["completed"], true);
  EXPECT_EQ(metrics["phases"][0]["ledger"]["acknowledged"], metrics["phases"][0]["ledger"]["produced"]);
  expect_nothing_left(run);
}

TEST(Interrupt, InADrainLetsItEndAndStartsNoFurtherPhase) {
  WalstormRun run(config_with({phase("first", 1, 200), phase("never", 60, 1000)},
                              {{"consumer", {{"mockClickhouseDelay", 3000}}}}));
  run.wait_for_output("phase first");
  run.wait_until([&] { return run.read("timeseries.csv").find(",true,") != std::string::npos; });
  run.send_signal(SIGINT);
  EXPECT_EQ(run.finish(std::chrono::seconds(40)).code, 130) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["run"]["outcome"], "interrupted");
  ASSERT_EQ(metrics["phases"].size(), 1U);
  EXPECT_EQ(metrics["phases"][0]["outcome"], "passed");
  EXPECT_EQ(metrics["phases"][0]["drain"]["completed"], true);
  EXPECT_THAT(run.output(), HasSubstr("phase \"never\" is not started"));
  expect_nothing_left(run);
}

TEST(Interrupt, TwiceEndsAtOnce) {
  WalstormRun run(config_with({phase("long", 60, 1000)}, {{"consumer", {{"mockClickhouseDelay", 60'000}}},
                                                          {"drain", {{"timeoutSec", 60}}}}));
  run.wait_for_output("phase long");
  run.send_signal(SIGINT);
  run.wait_for_output("interrupted: ending the load");
  run.send_signal(SIGINT);
  EXPECT_EQ(run.finish(std::chrono::seconds(20)).code, 130) << run.output();
  EXPECT_EQ(run.metrics()["run"]["outcome"], "interrupted");
  expect_nothing_left(run);
}

TEST(KilledOrchestrator, TakesItsServerAlongAndTheNextRunRemovesTheFolder) {
  WalstormRun run(config_with({phase("p", 60, 500)}));
  run.wait_until([&] { return !run.descendants("walstorm-producer").empty(); });
  run.send_signal(SIGKILL);
  EXPECT_EQ(run.finish().signal, SIGKILL);
  (void)run.loop().wait(std::chrono::seconds(5), 0, [&] { return run.survivors().empty(); });
  EXPECT_THAT(run.survivors(), IsEmpty());
  ASSERT_EQ(run.private_folders().size(), 1U);
  EXPECT_EQ(process::remove_stale_folders(run.private_folders()[0].parent_path()).size(), 1U);
}

/// walstorm with a scripted worker in the producer's place.
class WithScriptedProducer : public testing::Test {
 protected:
  WithScriptedProducer() {
    namespace fs = std::filesystem;
    const fs::path real = fs::path(WALSTORM_BINARY).parent_path();
    for (const char* name : {"walstorm", "walstorm-consumer"})
      fs::copy_file(real / name, folder_.path() / name);
    fs::copy_file(SCRIPTED_WORKER, folder_.path() / "walstorm-producer");
  }
  ~WithScriptedProducer() override { ::unsetenv("WALSTORM_TEST_SCRIPT"); }

  std::string failure_of(const char* script) {
    ::setenv("WALSTORM_TEST_SCRIPT", script, 1);
    WalstormRun run(config_with({phase("p", 5, 500)}, {{"stop", {{"graceSec", 1}}}}), {},
                    folder_.path() / "walstorm");
    EXPECT_EQ(run.finish(std::chrono::seconds(60)).code, 1) << script << "\n" << run.output();
    expect_nothing_left(run);
    return run.metrics()["run"]["failure"].get<std::string>();
  }

  tests::TemporaryFolder folder_;
};

TEST_F(WithScriptedProducer, EachMisbehaviourEndsTheRunWithItsReason) {
  EXPECT_THAT(failure_of("setup:exit=7"), HasSubstr("producer-0 ended: exit code 7"));
  EXPECT_THAT(failure_of("start_phase:nonsense"), HasSubstr("are no metrics frame"));
  EXPECT_THAT(failure_of("end_phase:half_frame"), HasSubstr("in the middle of a frame"));
  EXPECT_THAT(failure_of("end_phase:silent"), HasSubstr("no answer within"));
  EXPECT_THAT(failure_of("setup:refuse"), HasSubstr("refused as scripted"));
}

}  // namespace
}  // namespace walstorm::tests
