// Smoke test, part two: the synthetic relay, its filters and cursors, and every fault.
'use strict';
const { check, same, until, start, call, open, refusal, sleep, checkLoopbackOnly } = require('./harness.cjs');

const POST = 'app.bsky.feed.post';
const ANN = 'did:plc:ann';
const BEN = 'did:plc:ben';
const QUIET_MS = 150; // long enough to notice a frame that should not have come

const post = (text, did = ANN) => ({ did, kind: 'commit', commit: { record: { $type: POST, text } } });
const posts = (count) => Array.from({ length: count }, (_, at) => post(`post ${at}`));

/** The relay's side door. */
function control(relay) {
  const ctl = (name, body) => call(`${relay.control}/${name}`, { body });
  return {
    ctl,
    emit: async (...events) => (await ctl('emit', events.map((it) => JSON.stringify(it)).join('\n'))).body,
    state: async () => (await call(`${relay.control}/state`, { method: 'GET' })).body,
  };
}

/** Run `test` with a fresh relay. */
async function withRelay(test) {
  const relay = await start('relay.cjs', { args: ['--synthetic'] });
  try {
    await test({ relay, ...control(relay) });
  } finally {
    same('the relay exits when stdin closes', await relay.stop(), 0);
  }
}

const streams = withRelayTest(async ({ relay, ctl, emit, state }) => {
  checkLoopbackOnly('the synthetic relay', relay.pid, 1);
  const all = await open(relay.v1);
  const bensOnly = await open(`${relay.v1}?wantedDids=${BEN}`);
  const anyPost = await open(`${relay.v1}?wantedCollections=app.bsky.feed.*`);
  const small = await open(`${relay.v2}?maxMessageSizeBytes=600`);
  const waiting = await open(`${relay.v1}?requireHello=true`);

  const like = { did: BEN, kind: 'commit', commit: { collection: 'app.bsky.graph.follow', record: {} } };
  const gone = { did: BEN, kind: 'account', account: { active: false, status: 'deleted' } };
  const removal = { did: ANN, kind: 'commit', commit: { operation: 'delete', collection: POST, rkey: '3kaaa' } };
  same('emit tells the seqs', await emit(post('hi'), like, gone, removal, post('x'.repeat(1000))), {
    ok: true, count: 5, first: 1, last: 5,
  });
  await all.count(5);
  await bensOnly.count(2);
  await anyPost.count(4);
  await small.count(4);
  same('all events', all.seqs, [1, 2, 3, 4, 5]);
  same('only one DID', bensOnly.seqs, [2, 3]);
  same('a collection prefix, and accounts all the same', anyPost.seqs, [1, 3, 4, 5]);
  same('a size limit', small.seqs, [1, 2, 3, 4]);
  check('times rise', all.frames.every((it, at) => at === 0 || it.time_us > all.frames[at - 1].time_us));
  check('a made-up post has a TID and a CID', /^[2-7a-z]{13}$/.test(all.frames[0].commit.rkey) &&
    /^bafyrei[2-7a-z]{52}$/.test(all.frames[0].commit.cid), all.frames[0]);
  same('an account event is whole', Object.keys(all.frames[2].account).sort(), ['active', 'did', 'seq', 'status', 'time']);

  await sleep(QUIET_MS);
  same('no event before the hello', waiting.frames, []);
  waiting.ws.send(JSON.stringify({ type: 'options_update', payload: { wantedCollections: [POST], wantedDids: [ANN] } }));
  await until('the hello', async () => (await state()).clients.every((it) => it.started));
  await emit(post('from ben', BEN), post('from ann'));
  await waiting.count(1);
  same('the hello set the filter', waiting.frames[0].commit.record.text, 'from ann');

  const bad = await ctl('emit', '{"did":"did:plc:x","kind":"commit","commit":{"record":{}}}\n{"kind":"nonsense"}');
  same('a bad line refuses the batch', [bad.status, (await state()).seq], [400, 7]);
  same('an unknown control', (await ctl('nonsense')).status, 404);

  const talker = await open(relay.v2);
  talker.ws.send('hello');
  same('v2 takes no messages', (await talker.closed).code, 1008);
  same('v1 refuses what is not JSON', (all.ws.send('hello'), (await all.closed).code), 1007);

  const v1Names = await refusal(`${relay.v2}?wantedCollections=${POST}`);
  same('v1 names on v2', [v1Names.status, v1Names.body.error], [400, 'InvalidRequest']);
  const dictionary = await refusal(`${relay.v2}?zstdDictionary=7`);
  same('zstd on v2', [dictionary.status, dictionary.body.error], [400, 'UnknownZstdDictionary']);
  same('zstd on v1', (await refusal(`${relay.v1}?compress=true`)).status, 400);
  same('an unknown kind', (await refusal(`${relay.v2}?kinds=likes`)).status, 400);
  same('a bad cursor', (await refusal(`${relay.v1}?cursor=yesterday`)).status, 400);
  same('a negative cursor', (await refusal(`${relay.v2}?cursor=-1`)).status, 400);
});

