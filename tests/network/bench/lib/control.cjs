// The HTTP side door: tests lay faults on the relay and feed it events through /ctl/....
'use strict';
const { v2Error } = require('./frames.cjs');
const { readEvents } = require('./synthetic.cjs');

const MAX_BODY = 256 * 1024 * 1024;

/** A request the test got wrong. */
class ControlError extends Error {}

/** What each POST /ctl/<name> does. Faults fall on the subscribers connected at that moment. */
const actions = {
  // --- the connection ---
  drop: (relay, query) => each(relay, (it) => it.drop(query.flag('rst'))),
  close: (relay, query) => each(relay, (it) => it.ws.close(query.number('code', 1000), query.text('reason', ''))),
  cut: (relay, query) => each(relay, (it) => (it.cutIn = query.number('after', 0))),
  error: (relay, query) => each(relay, (it) => hangUpWith(it, query)),
  refuse: (relay, query) => {
    const retryAfter = query.text('retry_after', null);
    relay.refusal = { left: query.number('n', 1), status: query.number('status', 503), retryAfter };
  },
  pings: (relay, query) => {
    relay.setPings({ everyMs: query.number('every', relay.pings.everyMs), answer: query.flag('answer', true) });
  },

  // --- the order of events ---
  stall: (relay, query) =>
    each(relay, (it) => {
      it.silentUntil = Date.now() + query.number('ms');
      it.deaf = query.flag('deaf');
    }),
  rewind: (relay, query) => each(relay, (it) => it.rewind(query.number('n'), query.flag('backwards'))),
  reorder: (relay, query) => each(relay, (it) => (it.swaps += query.number('pairs', 1))),
  lose: (relay, query) => each(relay, (it) => (it.losses += query.number('n'))),

  // --- the log and its cursors ---
  floor: (relay, query) => void (relay.log.floor = query.number('seq')),
  early: (relay, query) => void (relay.log.earlyMs = query.number('ms')),
  gap: (relay, query) => relay.log.skipSeqs(query.number('n')),
  forget: (relay) => {
    each(relay, (it) => it.drop(false));
    relay.log.forget();
  },

  // --- events of the test's own ---
  emit: (relay, _query, body) => {
    const seqs = readEvents(body).map((event) => relay.publish(event).seq);
    return { count: seqs.length, first: seqs[0] ?? null, last: seqs.at(-1) ?? null };
  },
  raw: (relay, _query, body) => each(relay, (it) => it.sendRaw(body)),

  reset: (relay) => relay.calm(),
};

/** Do something to every subscriber, and tell the test how many there were. */
function each(relay, act) {
  const all = [...relay.subscribers];
  all.forEach(act);
  for (const subscriber of all) subscriber.pump();
  return { subscribers: all.length };
}

/** The v2 wire names its reason in a last frame; v1 just ends. Neither sends a close frame. */
function hangUpWith(subscriber, query) {
  if (subscriber.wire === 'v1') return subscriber.drop(false);
  const frame = v2Error(query.text('name', 'ConsumerTooSlow'), query.text('message', 'reading too slowly'));
  return subscriber.ws.send(frame, () => subscriber.drop(false));
}

/** Query parameters, checked. */
function parameters(search) {
  return {
    text: (name, otherwise) => search.get(name) ?? otherwise,
    flag: (name, otherwise = false) => (search.has(name) ? search.get(name) !== '0' : otherwise),
    number: (name, otherwise) => {
      const value = search.has(name) ? Number(search.get(name)) : otherwise;
      if (!Number.isInteger(value) || value < 0) throw new ControlError(`${name} must be a whole number`);
      return value;
    },
  };
}

async function readBody(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BODY) throw new ControlError('body too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function answer(relay, request, extraState) {
  const url = new URL(request.url, 'http://relay');
  const name = url.pathname.match(/^\/ctl\/([a-z]+)$/)?.[1];
  if (request.method === 'GET' && name === 'state') return { ...relay.state(), ...extraState() };
  if (request.method !== 'POST' || !Object.hasOwn(actions, name ?? '')) return null;
  const body = await readBody(request);
  const result = actions[name](relay, parameters(url.searchParams), body);
  return { ok: true, ...result };
}

/** Put the side door on the relay's own port. `extraState` adds to what GET /ctl/state tells. */
function addControl(relay, extraState = () => ({})) {
  relay.server.removeAllListeners('request');
  relay.server.on('request', (request, response) => {
    const reply = (status, value) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
    };
    answer(relay, request, extraState).then(
      (value) => (value ? reply(200, value) : reply(404, { error: `no such control: ${request.method} ${request.url}` })),
      (error) => reply(400, { error: error.message }),
    );
  });
}

module.exports = { addControl };
