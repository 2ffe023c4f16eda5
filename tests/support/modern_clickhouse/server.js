// A modern ClickHouse on a free loopback port: as much of its HTTP interface as walstorm speaks, over chdb, the engine as
// a library. `node server.js PACKAGES DATA` takes chdb from PACKAGES/node_modules (see fetch), keeps its tables in DATA,
// prints "listening on PORT" and ends when its stdin does, so that it outlives no test.
//
// It differs from a server in that one statement runs at a time, that everybody may do everything, and that an answer is
// complete or an error: never an exception behind the first rows.
'use strict';

const fs = require('fs');
const http = require('http');
const path = require('path');
const { createRequire } = require('module');

const BODY_BYTES_MAX = 1 << 30;
const KEEP_ALIVE_MS = 30_000;
const EXIT_MS = 5_000;
// Parameters of the URL that are not settings.
const NOT_SETTINGS = new Set(['query', 'database', 'default_format', 'user', 'password', 'query_id', 'session_id']);
// As ClickHouse's exceptionCodeToHTTPStatus has them; what is not here is 500.
const HTTP_STATUS = new Map([
  // Cannot parse input, array, quoted string, date, datetime, number, UUID, boolean; type mismatch, syntax error.
  ...[25, 26, 27, 38, 41, 53, 62, 72, 130, 376, 467].map((code) => [code, 400]),
  [117, 400], // INCORRECT_DATA
  // Unknown identifier, type, storage, table, database, setting, format, function, aggregate function.
  ...[47, 50, 56, 60, 81, 115, 73, 46, 63].map((code) => [code, 404]),
  [48, 501], // NOT_IMPLEMENTED
]);

const [packages, data] = process.argv.slice(2).map((folder) => path.resolve(folder));
const { Session } = createRequire(path.join(packages, 'package.json'))('chdb');
const inbox = path.join(data, 'inbox');
fs.mkdirSync(inbox, { recursive: true });
// The tables live as long as one connection is open.
const engine = new Session(path.join(data, 'clickhouse'));
const version = engine.query('SELECT version()', 'TabSeparated').trim();
let bodies = 0;

class Refused extends Error {
  constructor(code, name, message) {
    super(`Code: ${code}. DB::Exception: ${message}. (${name})`);
    this.clickhouseCode = code;
  }
}

const quoted = (text) => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** The statements that bring a fresh connection to what the URL asks for. */
function preamble(parameters) {
  const statements = [];
  if (parameters.get('database')) statements.push(`USE \`${parameters.get('database').replace(/[\\`]/g, '\\$&')}\``);
  for (const [name, value] of parameters) {
    if (NOT_SETTINGS.has(name)) continue;
    if (!/^\w+$/.test(name)) throw new Refused(115, 'UNKNOWN_SETTING', `Unknown setting '${name}'`);
    statements.push(`SET ${name} = ${quoted(value)}`);
  }
  return statements;
}

/** INSERT ... FORMAT x whose rows are the body: read from a file, which the engine decompresses as a server would. */
function insert_from(file, [, insert, settings, format], encoding) {
  const source = `FROM INFILE ${quoted(file)} COMPRESSION ${quoted(encoding || 'none')}`;
  return `${insert} ${source} ${settings || ''} FORMAT ${format}`;
}

/** Carries out one request; returns the bytes of the answer. */
async function carry_out(request, parameters, body) {
  const encoding = request.headers['content-encoding'];
  const query = parameters.get('query') || '';
  const insert = /^(\s*INSERT\s[^]*?)(\sSETTINGS\s[^]*?)?\s+FORMAT\s+(\w+)\s*;?\s*$/i.exec(query);
  const connection = new Session(path.join(data, 'clickhouse'));
  const file = path.join(inbox, String(++bodies));
  try {
    for (const statement of preamble(parameters)) await connection.queryAsync(statement);
    if (insert && !/\sVALUES\s*\(/i.test(insert[1])) {
      if (body.length === 0) throw new Refused(108, 'NO_DATA_TO_INSERT', 'No data to insert');
      fs.writeFileSync(file, body);
      await connection.queryAsync(insert_from(file, insert, encoding));
      return Buffer.alloc(0);
    }
    if (encoding) throw new Refused(48, 'NOT_IMPLEMENTED', 'This shim takes compressed rows, not compressed statements');
    const sql = [query, body.toString('utf8')].filter((part) => part !== '').join('\n');
    if (sql.trim() === '') throw new Refused(62, 'SYNTAX_ERROR', 'Empty query');
    const format = parameters.get('default_format') || request.headers['x-clickhouse-format'] || 'TabSeparated';
    return Buffer.from((await connection.queryAsync(sql, { format })).bytes());
  } finally {
    connection.close();
    fs.rmSync(file, { force: true });
  }
}

function read_body(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let bytes = 0;
    request.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) reject(new Refused(307, 'TOO_MANY_BYTES', 'The body is too large for this shim'));
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('aborted', () => reject(new Error('the client went away')));
  });
}

function answer(response, status, headers, bytes) {
  // As a server's answers have it, all of them.
  response.writeHead(status, { 'Content-Length': bytes.length, 'X-ClickHouse-Server-Display-Name': 'shim', ...headers });
  response.end(bytes);
}

function answer_error(response, error) {
  const said = /Code: (\d+)\./.exec(error.message);
  const code = error.clickhouseCode || (said ? Number(said[1]) : 1000); // POCO_EXCEPTION, as a server calls the rest
  // Of an INSERT the engine says code and version twice.
  const message = error.message.trim().replace(/^(Code: \d+\. DB::Exception: )\1/, '$1').replace(/ \(version [^)]*\)/g, '');
  const text = said ? message : `Code: ${code}. DB::Exception: ${message}`;
  answer(response, HTTP_STATUS.get(code) || 500,
    { 'Content-Type': 'text/plain; charset=UTF-8', 'X-ClickHouse-Exception-Code': String(code) },
    Buffer.from(`${text} (version ${version})\n`));
}

// One statement after the other: the tail of the queue.
let last = Promise.resolve();

async function serve(request, response) {
  try {
    const url = new URL(request.url, 'http://localhost');
    const body = await read_body(request);
    if (url.pathname === '/ping') return answer(response, 200, {}, Buffer.from('Ok.\n'));
    const done = last.then(() => carry_out(request, url.searchParams, body));
    last = done.catch(() => {});
    answer(response, 200, { 'Content-Type': 'application/octet-stream' }, await done);
  } catch (error) {
    if (!response.destroyed) answer_error(response, error);
  }
}

const server = http.createServer(serve);
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.requestTimeout = 0; // slow clients are something that tests make
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${server.address().port}\n`));

function end() {
  // The engine cannot be taken down under a statement; its data is thrown away anyway.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), EXIT_MS).unref();
  last.then(() => {
    engine.close();
    process.exit(0);
  });
}
process.stdin.on('end', end);
process.stdin.on('error', end);
process.stdin.resume();