const cursors = withRelayTest(async ({ relay, ctl, emit }) => {
  await emit(...posts(10));
  const from = async (stream, cursor, wanted) => {
    const listener = await open(`${stream}?cursor=${cursor}`);
    await listener.count(wanted);
    listener.ws.terminate();
    return listener;
  };
  same('v2 from the start', (await from(relay.v2, 0, 10)).seqs.length, 10);
  same('v1 by seq', (await from(relay.v1, 8, 3)).seqs, [8, 9, 10]);

  await ctl('floor?seq=6');
  const tooOld = await refusal(`${relay.v2}?cursor=5`);
  same('CursorTooOld on v2', [tooOld.status, tooOld.body.error], [400, 'CursorTooOld']);
  check('with the floor in its message', / 6$/.test(tooOld.body.message), tooOld.body.message);
  same('v2 at the floor', (await from(relay.v2, 6, 5)).seqs, [6, 7, 8, 9, 10]);
  same('v1 is clamped in silence', (await from(relay.v1, 1, 5)).seqs, [6, 7, 8, 9, 10]);
  const outdated = await from(relay.v2, 1e15, 6);
  same('v2 by time is clamped aloud', outdated.frames[0].payload.name, 'OutdatedCursor');
  same('and goes on from the floor', outdated.seqs, [6, 7, 8, 9, 10]);
  await ctl('reset');

  const [eighth] = (await from(relay.v1, 8, 1)).frames;
  same('v1 by time', (await from(relay.v1, eighth.time_us, 3)).seqs, [8, 9, 10]);
  await ctl('early?ms=3600000');
  same('v1 an hour too early', (await from(relay.v1, eighth.time_us, 10)).seqs.length, 10);

  await ctl('gap?n=100');
  await emit(post('after the gap'));
  same('a gap in the seqs', (await from(relay.v2, 10, 2)).seqs, [10, 111]);

  await ctl('forget');
  const future = await from(relay.v2, 111, 1);
  same('another server: a cursor from the future', future.frames[0].payload.name, 'FutureCursor');
  same('and seqs from 1', (await emit(post('new'))).first, 1);
});

