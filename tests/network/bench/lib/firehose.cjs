// Follows a PDS's firehose (com.atproto.sync.subscribeRepos) and turns it into Jetstream events.
'use strict';
const { WebSocket } = require('ws');
const { readCar } = require('@atproto/repo');
const { decode, decodeAll } = require('@atproto/lex-cbor');
const { lexToJson } = require('@atproto/lex-json');

const RETRY_MS = 200;

/** Calls `publish` for each event, for ever; reconnects where it stopped. */
class Firehose {
  constructor(pdsUrl, publish) {
    this.url = `${pdsUrl.replace(/^http/, 'ws').replace(/\/$/, '')}/xrpc/com.atproto.sync.subscribeRepos`;
    this.publish = publish;
    this.seq = 0; // the last upstream seq taken in
    this.work = Promise.resolve(); // frames are decoded one after the other, in order
  }

  /** Resolves at the first connection. */
  start() {
    return new Promise((connected) => this.#connect(connected));
  }

  #connect(connected) {
    const ws = new WebSocket(`${this.url}?cursor=${this.seq}`);
    ws.on('open', connected);
    ws.on('error', () => {}); // a close follows
    ws.on('close', () => setTimeout(() => this.#connect(connected), RETRY_MS));
    ws.on('message', (data) => {
      this.work = this.work.then(() => this.#take(data)).catch((error) => {
        process.stderr.write(`firehose frame: ${error.stack}\n`);
      });
    });
  }

  /** One frame is two CBOR values: what it is, and its body. */
  async #take(data) {
    const [header, body] = [...decodeAll(new Uint8Array(data))];
    for (const event of await eventsOf(header.t, body)) this.publish(event);
    if (body.seq) this.seq = body.seq;
  }
}

async function eventsOf(type, body) {
  switch (type) {
    case '#commit':
      return commitEvents(body);
    case '#identity':
      return [{ did: body.did, kind: 'identity', identity: lexToJson(body) }];
    case '#account':
      return [{ did: body.did, kind: 'account', account: lexToJson(body) }];
    case '#sync':
      return [{ did: body.did, kind: 'sync', sync: lexToJson(body) }];
    default:
      return [];
  }
}

/** One event for each record a commit touches. A new account's first commit touches none. */
async function commitEvents({ repo, rev, ops, blocks }) {
  if (ops.length === 0) return [];
  const car = await readCar(blocks, { skipCidVerification: true });
  return ops.map(({ action, path, cid }) => {
    const [collection, rkey] = path.split('/');
    const commit = { rev, operation: action, collection, rkey };
    if (cid) {
      commit.record = lexToJson(decode(car.blocks.get(cid)));
      commit.cid = cid.toString();
    }
    return { did: repo, kind: 'commit', commit };
  });
}

module.exports = { Firehose };
