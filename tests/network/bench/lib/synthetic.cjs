// Events a test makes up: one JSON object a line, with what a real server would add filled in.
'use strict';
const { createHash } = require('node:crypto');
const { KINDS } = require('./filter.cjs');

const OPERATIONS = ['create', 'update', 'delete'];
const TID_LETTERS = '234567abcdefghijklmnopqrstuvwxyz';
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Read every line before any is used: a bad line refuses the whole batch. */
function readEvents(body) {
  return body
    .split('\n')
    .map((line, at) => ({ line, number: at + 1 }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }) => {
      try {
        return complete(JSON.parse(line));
      } catch (error) {
        throw new Error(`line ${number}: ${error.message}`);
      }
    });
}

function complete({ did, kind, ...rest }) {
  if (typeof did !== 'string' || !did.startsWith('did:')) throw new Error('no did');
  if (!KINDS.includes(kind)) throw new Error(`unknown kind: ${kind}`);
  const detail = rest[kind];
  if (detail === null || typeof detail !== 'object') throw new Error(`no ${kind}`);
  if (kind === 'commit') return { did, kind, commit: completeCommit(detail) };
  return { did, kind, [kind]: { did, seq: nextUpstreamSeq(), time: new Date().toISOString(), ...detail } };
}

function completeCommit({ rev = nextTid(), operation = 'create', collection = 'app.bsky.feed.post', rkey, record, cid }) {
  if (!OPERATIONS.includes(operation)) throw new Error(`unknown operation: ${operation}`);
  const commit = { rev, operation, collection, rkey: rkey ?? nextTid() };
  if (operation === 'delete') {
    if (rkey === undefined) throw new Error('a delete needs its rkey');
    return commit;
  }
  if (record === undefined) throw new Error('no record');
  return { ...commit, record, cid: cid ?? fakeCid(record) };
}

let upstreamSeq = 0;
const nextUpstreamSeq = () => (upstreamSeq += 1);

let lastMicros = 0n;
/** A timestamp identifier: 53 bits of microseconds and 10 bits of clock id, 13 letters. */
function nextTid() {
  const now = BigInt(Date.now()) * 1000n;
  lastMicros = now > lastMicros ? now : lastMicros + 1n;
  let rest = lastMicros << 10n;
  let text = '';
  for (let i = 0; i < 13; i += 1) {
    text = TID_LETTERS[Number(rest & 31n)] + text;
    rest >>= 5n;
  }
  return text;
}

/** A CID of the right form (v1, dag-cbor, sha2-256), but hashed over the JSON text. */
function fakeCid(record) {
  const digest = createHash('sha256').update(JSON.stringify(record)).digest();
  let bits = 0n;
  for (const byte of Buffer.concat([Buffer.from([0x01, 0x71, 0x12, 0x20]), digest])) bits = (bits << 8n) | BigInt(byte);
  bits <<= 2n; // 36 bytes are 288 bits; 58 letters of 5 bits are 290
  let text = '';
  for (let i = 0; i < 58; i += 1) {
    text = BASE32[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return `b${text}`;
}

module.exports = { readEvents };
