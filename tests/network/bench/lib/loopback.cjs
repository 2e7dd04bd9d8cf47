// Keeps every TCP listener of this process on 127.0.0.1.
//
// The PDS and the PLC server call `listen(port)` with no host, which means "every
// interface". A test must never be reachable from outside, so `listen` itself is
// changed here. Load this file before anything that opens a port.
'use strict';
const net = require('node:net');

const LOOPBACK = '127.0.0.1';
const listen = net.Server.prototype.listen;
const isPort = (value) => value == null || typeof value === 'number' || /^\d+$/.test(value);

net.Server.prototype.listen = function (...args) {
  const [first] = args;
  const done = args.find((arg) => typeof arg === 'function');
  if (typeof first === 'function' || isPort(first)) {
    const port = typeof first === 'function' ? 0 : Number(first ?? 0);
    return listen.call(this, { port, host: LOOPBACK }, done);
  }
  if (typeof first === 'object' && 'port' in first) {
    return listen.call(this, { ...first, host: LOOPBACK }, done);
  }
  return listen.apply(this, args); // a socket path or an open handle: not the network
};

/** A port that was free a moment ago, for servers that must know theirs before they start. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, LOOPBACK, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

module.exports = { LOOPBACK, freePort };
