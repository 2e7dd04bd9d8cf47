// Checks the test bench itself: a PDS and a relay from start to end, and every fault. About 20 seconds.
//
//   node smoke.cjs            everything
//   node smoke.cjs --show     and print one frame of each sort
//   node smoke.cjs --relay    only the synthetic relay (needs no PDS packages)
'use strict';
const { tally } = require('./smoke/harness.cjs');
const { bothWires, rateLimits } = require('./smoke/network.cjs');
const { streams, cursors, faults } = require('./smoke/faults.cjs');

const network = { 'both wires': bothWires, 'rate limits': rateLimits };
const relay = { streams, cursors, faults };

async function main() {
  const parts = process.argv.includes('--relay') ? relay : { ...relay, ...network };
  for (const [name, run] of Object.entries(parts)) {
    const begun = Date.now();
    const examples = await run();
    console.log(`${name}: ${Date.now() - begun} ms`);
    if (examples && process.argv.includes('--show')) {
      for (const [what, frame] of Object.entries(examples)) console.log(`  ${what}: ${JSON.stringify(frame)}`);
    }
  }
  console.log(`${tally.passed} checks passed, ${tally.failed} failed`);
  process.exit(tally.failed > 0 ? 1 : 0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