const faults = withRelayTest(async ({ relay, ctl, emit, state }) => {
  const pair = async () => [await open(relay.v1), await open(relay.v2)];
  const quiet = async (listener, wanted) => {
    await sleep(QUIET_MS);
    same('nothing more came', listener.frames.length, wanted);
  };

  let [v1, v2] = await pair();
  same('drop says how many', (await ctl('drop')).body, { ok: true, subscribers: 2 });
  same('drop: no close frame', [(await v1.closed).code, (await v2.closed).code], [1006, 1006]);
  [v1] = await pair();
  await ctl('drop?rst=1');
  same('drop with a reset', [(await v1.closed).code, v1.socketError?.code], [1006, 'ECONNRESET']);

  [v1, v2] = await pair();
  await ctl('close?code=1012&reason=restart');
  same('close', await v1.closed, { code: 1012, reason: 'restart' });
  same('close on v2', (await v2.closed).code, 1012);

  [v1, v2] = await pair();
  await ctl('cut?after=1');
  await emit(...posts(3));
  same('cut: one whole frame, then half of one', [(await v1.closed).code, v1.frames.length], [1006, 1]);
  same('cut on v2', [(await v2.closed).code, v2.frames.length], [1006, 1]);

  [v1] = await pair();
  await ctl('cut');
  await emit(post('y'.repeat(100_000)));
  same('cut of a big frame', [(await v1.closed).code, v1.frames.length], [1006, 0]);

  [v1, v2] = await pair();
  await ctl('error?name=ConsumerTooSlow');
  same('error on v1: only the end', [(await v1.closed).code, v1.frames.length], [1006, 0]);
  same('error on v2: the last frame', [(await v2.closed).code, v2.frames[0]?.error], [1006, 'ConsumerTooSlow']);

  await ctl('refuse?n=2&retry_after=3');
  const first = await refusal(relay.v1);
  same('refuse', [first.status, first.headers['retry-after']], [503, '3']);
  same('refuse on v2', (await refusal(relay.v2)).body.error, 'ServiceUnavailable');
  same('and then no more', (await refusal(relay.v1)).status, 101);
  await ctl('refuse?n=1&status=429');
  same('refuse with another status', (await refusal(relay.v1)).status, 429);

  [v1, v2] = await pair();
  const begun = Date.now();
  await ctl('stall?ms=1000&deaf=1');
  v1.ws.ping();
  await emit(...posts(2));
  await quiet(v1, 0);
  same('a stalled, deaf server answers no ping', v1.pongs, 0);
  await v1.count(2);
  await v2.count(2);
  check('stall lasted', Date.now() - begun >= 1000);
  v1.ws.ping();
  await until('a pong', () => v1.pongs === 1);
  await ctl('stall?ms=60000');
  await emit(post('late'));
  await ctl('reset');
  await v1.count(3);

  const [a, b, c] = v1.seqs;
  await ctl('rewind?n=2');
  await v1.count(5);
  same('rewind: duplicates in order', v1.seqs, [a, b, c, b, c]);
  await ctl('rewind?n=3&backwards=1');
  await v1.count(8);
  same('rewind backwards', v1.seqs.slice(5), [c, b, a]);

  [v1, v2] = await pair();
  await ctl('reorder');
  let { first: seq } = await emit(post('one'));
  await quiet(v1, 0);
  await emit(post('two'), post('three'));
  await v1.count(3);
  await v2.count(3);
  same('reorder swaps one pair', v1.seqs, [seq + 1, seq, seq + 2]);
  same('reorder on v2', v2.seqs, [seq + 1, seq, seq + 2]);
  await ctl('lose?n=2');
  ({ first: seq } = await emit(...posts(3)));
  await v1.count(4);
  same('lose', v1.seqs[3], seq + 2);
  await ctl('raw', '{"did": "did:plc:');
  await until('the raw frame', () => v1.texts.at(-1) === '{"did": "did:plc:');

  await ctl('pings?every=50');
  await until('pings', () => v1.pings >= 2);
  await ctl('pings?every=0&answer=0');
  const { pings, pongs } = v1;
  v1.ws.ping();
  await sleep(QUIET_MS);
  same('pings off', [v1.pings - pings, v1.pongs - pongs], [0, 0]);
  await ctl('reset');

  // Volume: nothing lost, nothing swapped, also for one that starts late.
  const start = (await state()).seq;
  const before = v1.frames.length;
  await emit(...posts(20_000));
  const replay = await open(`${relay.v2}?cursor=${start + 1}`);
  await v1.count(before + 20_000);
  await replay.count(20_000);
  check('20 000 events in order', replay.seqs.every((it, at) => it === start + 1 + at));
  const now = await state();
  check('state counts', now.sent >= 40_000 && now.subscribers >= 3 && now.seq === start + 20_000, { ...now, clients: [] });
});

function withRelayTest(test) {
  return () => withRelay(test);
}

module.exports = { streams, cursors, faults };
