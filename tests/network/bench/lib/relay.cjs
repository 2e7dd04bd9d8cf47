// The Jetstream server: takes events in, lets subscribers in, and holds the settings of the faults.
'use strict';
const http = require('node:http');
const { WebSocketServer } = require('ws');
const { EventLog, CursorError } = require('./event-log.cjs');
const { FilterError, v1Query, v1Update, v2Query } = require('./filter.cjs');
const { V2_NAME, v1Frame, v2Frame, v2Info } = require('./frames.cjs');
const { Subscriber } = require('./subscriber.cjs');

const V1_PATH = '/subscribe';
const V2_PATH = `/xrpc/${V2_NAME}`;
const V2_SUBPROTOCOL = 'xrpc.v1.json';
const MAX_CLIENT_MESSAGE = 10 * 1024 * 1024;
const PING_MS = 30_000;

// WebSocket close codes (RFC 6455, 7.4.1)
const BAD_DATA = 1007;
const POLICY = 1008;

class Relay {
  constructor({ legacy = false } = {}) {
    this.log = new EventLog();
    this.subscribers = new Set();
    this.accepted = 0;
    this.refused = 0;
    this.sentBefore = 0; // frames sent to subscribers that have left
    this.wires = {
      [V1_PATH]: { name: 'v1', parse: v1Query, encode: (event) => v1Frame(event, { legacy }) },
      [V2_PATH]: { name: 'v2', parse: v2Query, encode: v2Frame },
    };
    this.server = http.createServer((_request, response) => response.writeHead(404).end());
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      autoPong: false, // a fault may leave pings unanswered
      maxPayload: MAX_CLIENT_MESSAGE,
      handleProtocols: (offered) => offered.has(V2_SUBPROTOCOL) && V2_SUBPROTOCOL,
    });
    this.calm();
  }

  /** Every fault off. */
  calm() {
    this.refusal = { left: 0, status: 503, retryAfter: null };
    this.log.floor = 0;
    this.log.earlyMs = 0;
    this.setPings({ everyMs: PING_MS, answer: true });
    for (const subscriber of this.subscribers) {
      subscriber.calm();
      subscriber.pump();
    }
  }

  setPings({ everyMs, answer }) {
    this.pings = { everyMs, answer };
    clearInterval(this.pingTimer);
    if (everyMs > 0) this.pingTimer = setInterval(() => this.#pingAll(), everyMs);
  }

  /** Take in one event and send it on. */
  publish(event) {
    const stamped = this.log.append(event);
    for (const subscriber of this.subscribers) subscriber.pump();
    return stamped;
  }

  state() {
    const clients = [...this.subscribers].map((subscriber) => subscriber.state());
    return {
      seq: this.log.lastSeq,
      events: this.log.events.length,
      floor: this.log.floor,
      subscribers: clients.length,
      accepted: this.accepted,
      refused: this.refused,
      sent: this.sentBefore + clients.reduce((sum, client) => sum + client.sent, 0),
      pings: this.pings,
      clients,
    };
  }

  #pingAll() {
    for (const subscriber of this.subscribers) if (!subscriber.silent) subscriber.ws.ping();
  }

  #upgrade(request, socket, head) {
    socket.on('error', () => {}); // clients may leave in any way they like
    const url = new URL(request.url, 'http://relay');
    const wire = this.wires[url.pathname];
    if (!wire) return refuse(socket, 404, 'NotFound', 'no such stream');
    if (this.refusal.left > 0) {
      this.refusal.left -= 1;
      this.refused += 1;
      return refuse(socket, this.refusal.status, 'ServiceUnavailable', 'service not ready', this.refusal.retryAfter);
    }
    let filter;
    let start;
    try {
      refuseCompression(wire.name, url.searchParams, request.headers);
      filter = wire.parse(url.searchParams);
      start = this.log.resolve(url.searchParams.get('cursor'), wire.name);
    } catch (error) {
      this.refused += 1;
      if (error instanceof CursorError) return refuse(socket, 400, error.name, error.message);
      if (error instanceof FilterError) return refuse(socket, 400, error.code ?? 'InvalidRequest', error.message);
      throw error;
    }
    if (wire.name === 'v1') delete request.headers['sec-websocket-protocol']; // v1 never negotiates one
    this.sockets.handleUpgrade(request, socket, head, (ws) => {
      const waits = wire.name === 'v1' && url.searchParams.get('requireHello') === 'true';
      this.#admit({ ws, socket, wire, filter, start, waits });
    });
  }

  #admit({ ws, socket, wire, filter, start, waits }) {
    const { name, encode } = wire;
    const subscriber = new Subscriber({ ws, socket, wire: name, log: this.log, filter, encode, index: start.index });
    this.accepted += 1;
    this.subscribers.add(subscriber);
    ws.on('error', () => {});
    ws.on('close', () => {
      this.subscribers.delete(subscriber);
      this.sentBefore += subscriber.sent;
    });
    ws.on('ping', (data) => {
      const deaf = subscriber.silent && subscriber.deaf;
      if (this.pings.answer && !deaf) ws.pong(data);
    });
    ws.on('message', (data, binary) => {
      if (name === 'v2') ws.close(POLICY, 'this stream takes no messages');
      else if (!binary) updateOptions(subscriber, data);
    });
    if (name === 'v2' && start.notice) ws.send(v2Info(start.notice));
    if (!waits) subscriber.start();
  }
}

/** The relay compresses nothing, and says so rather than send what the client cannot expect. */
function refuseCompression(wire, query, headers) {
  const error = new FilterError('this relay does not compress');
  if (wire === 'v2' && query.has('zstdDictionary')) error.code = 'UnknownZstdDictionary';
  else if (query.get('compress') !== 'true' && !/zstd/.test(headers['socket-encoding'] ?? '')) return;
  throw error;
}

/** A v1 client changes its filter, or says the hello that lets events flow. */
function updateOptions(subscriber, data) {
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    return subscriber.ws.close(BAD_DATA, 'not JSON');
  }
  if (message?.type !== 'options_update') return undefined; // unknown messages are ignored
  try {
    subscriber.filter = v1Update(message.payload);
  } catch (error) {
    return subscriber.ws.close(POLICY, error.message.slice(0, 100));
  }
  return subscriber.start();
}

/** Answer an upgrade request with an ordinary HTTP error. */
function refuse(socket, status, error, message, retryAfter = null) {
  const body = JSON.stringify({ error, message });
  const head = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Error'}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(retryAfter === null ? [] : [`Retry-After: ${retryAfter}`]),
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

module.exports = { Relay, V1_PATH, V2_PATH };
