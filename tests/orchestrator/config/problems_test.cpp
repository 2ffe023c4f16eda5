// Every form that a problem can take: gives() and rejects() read as the manual of messages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config_verbs.h"
#include "orchestrator/config/json/explain.h"
#include "orchestrator/config/json/schema.h"

namespace walstorm::config {
namespace {

std::string phases(const std::string& phase) {
  return R"({"phases": [)" + phase + "]}";
}

TEST(Problems, NameFilePointerValueAndRule) {
  rejects(
      phases(
          R"({"name": "a", "durationSec": 9}, {"name": "b", "durationSec": 9}, {"name": "c", "durationSec": -5})"),
      {"config.json: /phases/2/durationSec: -5: must be at least 1"});
}

TEST(Problems, AreAllToldAtOnce) {
  rejects(
      R"({"sed": 1, "producer": {"batchSize": 0, "insertUpdateRatio": 2, "arrival": "sometimes"},
              "consumer": {"binary": "yes"}, "database": {"replicaIdentity": "default"},
              "phases": [{"name": "a", "durationSec": 5}, {"name": "a", "durationSec": 0}]})",
      {"config.json: /sed: unknown key; did you mean \"seed\"?",
       "config.json: /producer/batchSize: 0: must be at least 1",
       "config.json: /producer/insertUpdateRatio: 2: must be at most 1",
       "config.json: /producer/arrival: \"sometimes\": must be one of \"constant\" or \"poisson\"",
       "config.json: /consumer/binary: \"yes\": must be true or false",
       "config.json: /phases/1/name: \"a\": is the name of /phases/0 too",
       "config.json: /phases/1/durationSec: 0: must be at least 1"});
}

TEST(Problems, OfTypes) {
  rejects(R"({"producer": {"batchSize": 3.7}})",
          {"config.json: /producer/batchSize: 3.7: must be a whole number"});
  rejects(R"({"producer": {"batchSize": "9"}})",
          {"config.json: /producer/batchSize: \"9\": must be a whole number"});
  rejects(R"({"producer": {"deleteRatio": true}})",
          {"config.json: /producer/deleteRatio: true: must be a number"});
  rejects(R"({"producer": 5})", {"config.json: /producer: 5: must be an object, {...}"});
  rejects(R"({"phases": {}})", {"config.json: /phases: {...}: must be a list, [...]"});
  rejects(R"({"name": 5})", {"config.json: /name: 5: must be text in quotes"});
  rejects(R"({"seed": null})", {"config.json: /seed: null: must be a whole number"});
  rejects(phases("5"), {"config.json: /phases/0: 5: must be an object, {...}"});
  rejects(
      R"({"database": {"settings": {"work_mem": []}}})",
      {"config.json: /database/settings/work_mem: [...]: must be text in quotes, a number or true or false"});
  rejects(R"({"consumer": []})", {"config.json: /consumer: [...]: must be an object, {...}"});
}

TEST(Problems, OfNumbersThatNlohmannWouldBend) {
  rejects(R"({"producer": {"connections": -5}})",
          {"config.json: /producer/connections: -5: must be at least 1"});
  rejects(R"({"producer": {"connections": 4294967297}})",
          {"config.json: /producer/connections: 4294967297: must be at most 256"});
  rejects(R"({"producer": {"connections": 18446744073709551615}})",
          {"config.json: /producer/connections: 18446744073709551615: must be at most 256"});
  rejects(R"({"producer": {"connections": 1e30}})",
          {"config.json: /producer/connections: 1e+30: must be at most 256"});
  rejects(R"({"producer": {"targetThroughput": 18446744073709551615}})",
          {"config.json: /producer/targetThroughput: 18446744073709551615: must be at most 10000000"});
  gives(R"({"producer": {"batchSize": 2e2}})", "/producer/batchSize", 200);
  gives(R"({"phases": [{"name": "a", "durationSec": 60.0}]})", "/phases/0/durationSec", 60);
}

TEST(Problems, OfWords) {
  rejects(R"({"producer": {"writeMode": "cpoy"}})",
          {"config.json: /producer/writeMode: \"cpoy\": must be one of \"insert\", \"copy\", \"unnest\" or "
           "\"prepared\""});
  rejects(R"({"name": "a/b"})", {"config.json: /name: \"a/b\": must be made of letters, digits, '.', '_' and "
                                 "'-', and begin with a letter or digit"});
  rejects(fmt::format(R"({{"name": "{:x>65}"}})", ""),
          {fmt::format("config.json: /name: \"{:x>59}...\": must be at most 64 characters long", "")});
  rejects(R"({"consumer": {"slotName": "Mine"}})", {"config.json: /consumer/slotName: \"Mine\": must be 1 to "
                                                    "63 lower-case letters, digits and '_': PostgreSQL "
                                                    "takes no other slot names"});
  rejects(R"({"profiling": {"outputDir": ""}})",
          {"config.json: /profiling/outputDir: \"\": must not be empty"});
  rejects(R"({"database": {"settings": {"a;b": 1}}})",
          {"config.json: /database/settings/a;b: is no name of a PostgreSQL setting"});
}

