// Helpers for the smoke test: start a server, call it, listen to a stream, count the checks.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');
const { isDeepStrictEqual } = require('node:util');
const { WebSocket } = require('ws');

const PATIENCE_MS = 10_000;
const tally = { passed: 0, failed: 0 };

/** Note whether something holds. A failed check is printed and the rest goes on. */
function check(what, holds, detail = '') {
  tally[holds ? 'passed' : 'failed'] += 1;
  if (!holds) console.log(`FAILED  ${what} ${typeof detail === 'string' ? detail : JSON.stringify(detail)}`);
}

const same = (what, found, wanted) => check(what, isDeepStrictEqual(found, wanted), { found, wanted });

/** Wait until `probe` gives something true, and give that. */
async function until(what, probe) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const value = await probe();
    if (value) return value;
    await sleep(10);
  }
  throw new Error(`timed out: ${what}`);
}

/** Start one of the servers and wait for its ready line. `stop()` closes its stdin. */
async function start(script, { args = [], env = {} } = {}) {
  const child = spawn(process.execPath, [path.join(__dirname, '..', script), ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await Promise.race([lines.next(), ended.then((code) => ({ value: null, code }))]);
  if (!first.value) throw new Error(`${script} ended at once`);
  const stop = () => {
    child.stdin.end();
    return ended;
  };
  return { ...JSON.parse(first.value), pid: child.pid, stop };
}

/** One HTTP call with a JSON answer. */
async function call(url, { method = 'POST', body, headers = {} } = {}) {
  const json = body !== undefined && typeof body !== 'string';
  const response = await fetch(url, {
    method,
    body: json ? JSON.stringify(body) : body,
    headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
}

/** A subscriber that keeps what it gets. */
class Listener {
  constructor(url, options = {}) {
    this.frames = [];
    this.texts = [];
    this.pings = 0;
    this.pongs = 0;
    this.ws = new WebSocket(url, options.protocols ?? [], { autoPong: true, headers: options.headers });
    this.opened = new Promise((resolve, reject) => {
      this.ws.once('open', resolve);
      this.ws.once('unexpected-response', async (_request, response) => {
        let body = '';
        for await (const part of response) body += part;
        reject(Object.assign(new Error(`HTTP ${response.statusCode}`), { response, body }));
      });
      this.ws.once('error', reject);
    });
    this.opened.catch(() => {});
    this.ws.on('error', () => {});
    this.ws.once('upgrade', ({ socket }) => socket.on('error', (error) => (this.socketError = error)));
    this.ws.on('ping', () => (this.pings += 1));
    this.ws.on('pong', () => (this.pongs += 1));
    this.ws.on('message', (data) => {
      this.texts.push(data.toString());
      try {
        this.frames.push(JSON.parse(data));
      } catch {
        // a raw frame: `texts` has it
      }
    });
    this.closed = new Promise((resolve) => this.ws.once('close', (code, reason) => resolve({ code, reason: `${reason}` })));
  }

  /** Seqs of the events received, on either wire. */
  get seqs() {
    return this.frames.map((frame) => frame.cursor ?? frame.payload?.seq).filter((seq) => seq !== undefined);
  }

  async count(wanted) {
    await until(`${wanted} frames, got ${this.frames.length}`, () => this.frames.length >= wanted);
  }
}

async function open(url, options) {
  const listener = new Listener(url, options);
  await listener.opened;
  return listener;
}

/** The answer to an upgrade the server refuses. */
async function refusal(url, options) {
  try {
    (await open(url, options)).ws.terminate();
    return { status: 101 };
  } catch (error) {
    if (!error.response) throw error;
    return { status: error.response.statusCode, headers: error.response.headers, body: JSON.parse(error.body) };
  }
}

/** Local addresses this process listens on, from the kernel's own table (Linux; elsewhere null). */
function listeningOn(pid) {
  if (process.platform !== 'linux') return null;
  const sockets = new Set();
  for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
    const target = fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
    if (target.startsWith('socket:[')) sockets.add(target.slice(8, -1));
  }
  const LISTEN = '0A';
  return ['tcp', 'tcp6'].flatMap((table) =>
    fs.readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((column) => column[3] === LISTEN && sockets.has(column[9]))
      .map((column) => column[1].split(':')[0]));
}

const LOOPBACK_HEX = '0100007F'; // 127.0.0.1 as /proc writes it

function checkLoopbackOnly(name, pid, listeners) {
  const found = listeningOn(pid);
  if (found) same(`${name} listens on loopback only`, found, Array(listeners).fill(LOOPBACK_HEX));
}

module.exports = { tally, check, same, until, start, call, open, refusal, sleep, checkLoopbackOnly };
