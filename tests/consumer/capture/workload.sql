-- Every message of protocol 1, in an order that tests/consumer/*.cpp rely on. Each statement is a transaction.
CREATE TYPE mood AS ENUM ('calm', 'storm');
CREATE TABLE "TaskRun" (
  "id" text PRIMARY KEY,
  "status" text NOT NULL,
  "payload" text NOT NULL,
  "error" text,
  "tags" text[] NOT NULL,
  "attempt" integer NOT NULL,
  "isTest" boolean NOT NULL,
  "usageDurationMs" bigint NOT NULL,
  "costInCents" double precision NOT NULL,
  "createdAt" timestamptz(3) NOT NULL,
  "startedAt" timestamptz(3),
  "doc" jsonb,
  "mood" mood,
  "row_hash" bigint NOT NULL);
ALTER TABLE "TaskRun" ALTER "payload" SET STORAGE EXTERNAL;
ALTER TABLE "TaskRun" REPLICA IDENTITY FULL;
CREATE PUBLICATION captured FOR TABLE "TaskRun";
SELECT pg_create_logical_replication_slot('captured', 'pgoutput');

-- 0: the payload is long enough to be stored out of line
INSERT INTO "TaskRun" VALUES ('r1', 'PENDING', repeat('x', 2100), NULL, '{a,"b c",NULL,"q\"\\"}', 1, true, 9007199254740993,
  0.1, '2026-01-31 12:00:00.123+00', '2026-01-31 12:00:01+00', '{"a": 1}', NULL, -2);
-- 1: two records; before 1970 and before 2000
INSERT INTO "TaskRun" VALUES
  ('r2', '', 'p', 'boom', '{}', -2147483648, false, -1, '-Infinity', '1969-12-31 23:59:59.999+00', NULL, NULL, NULL, 3),
  ('r3', 'ü', 'p', NULL, '{"NULL"}', 2147483647, false, 0, 1e300, '1999-12-31 23:59:59.5+00', NULL, NULL, NULL, 4);
-- 2: unchanged TOAST, its old value known
UPDATE "TaskRun" SET "status" = 'QUEUED', "row_hash" = 5 WHERE "id" = 'r1';
-- 3: key change
UPDATE "TaskRun" SET "id" = 'r2b', "row_hash" = 6 WHERE "id" = 'r2';
-- 4
DELETE FROM "TaskRun" WHERE "id" = 'r2b';
-- 5: ends phase 0
SELECT pg_logical_emit_message(true, 'walstorm', 'phase-end run-1 0');
-- outside any transaction, and another run's
SELECT pg_logical_emit_message(false, 'walstorm', 'phase-end run-1 7');
-- 6
SELECT pg_logical_emit_message(true, 'walstorm', 'phase-end run-2 7');
-- 7: the table changes within the stream, and within a transaction
BEGIN;
INSERT INTO "TaskRun" VALUES ('r4', 'PENDING', 'p', NULL, '{}', 1, false, 0, 0, '2000-01-01 00:00:00+00', NULL, NULL, NULL, 7);
ALTER TABLE "TaskRun" ADD COLUMN "extraNote" varchar(20);
INSERT INTO "TaskRun" VALUES ('r5', 'PENDING', 'p', NULL, '{}', 1, false, 0, 0, '2000-01-01 00:00:00+00', NULL, NULL, NULL, 8, 'new');
COMMIT;
-- 8: from elsewhere
SELECT pg_replication_origin_create('elsewhere');
BEGIN;
SELECT pg_replication_origin_session_setup('elsewhere');
SELECT pg_replication_origin_xact_setup('0/ABC', '2026-01-31 12:00:00+00');
UPDATE "TaskRun" SET "mood" = 'storm', "row_hash" = 9 WHERE "id" = 'r5';
COMMIT;
SELECT pg_replication_origin_session_reset();
-- What REPLICA IDENTITY DEFAULT makes of updates and deletes.
ALTER TABLE "TaskRun" REPLICA IDENTITY DEFAULT;
-- 9: no old tuple
UPDATE "TaskRun" SET "attempt" = 2, "row_hash" = 10 WHERE "id" = 'r5';
-- 10: key change with the old key only
UPDATE "TaskRun" SET "id" = 'r5b', "row_hash" = 11 WHERE "id" = 'r5';
-- 11: unchanged TOAST, its old value not sent
UPDATE "TaskRun" SET "attempt" = 2, "row_hash" = 12 WHERE "id" = 'r1';
-- 12
DELETE FROM "TaskRun" WHERE "id" = 'r5b';
-- 13
TRUNCATE "TaskRun" RESTART IDENTITY CASCADE;
