// Ties a server's life to the test that started it: when stdin closes, we exit.
//
// A test keeps the writing end of our stdin open. If the test dies, however badly,
// the system closes that end and nothing is left running.
'use strict';

/** Exit at end of stdin or on a stop signal. Clean-up belongs in `process.on('exit')`. */
function exitWithParent() {
  const leave = () => process.exit(0);
  process.stdin.on('end', leave).on('close', leave).on('error', leave).resume();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, leave);
}

/** The one line on stdout: a JSON object the test reads to learn our addresses. */
function announce(facts) {
  process.stdout.write(`${JSON.stringify({ ready: true, ...facts })}\n`);
}

/** Start-up failed: say why on stderr and end with an error code. */
function fail(error) {
  process.stderr.write(`${error?.stack ?? error}\n`);
  process.exit(1);
}

module.exports = { exitWithParent, announce, fail };
