// Which events a subscriber asked for: the query of each wire, and the v1 options_update message.
'use strict';

const MAX_COLLECTIONS = 100;
const MAX_DIDS = 10_000;
const KINDS = ['commit', 'identity', 'account', 'sync'];
const V1_ONLY = ['wantedCollections', 'wantedDids', 'compress', 'requireHello'];

/** A filter the server refuses. */
class FilterError extends Error {}

/** Accounts and identities pass whatever the collections say: only DIDs and kinds hold them back. */
class Filter {
  constructor({ collections, dids, kinds, maxBytes }) {
    if (collections.length > MAX_COLLECTIONS) throw new FilterError(`more than ${MAX_COLLECTIONS} collections`);
    if (dids.length > MAX_DIDS) throw new FilterError(`more than ${MAX_DIDS} DIDs`);
    for (const name of collections) if (!isCollection(name)) throw new FilterError(`invalid collection: ${name}`);
    for (const did of dids) if (!/^did:[a-z]+:./.test(did)) throw new FilterError(`invalid DID: ${did}`);
    if (!Number.isInteger(maxBytes) || maxBytes < 0) throw new FilterError('invalid maxMessageSizeBytes');
    this.exact = new Set(collections.filter((name) => !name.endsWith('.*')));
    this.prefixes = collections.filter((name) => name.endsWith('.*')).map((name) => name.slice(0, -1));
    this.anyCollection = collections.length === 0;
    this.dids = new Set(dids);
    this.kinds = new Set(kinds);
    this.maxBytes = maxBytes;
  }

  wants(event) {
    if (this.kinds.size > 0 && !this.kinds.has(event.kind)) return false;
    if (this.dids.size > 0 && !this.dids.has(event.did)) return false;
    return event.kind !== 'commit' || this.#wantsCollection(event.commit.collection);
  }

  /** A frame longer than the subscriber's limit is left out. */
  fits(frame) {
    return this.maxBytes === 0 || Buffer.byteLength(frame) <= this.maxBytes;
  }

  #wantsCollection(name) {
    return this.anyCollection || this.exact.has(name) || this.prefixes.some((prefix) => name.startsWith(prefix));
  }
}

const isCollection = (name) => /^[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z0-9-]+)*(\.\*)?$/.test(name);

function v1Query(query) {
  return new Filter({
    collections: query.getAll('wantedCollections'),
    dids: query.getAll('wantedDids'),
    kinds: [],
    maxBytes: Math.max(0, Number(query.get('maxMessageSizeBytes') ?? 0)),
  });
}

function v1Update(payload = {}) {
  return new Filter({
    collections: payload.wantedCollections ?? [],
    dids: payload.wantedDids ?? [],
    kinds: [],
    maxBytes: Math.max(0, payload.maxMessageSizeBytes ?? 0),
  });
}

function v2Query(query) {
  const old = V1_ONLY.find((name) => query.has(name));
  if (old) throw new FilterError(`${old} belongs to /subscribe; use kinds, dids and collections`);
  const kinds = query.getAll('kinds');
  const collections = query.getAll('collections');
  const unknown = kinds.find((kind) => !KINDS.includes(kind));
  if (unknown !== undefined) throw new FilterError(`unknown kind: ${unknown}`);
  if (collections.length > 0 && kinds.length > 0 && !kinds.includes('commit')) {
    throw new FilterError('collections can never apply: kinds leaves commit out');
  }
  return new Filter({
    collections,
    dids: query.getAll('dids'),
    kinds,
    maxBytes: Number(query.get('maxMessageSizeBytes') ?? 0),
  });
}

module.exports = { FilterError, KINDS, v1Query, v1Update, v2Query };
