-- A transaction larger than logical_decoding_work_mem: sent before its end, and with one of its parts taken back.
CREATE TABLE number (n integer);
ALTER PUBLICATION captured ADD TABLE number;
SELECT pg_create_logical_replication_slot('streamed', 'pgoutput');
BEGIN;
INSERT INTO number VALUES (1), (2);
SAVEPOINT part;
INSERT INTO number SELECT generate_series(1, 500);
ROLLBACK TO part;
SELECT pg_logical_emit_message(true, 'walstorm', 'inside');
INSERT INTO number VALUES (3);
COMMIT;
