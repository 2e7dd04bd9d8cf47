// The relay's memory: every event in order, with its seq and time, and where a cursor points.
'use strict';

/** Cursors below this are seqs, the rest are unix microseconds (as Jetstream splits them). */
const FIRST_TIMESTAMP = 1e15;

/** A cursor the server refuses before the upgrade; `name` is the XRPC error of the v2 wire. */
class CursorError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

class EventLog {
  constructor() {
    this.events = [];
    this.nextSeq = 1;
    this.lastTime = 0;
    this.floor = 0; // the oldest seq still served; 0 = everything
    this.earlyMs = 0; // v1 timestamps resume this much too early (a known server bug)
  }

  /** Stamp an event with the next seq and a time that never stands still, and keep it. */
  append(event) {
    this.lastTime = Math.max(this.lastTime + 1, Date.now() * 1000);
    const stamped = { ...event, seq: this.nextSeq, time_us: this.lastTime };
    this.nextSeq += 1;
    this.events.push(stamped);
    return stamped;
  }

  /** Leave a hole in the numbers, as a server does after a crash. */
  skipSeqs(count) {
    this.nextSeq += count;
  }

  /** Become another server: no events, seqs from 1. */
  forget() {
    this.events = [];
    this.nextSeq = 1;
  }

  get lastSeq() {
    return this.nextSeq - 1;
  }

  /**
   * Where a new subscriber starts: `index` into the events (null = the live tip) and, on the
   * v2 wire, a `notice` to send first. Throws a CursorError if the cursor is refused.
   */
  resolve(text, wire) {
    if (text === null || text === '') return { index: null };
    if (!/^\d{1,19}$/.test(text)) throw new CursorError('InvalidRequest', `invalid cursor: ${text}`);
    const cursor = Number(text);
    return cursor < FIRST_TIMESTAMP ? this.#fromSeq(cursor, wire) : this.#fromTime(cursor, wire);
  }

  #fromSeq(cursor, wire) {
    if (cursor >= this.nextSeq) {
      const notice = cursor > this.nextSeq && {
        name: 'FutureCursor',
        message: `cursor ${cursor} is beyond the next seq ${this.nextSeq}; starting at the live tip`,
      };
      return { index: null, notice };
    }
    if (cursor < this.floor && wire === 'v2') {
      throw new CursorError('CursorTooOld', `cursor ${cursor} is too old; the oldest kept seq is ${this.floor}`);
    }
    return { index: this.#indexOfSeq(Math.max(cursor, this.floor)) };
  }

  #fromTime(cursor, wire) {
    if (cursor > Date.now() * 1000) return { index: null };
    const wanted = wire === 'v1' ? cursor - this.earlyMs * 1000 : cursor;
    const oldest = this.#indexOfSeq(this.floor);
    const index = Math.max(oldest, this.#search((event) => event.time_us >= wanted));
    const clamped = oldest < this.events.length && wanted < this.events[oldest].time_us;
    const notice = clamped && {
      name: 'OutdatedCursor',
      message: `cursor is older than the oldest kept event; starting at seq ${this.events[oldest].seq}`,
    };
    return { index, notice };
  }

  #indexOfSeq(seq) {
    return this.#search((event) => event.seq >= seq);
  }

  /** The first index for which `reached` holds; both seq and time only ever rise. */
  #search(reached) {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (reached(this.events[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

module.exports = { EventLog, CursorError };
