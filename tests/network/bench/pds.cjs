// A real Bluesky PDS with its own in-memory PLC directory, on loopback, for one test run.
//
//   PDS_PORT, PLC_PORT   ports to use (default: any free one)
//   RATE_LIMITS=1        the PDS's real rate limits (default: none)
//
// Prints {"ready":true,"pds":"http://127.0.0.1:PORT",...} and exits when stdin closes.
// Nothing is kept: the PLC directory lives in memory and the data folder goes at exit.
'use strict';
const { LOOPBACK, freePort } = require('./lib/loopback.cjs'); // first: it changes `listen`
const { exitWithParent, announce, fail } = require('./lib/lifeline.cjs');
const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

// The password of `admin` on the PDS's admin calls. It guards only throw-away data.
const ADMIN_PASSWORD = 'admin-for-tests';
// Where services we do not run would be. Port 9 (discard) refuses at once.
const NOBODY = { url: `http://${LOOPBACK}:9`, did: 'did:example:nobody' };

function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jumpship-pds-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function startPlc() {
  const { PlcServer, Database } = require('@did-plc/server');
  const plc = PlcServer.create({ db: Database.mock(), port: Number(process.env.PLC_PORT ?? 0) });
  const listener = await plc.start();
  return `http://${LOOPBACK}:${listener.address().port}`;
}

async function startPds(plcUrl, folder) {
  const { PDS, envToCfg, envToSecrets } = require('@atproto/pds');
  const settings = {
    devMode: true,
    hostname: 'localhost',
    port: Number(process.env.PDS_PORT) || (await freePort()), // it publishes its own address
    dataDirectory: folder,
    blobstoreDiskLocation: path.join(folder, 'blobs'),
    didPlcUrl: plcUrl,
    plcRotationKeyK256PrivateKeyHex: randomBytes(32).toString('hex'),
    jwtSecret: randomBytes(16).toString('hex'),
    adminPassword: ADMIN_PASSWORD,
    serviceHandleDomains: ['.test'],
    inviteRequired: false,
    disableSsrfProtection: true, // it must be allowed to call our loopback PLC
    rateLimitsEnabled: process.env.RATE_LIMITS === '1',
    bskyAppViewUrl: NOBODY.url,
    bskyAppViewDid: NOBODY.did,
    modServiceUrl: NOBODY.url,
    modServiceDid: NOBODY.did,
  };
  const pds = await PDS.create(envToCfg(settings), envToSecrets(settings));
  await pds.start();
  return `http://${LOOPBACK}:${settings.port}`;
}

async function main() {
  exitWithParent();
  const folder = temporaryFolder();
  const plc = await startPlc();
  const pds = await startPds(plc, folder);
  announce({ pds, plc, data: folder, adminPassword: ADMIN_PASSWORD });
}

main().catch(fail);