TEST(Problems, OfNamesOnTheServers) {
  const std::string umlauts = "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4";  // 16 bytes
  const std::string longest = "My \\\"DB\\\" " + umlauts + umlauts + umlauts + "1234567";
  const std::string shown = longest.substr(0, longest.size() - 6) + "...";  // of a long value the beginning
  const std::string why = ": \"" + shown + "\": is 64 bytes long; must be at most 63";
  gives(fmt::format(R"({{"database": {{"profilingDatabase": "{}"}}}})", longest),
        "/database/profilingDatabase", "My \"DB\" " + umlauts + umlauts + umlauts + "1234567");
  rejects(
      fmt::format(R"({{"database": {{"profilingDatabase": "{0}8"}}, "consumer": {{"publicationName": "{0}8"}},
                        "clickhouse": {{"database": "{0}8"}}}})",
                  longest),
      {"config.json: /database/profilingDatabase" + why, "config.json: /consumer/publicationName" + why,
       "config.json: /clickhouse/database" + why});
  rejects(R"({"database": {"profilingDatabase": "a\u0000b"}})",
          {"config.json: /database/profilingDatabase: \"a\\u0000b\": must not hold a NUL character"});
  rejects(R"({"consumer": {"publicationName": ""}})",
          {"config.json: /consumer/publicationName: \"\": must not be empty"});
}

TEST(Problems, OfPhases) {
  rejects(R"({"phases": []})", {"config.json: /phases: must hold at least 1"});
  rejects(phases(R"({"name": "", "durationSec": 1})"),
          {"config.json: /phases/0/name: \"\": must not be empty"});
  rejects(phases(R"({"name": "a\nb", "durationSec": 1})"),
          {"config.json: /phases/0/name: \"a\\nb\": must begin with a visible character and be one line"});
  rejects(phases("{}"),
          {"config.json: /phases/0/name: is missing", "config.json: /phases/0/durationSec: is missing"});
  rejects(phases(R"({"name": "a", "durationSec": 1, "warmUp": true})"),
          {"config.json: /phases/0/warmUp: unknown key; did you mean \"warmup\"?"});
  rejects(phases(R"({"name": "a", "durationSec": 1, "records": 0})"),
          {"config.json: /phases/0/records: 0: must be at least 1"});
}

TEST(Problems, CountAndCutTextByCharacters) {
  std::string umlauts;
  for (int i = 0; i < 64; ++i) umlauts += "ö";
  gives(phases(R"({"name": ")" + umlauts + R"(", "durationSec": 1})"), "/phases/0/name", umlauts);
  rejects(phases(R"({"name": "x)" + umlauts + R"(", "durationSec": 1})"),
          {fmt::format("config.json: /phases/0/name: \"x{}...\": must be at most 64 characters long",
                       umlauts.substr(0, 58))});
}

TEST(Problems, OfPhasesBeyondTheLimit) {
  const auto many = [](int count) {
    nlohmann::json list = nlohmann::json::array();
    for (int i = 0; i < count; ++i) list.push_back({{"name", fmt::format("p{}", i)}, {"durationSec", 1}});
    return nlohmann::json{{"phases", list}}.dump();
  };
  gives(many(200), "/phases/199/name", "p199");
  rejects(many(201), {"config.json: /phases: holds 201; must hold at most 200"});
  nlohmann::json and_bad = nlohmann::json::parse(many(201));
  and_bad["phases"][7]["durationSec"] = 0;
  rejects(and_bad.dump(), {"config.json: /phases: holds 201; must hold at most 200",
                           "config.json: /phases/7/durationSec: 0: must be at least 1"});
}

