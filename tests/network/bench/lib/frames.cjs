// What an event looks like on the two wires. Both functions give the text of one frame.
'use strict';

const V2_NAME = 'network.bsky.jetstream.subscribeEvents';

/** Jetstream v1 `/subscribe`. It has no `sync` events: null means "not on this wire". */
function v1Frame(event, { legacy = false } = {}) {
  if (event.kind === 'sync') return null;
  const { did, time_us, seq, kind } = event;
  const cursor = legacy ? {} : { cursor: seq }; // servers before 2026 do not send it
  return JSON.stringify({ did, time_us, ...cursor, kind, [kind]: event[kind] });
}

/** Jetstream v2 `subscribeEvents`: a commit's fields lie flat, the other kinds keep their object. */
function v2Frame(event) {
  const { seq, did, kind } = event;
  const time = rfc3339(event.time_us);
  const body = kind === 'commit' ? event.commit : { [kind]: event[kind] };
  return v2Message(kind, { seq, did, time, witnessedAt: time, ...body });
}

/** A v2 notice: no seq, and the stream goes on. */
const v2Info = ({ name, message }) => v2Message('info', { name, message });

/** The last v2 frame before the server hangs up. */
const v2Error = (error, message) => JSON.stringify({ $type: 'error', error, message });

const v2Message = (kind, fields) =>
  JSON.stringify({ $type: 'message', payload: { $type: `${V2_NAME}#${kind}`, ...fields } });

function rfc3339(micros) {
  const fraction = String(micros % 1e6).padStart(6, '0');
  return `${new Date(micros / 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

module.exports = { V2_NAME, v1Frame, v2Frame, v2Info, v2Error, rfc3339 };
