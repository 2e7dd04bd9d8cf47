// Smoke test, part one: a real PDS behind the relay, and what its life looks like on both wires.
'use strict';
const fs = require('node:fs');
const { check, same, until, start, call, open, checkLoopbackOnly } = require('./harness.cjs');

const POST = 'app.bsky.feed.post';
const V2_POSTS = `kinds=commit&kinds=account&collections=${POST}`;

/** Calls to one PDS. */
function client({ pds, adminPassword }) {
  const send = (method, body, authorization) =>
    call(`${pds}/xrpc/${method}`, { body, headers: authorization ? { authorization } : {} });
  const admin = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`;
  return {
    join: (name) =>
      send('com.atproto.server.createAccount', { handle: `${name}.test`, email: `${name}@mail.test`, password: 'pw' }),
    login: (name, password = 'pw') =>
      send('com.atproto.server.createSession', { identifier: `${name}.test`, password }),
    post: ({ did, accessJwt }, text) =>
      send(
        'com.atproto.repo.createRecord',
        { repo: did, collection: POST, record: { $type: POST, text, createdAt: new Date().toISOString() } },
        `Bearer ${accessJwt}`,
      ),
    remove: ({ did, accessJwt }, rkey) =>
      send('com.atproto.repo.deleteRecord', { repo: did, collection: POST, rkey }, `Bearer ${accessJwt}`),
    expel: ({ did }) => send('com.atproto.admin.deleteAccount', { did }, admin),
    takeDown: ({ did }) =>
      send(
        'com.atproto.admin.updateSubjectStatus',
        { subject: { $type: 'com.atproto.admin.defs#repoRef', did }, takedown: { applied: true, ref: 'test' } },
        admin,
      ),
  };
}

const rkeyOf = (uri) => uri.split('/').pop();

async function bothWires() {
  const pds = await start('pds.cjs');
  const relay = await start('relay.cjs', { env: { PDS: pds.pds } });
  checkLoopbackOnly('the PDS with its PLC', pds.pid, 2);
  checkLoopbackOnly('the relay', relay.pid, 1);
  const api = client(pds);

  const v1 = await open(`${relay.v1}?wantedCollections=${POST}`);
  const v2 = await open(`${relay.v2}?${V2_POSTS}`, { protocols: ['xrpc.v1.json'] });
  same('v2 names its subprotocol', v2.ws.protocol, 'xrpc.v1.json');

  const alice = (await api.join('alice')).body;
  const bob = (await api.join('bob')).body;
  const posted = [];
  for (let i = 0; i < 50; i += 1) posted.push((await api.post(alice, `post ${i} – hello`)).body);
  await api.post(bob, 'bob was here');
  const bobsPost = await until('bob on v1', () => v1.frames.find((frame) => frame.did === bob.did && frame.commit));
  await api.remove(alice, rkeyOf(posted[7].uri));
  await api.expel(bob);

  const v1Gone = await until('the tombstone on v1', () => v1.frames.find((it) => it.account?.status === 'deleted'));
  const v2Gone = await until('the tombstone on v2', () => v2.frames.find((it) => it.payload.account?.status === 'deleted'));

  const creates = v1.frames.filter((it) => it.did === alice.did && it.commit?.operation === 'create');
  same('v1 has all 50 posts in order', creates.map((it) => it.commit.rkey), posted.map((it) => rkeyOf(it.uri)));
  same('v1 carries the cid of each', creates.map((it) => it.commit.cid), posted.map((it) => it.cid));
  same('v1 carries the text', creates[3].commit.record.text, 'post 3 – hello');
  same('v1 field order and names', Object.keys(creates[0]), ['did', 'time_us', 'cursor', 'kind', 'commit']);
  const removed = v1.frames.find((it) => it.commit?.operation === 'delete');
  same('v1 delete has no record', Object.keys(removed.commit), ['rev', 'operation', 'collection', 'rkey']);
  same('v1 delete names the post', removed.commit.rkey, rkeyOf(posted[7].uri));
  same('v1 tombstone', [v1Gone.did, v1Gone.kind, v1Gone.account.active], [bob.did, 'account', false]);
  check('v1 sends accounts and identities in spite of the filter', v1.frames.some((it) => it.kind === 'identity'));
  check('bob was seen before he left', bobsPost.commit.record.text === 'bob was here');

  const v2Creates = v2.frames.map((it) => it.payload).filter((it) => it.did === alice.did && it.operation === 'create');
  same('v2 has all 50 posts in order', v2Creates.map((it) => it.rkey), posted.map((it) => rkeyOf(it.uri)));
  same('v2 message type', v2Creates[0].$type, 'network.bsky.jetstream.subscribeEvents#commit');
  check('v2 time has six digits', /T\d\d:\d\d:\d\d\.\d{6}Z$/.test(v2Creates[0].time), v2Creates[0].time);
  const v2Removed = v2.frames.map((it) => it.payload).find((it) => it.operation === 'delete');
  check('v2 delete has no record', !('record' in v2Removed) && !('cid' in v2Removed));
  same('v2 tombstone', [v2Gone.payload.did, v2Gone.payload.account.active], [bob.did, false]);
  check('v2 leaves out kinds not asked for', v2.frames.every((it) => !it.payload.$type.endsWith('#identity')));

  // Resume from a cursor: the event at the cursor comes again, and the rest follows.
  const middle = v2Creates[20];
  const resumed = await open(`${relay.v2}?${V2_POSTS}&cursor=${middle.seq}`);
  const tail = v2.seqs.filter((seq) => seq >= middle.seq);
  await resumed.count(tail.length);
  same('v2 resumes at the seq, inclusive', resumed.seqs, tail);
  const byTime = await open(`${relay.v1}?wantedCollections=${POST}&cursor=${creates[20].time_us}`);
  await byTime.count(tail.length);
  same('v1 resumes at the time, inclusive', byTime.frames[0].commit?.rkey, creates[20].commit.rkey);

  // A takedown, and the account that was gone before anybody listened: only its tombstone is left.
  await api.takeDown(alice);
  await until('the takedown', () => v1.frames.find((it) => it.account?.status === 'takendown'));
  const ghost = (await api.join('ghost')).body;
  await api.expel(ghost);
  await until('the ghost', () => v1.frames.find((it) => it.did === ghost.did && it.account?.status === 'deleted'));

  // A second relay sees the history the PDS still has.
  const late = await start('relay.cjs', { env: { PDS: pds.pds, LEGACY: '1' } });
  const history = await open(`${late.v1}?cursor=1000000000000000`);
  await until('history', () => history.frames.find((it) => it.did === ghost.did));
  check('a legacy relay sends no cursor', history.frames.every((it) => !('cursor' in it)));
  check('the PDS forgot what the deleted posted', !history.frames.some((it) => it.did === bob.did && it.commit));

  check('the PDS has a data folder', fs.existsSync(pds.data));
  same('servers exit when stdin closes', await Promise.all([late.stop(), relay.stop(), pds.stop()]), [0, 0, 0]);
  check('the data folder is gone', !fs.existsSync(pds.data));
  return { create: creates[0], v2Create: v2Creates[0], removed, v2Removed, v1Gone, v2Gone: v2Gone.payload };
}

async function rateLimits() {
  const pds = await start('pds.cjs', { env: { RATE_LIMITS: '1' } });
  const api = client(pds);
  await api.join('carol');
  let answer;
  let tries = 0;
  do {
    answer = await api.login('carol');
    tries += 1;
  } while (answer.status === 200 && tries < 40);
  same('the 31st login is refused', [answer.status, tries], [429, 31]);
  same('by name', answer.body.error, 'RateLimitExceeded');
  check('with the limit in its headers', answer.headers.get('ratelimit-policy') === '30;w=300');
  await pds.stop();
}

module.exports = { bothWires, rateLimits };
