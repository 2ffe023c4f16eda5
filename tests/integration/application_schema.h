#pragma once

namespace walstorm::tests {

/// A "TaskRun" such as an application has: more columns, keys to other tables, a trigger that would stop each
/// insert.
inline constexpr const char* kApplicationSchema = R"(
CREATE TABLE organization (id text PRIMARY KEY);
CREATE TABLE "TaskRun" (
  id text PRIMARY KEY, "friendlyId" varchar NOT NULL UNIQUE, "taskIdentifier" text NOT NULL, status text NOT NULL,
  "organizationId" text NOT NULL REFERENCES organization(id), "projectId" text NOT NULL, "environmentId" text,
  queue text NOT NULL, payload text NOT NULL, "payloadType" text NOT NULL, output text, error text,
  tags text[] NOT NULL, "traceId" text NOT NULL, "spanId" text NOT NULL, "parentRunId" text REFERENCES "TaskRun"(id),
  attempt integer NOT NULL, "isTest" boolean NOT NULL, "usageDurationMs" bigint NOT NULL,
  "costInCents" float8 NOT NULL, "baseCostInCents" float8 NOT NULL, "createdAt" timestamptz(3) NOT NULL,
  "updatedAt" timestamptz NOT NULL, "startedAt" timestamptz, "completedAt" timestamptz,
  metadata jsonb, region varchar(20) DEFAULT 'eu', priority integer NOT NULL DEFAULT 7, bonus numeric);
CREATE TABLE attempt (id text, run text REFERENCES "TaskRun"(id) ON DELETE CASCADE);
CREATE INDEX by_creation ON "TaskRun"("createdAt");
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
CREATE TRIGGER no_rows BEFORE INSERT ON "TaskRun" FOR EACH ROW EXECUTE FUNCTION refuse();
)";

}  // namespace walstorm::tests