TEST(Problems, OfTargets) {
  const auto target = [](const std::string& value) {
    return phases(R"({"name": "a", "durationSec": 1, "targetThroughput": )" + value + "}");
  };
  const std::string at = "config.json: /phases/0/targetThroughput";
  const std::string choice = "must be a number of records per second, {\"from\": …, \"to\": …} or \"max\"";
  gives(target("5000"), "/phases/0/targetThroughput", 5000);
  gives(target("0.5e4"), "/phases/0/targetThroughput", 5000);
  gives(target("1234.5"), "/phases/0/targetThroughput", 1234.5);
  gives(target("\"max\""), "/phases/0/targetThroughput", "max");
  gives(target(R"({"from": 0, "to": 20000})"), "/phases/0/targetThroughput", {{"from", 0}, {"to", 20000}});
  rejects(target("0"), {at + ": 0: must be at least 1"});
  rejects(target("1e8"), {at + ": 100000000: must be at most 10000000"});
  rejects(target("\"fast\""), {at + ": \"fast\": " + choice});
  rejects(target("true"), {at + ": true: " + choice});
  rejects(target("[1]"), {at + ": [...]: " + choice});
  rejects(target(R"({"from": 1000})"), {at + "/to: is missing"});
  rejects(target(R"({"from": -1, "to": "x"})"),
          {at + "/from: -1: must be at least 0", at + "/to: \"x\": must be a number"});
  rejects(target(R"({"from": 1, "to": 5, "too": 6})"), {at + "/too: unknown key; did you mean \"to\"?"});
  rejects(target(R"({"from": 0, "to": 0})"), {at + ": a ramp must begin or end at 1 record/s at least"});
}

TEST(Problems, OfUnknownKeysSayWhatMayHaveBeenMeant) {
  rejects(R"({"producer": {"batchsize": 1}})",
          {"config.json: /producer/batchsize: unknown key; did you mean \"batchSize\"?"});
  rejects(R"({"flushBatchSize": 1})",
          {"config.json: /flushBatchSize: unknown key; did you mean \"consumer.flushBatchSize\"?"});
  rejects(R"({"durationSec": 1})",
          {"config.json: /durationSec: unknown key; did you mean \"phases.*.durationSec\"?"});
  rejects(R"({"xyzzy": 1, "stop": {"plugh": 2}})",
          {"config.json: /xyzzy: unknown key", "config.json: /stop/plugh: unknown key"});
}

TEST(Problems, OfWhatIsProfiled) {
  for (const char* tool : {"heep", "heap,", "heap flame", "none,heap"}) {
    rejects(fmt::format(R"({{"profiling": {{"tool": "{}"}}}})", tool),
            {fmt::format(
                "config.json: /profiling/tool: \"{}\": must be none, or of doctor, flame, both, heap and "
                "contention one or several, separated by commas",
                tool)});
  }
  rejects(R"({"profiling": {"targets": ["consumers"], "frequencyHz": 0}})",
          {"config.json: /profiling/targets/0: \"consumers\": must be one of \"consumer\", \"producer\", "
           "\"postgres-walsender\", \"postgres-backends\", \"clickhouse\" or \"all\"",
           "config.json: /profiling/frequencyHz: 0: must be at least 1"});
}

TEST(Problems, AreNotRaisedByTheDefaultsOfLaterFeatures) {
  gives(R"({"consumer": {"mock": {"maxRecordsPerSec": 500}},
            "profiling": {"enabled": false, "tool": "none"}, "thresholds": []})",
        "/consumer/mock/maxRecordsPerSec", 500);
}

TEST(Problems, OfClickhousesUrlAndDatabase) {
  const std::string url = ": must be an http:// or https:// URL or \"private\"";
  rejects(
      R"({"clickhouse": {"url": "tcp://u:hunter2@h:9000", "database": ""}})",
      {"config.json: /clickhouse/url" + url, "config.json: /clickhouse/database: \"\": must not be empty"});
  rejects(R"({"clickhouse": {"database": "system"}})",
          {"config.json: /clickhouse/database: \"system\": belongs to the server; name another"});
  rejects(
      R"({"consumer": {"insertFormat": "csv"}})",
      {"config.json: /consumer/insertFormat: \"csv\": must be one of \"native\", \"jsonCompactEachRow\" or "
       "\"rowBinary\""});
}

TEST(Problems, OfARealSinkWithoutTheRowsOfDeletes) {
  const auto refusal = refusal_of(
      {.file = R"({"clickhouse": {"url": "private"}, "database": {"replicaIdentity": "default"}})"});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->message,
            "config.json: /database/replicaIdentity: \"default\": must be \"full\" with a real sink: deletes "
            "and unchanged "
            "TOAST would carry no row");
}

