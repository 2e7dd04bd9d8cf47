// A Jetstream server for tests: the v1 and v2 streams, and faults on request.
//
//   node relay.cjs               in front of a PDS; env PDS=http://127.0.0.1:PORT
//   node relay.cjs --synthetic   with no PDS: only events sent to POST /ctl/emit
//
//   PORT       port to use (default: any free one)
//   LEGACY=1   v1 frames as servers before 2026 sent them (no "cursor" field)
//
// Prints {"ready":true,"port":N,...} and exits when stdin closes. README.md lists the controls.
'use strict';
const { LOOPBACK } = require('./lib/loopback.cjs'); // first: it changes `listen`
const { exitWithParent, announce, fail } = require('./lib/lifeline.cjs');
const { addControl } = require('./lib/control.cjs');
const { Relay, V1_PATH, V2_PATH } = require('./lib/relay.cjs');

function listen(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(process.env.PORT ?? 0), () => resolve(server.address().port));
  });
}

async function main() {
  exitWithParent();
  const relay = new Relay({ legacy: process.env.LEGACY === '1' });
  if (process.argv.includes('--synthetic')) {
    addControl(relay);
  } else {
    if (!process.env.PDS) throw new Error('set PDS to the address of the PDS, or use --synthetic');
    const { Firehose } = require('./lib/firehose.cjs'); // a synthetic relay has none of its packages
    const firehose = new Firehose(process.env.PDS, (event) => relay.publish(event));
    addControl(relay, () => ({ upstream_seq: firehose.seq }));
    await firehose.start();
  }
  const port = await listen(relay.server);
  announce({
    port,
    control: `http://${LOOPBACK}:${port}/ctl`,
    v1: `ws://${LOOPBACK}:${port}${V1_PATH}`,
    v2: `ws://${LOOPBACK}:${port}${V2_PATH}`,
  });
}

main().catch(fail);