TEST(Problems, OfStreamingWithAnOlderProtocol) {
  rejects(R"({"consumer": {"streaming": "on"}})",
          {"config.json: /consumer/streaming: \"on\": needs consumer.protoVersion 2 or later, and it is 1"});
  rejects(R"({"consumer": {"streaming": "parallel", "protoVersion": 3}})",
          {"config.json: /consumer/streaming: \"parallel\": needs consumer.protoVersion 4 or later, and it "
           "is 3"});
  gives(R"({"consumer": {"streaming": "on", "protoVersion": 2}})", "/consumer/streaming", "on");
  gives(R"({"consumer": {"streaming": "parallel", "protoVersion": 4}})", "/consumer/protoVersion", 4);
  gives(R"({"consumer": {"protoVersion": 3}})", "/consumer/streaming", "off");
}

TEST(Problems, BetweenKeys) {
  rejects(R"({"database": {"replicaIdentity": "default"}, "producer": {"deleteRatio": 0.1}})",
          {"config.json: /database/replicaIdentity: \"default\": must be \"full\" with producer.deleteRatio "
           "> 0: deletes "
           "and unchanged TOAST would carry no row"});
  gives(R"({"database": {"replicaIdentity": "default"}})", "/database/replicaIdentity", "default");
  rejects(R"({"phases": [{"name": "a", "durationSec": 1, "records": 99}]})",
          {"config.json: /phases/0/records: 99: must be at least producer.batchSize, 100: one transaction"});
  gives(R"({"phases": [{"name": "a", "durationSec": 1, "records": 100}]})", "/phases/0/records", 100);
  rejects(R"({"producer": {"batchSize": 1000, "payloadSizeKB": 1024}})",
          {"config.json: /producer/batchSize: 1000: with payloadSizeKB 1024 a transaction is 1000 MB; must "
           "be at most "
           "256 MB"});
  rejects(R"({"producer": {"connections": 256, "workerCount": 4}})",
          {"config.json: /producer/connections: 256: with workerCount 4 these are 1024 connections; must be "
           "at most "
           "1000"});
  rejects(R"({"producer": {"connections": 10, "maxLiveRows": 9}})",
          {"config.json: /producer/maxLiveRows: 9: must be at least 1 for each of the 10 connections "
           "(workerCount x "
           "connections)"});
  rejects(R"({"database": {"settings": {"wal_level": "minimal", "work_mem": "1MB"}}})",
          {"config.json: /database/settings/wal_level: \"minimal\": is walstorm's own to set; leave it out"});
}

TEST(Problems, OfADatabaseThatIsNotOursToDrop) {
  rejects(R"({"database": {"profilingDatabase": "postgres"}})",
          {"config.json: /database/profilingDatabase: \"postgres\": belongs to the server; walstorm empties "
           "and drops "
           "its database: name another"});
  rejects(R"({"database": {"url": "postgresql://u:p@h:5432/app?schema=public", "profilingDatabase": "app"}})",
          {"config.json: /database/profilingDatabase: \"app\": is the database that the URL names; walstorm "
           "empties and "
           "drops its database: name another"});
  gives(R"({"database": {"url": "postgresql://app", "profilingDatabase": "app"}})", "/database/url",
        "postgresql://app");
}

TEST(Problems, OfUrlsNeverShowTheUrl) {
  rejects(R"({"database": {"url": "u:hunter2@h/db"}})",
          {"config.json: /database/url: must be a postgresql:// URL or \"private\""});
  rejects(R"({"database": {"url": 5}})", {"config.json: /database/url: 5: must be text in quotes"});
  rejects(R"({"description": 5, "name": "postgres://u:hunter2@h/db"})",
          {"config.json: /description: 5: must be text in quotes",
           "config.json: /name: \"postgres://u:***@h/db\": must be made of letters, digits, '.', '_' and "
           "'-', and begin "
           "with a letter or digit"});
}

TEST(Problems, OfAnyWrongValueInAnyPlaceAreToldInOurWords) {
  const std::vector<Json> values =
      Json::parse(R"([null, true, -1, 3.7, 1e30, "", "x y", [], [[1]], {}, {"x": 1}])");
  for (const std::string& path : known_paths()) {
    std::string pointer = fmt::format("/{}", path);
    for (char& c : pointer) c = c == '.' ? '/' : c == '*' ? '0' : c;
    for (const Json& value : values) {
      Json document = Json::object();
      complete(schema(), document);
      document[Pointer(pointer)] = value;
      const auto violations = violations_of(document);
      const auto problems = explain(violations, document);
      EXPECT_EQ(violations.empty(), problems.empty());
      for (const Problem& problem : problems) {
        EXPECT_TRUE(problem.message.starts_with("must ") || problem.message.starts_with("unknown key") ||
                    problem.message == "is missing" ||
                    problem.message == "is no name of a PostgreSQL setting")
            << pointer << ": " << value << ": " << problem.message;
      }
    }
  }
}

}  // namespace
}  // namespace walstorm::config
