// One connected client: its place in the log, its filter, and the faults laid on it.
'use strict';
const { setTimeout: sleep, setImmediate: breathe } = require('node:timers/promises');
const { WebSocket } = require('ws');

const NAP_MS = 10; // how often a stalled subscriber looks whether it may go on
const FULL = 256 * 1024; // bytes waiting for a slow reader before we wait for it
const BURST = 200; // frames sent before others get a turn

class Subscriber {
  /** `encode` turns an event into this wire's frame, or null if the wire does not carry it. */
  constructor({ ws, socket, wire, log, filter, encode, index }) {
    Object.assign(this, { ws, socket, wire, log, filter, encode });
    this.position = index; // null = the live tip at the moment of start()
    this.sent = 0;
    this.lastSeq = 0;
    this.started = false;
    this.pumping = false;
    this.calm();
  }

  /** No faults. An event held back for a swap is let go. */
  calm() {
    this.resend = this.held ? [this.held] : (this.resend ?? []);
    this.held = null;
    this.swaps = 0; // pairs still to be swapped
    this.losses = 0; // events still to be lost
    this.cutIn = null; // frames to send whole before one is cut in half
    this.silentUntil = 0;
    this.deaf = false; // while silent, leave the client's pings unanswered too
  }

  get open() {
    return this.ws.readyState === WebSocket.OPEN;
  }

  get silent() {
    return Date.now() < this.silentUntil;
  }

  start() {
    this.position ??= this.log.events.length;
    this.started = true;
    this.pump();
  }

  /** Send whatever is due. Called on every new event; only one run is ever busy. */
  async pump() {
    if (this.pumping || !this.started) return;
    this.pumping = true;
    let burst = 0;
    while (this.open) {
      if (this.silent) {
        await sleep(NAP_MS);
        continue;
      }
      const due = this.#next();
      if (!due) break;
      await this.#deliver(due);
      if (++burst % BURST === 0) await breathe();
    }
    this.pumping = false;
  }

  /** Send the last `count` delivered events once more, in order or backwards. */
  rewind(count, backwards) {
    const again = [];
    for (let at = this.position - 1; at >= 0 && again.length < count; at -= 1) {
      const due = this.#frameOf(this.log.events[at]);
      if (due) again.push(due);
    }
    this.resend.push(...(backwards ? again : again.reverse()));
    this.pump();
  }

  /** End the connection with no goodbye: a reset (RST), or just the end of the bytes (FIN). */
  drop(reset) {
    if (reset) this.socket.resetAndDestroy();
    else this.ws.terminate();
  }

  /** Send a frame outside the log. */
  sendRaw(text) {
    if (this.open) this.ws.send(text);
  }

  state() {
    return { wire: this.wire, sent: this.sent, last_seq: this.lastSeq, started: this.started, silent: this.silent };
  }

  #frameOf(event) {
    if (!this.filter.wants(event)) return null;
    const text = this.encode(event);
    return text !== null && this.filter.fits(text) ? { seq: event.seq, text } : null;
  }

  #next() {
    if (this.resend.length > 0) return this.resend.shift();
    while (this.position < this.log.events.length) {
      const due = this.#frameOf(this.log.events[this.position++]);
      if (!due) continue;
      if (this.losses > 0) {
        this.losses -= 1;
      } else if (this.held) {
        this.resend.push(this.held);
        this.held = null;
        this.swaps -= 1;
        return due;
      } else if (this.swaps > 0) {
        this.held = due;
      } else {
        return due;
      }
    }
    return null;
  }

  async #deliver({ seq, text }) {
    if (this.cutIn === 0) return this.#cut(text);
    if (this.cutIn !== null) this.cutIn -= 1;
    this.sent += 1;
    this.lastSeq = seq;
    if (this.ws.bufferedAmount < FULL) this.ws.send(text);
    else await new Promise((done) => this.ws.send(text, done));
  }

  /** Promise a whole frame, write half of it, and hang up. */
  #cut(text) {
    const payload = Buffer.from(text);
    const half = Buffer.concat([frameHeader(payload.length), payload.subarray(0, payload.length >> 1)]);
    return new Promise((done) => {
      this.socket.write(half, () => {
        this.ws.terminate();
        done();
      });
    });
  }
}

/** The head of one unmasked text frame (RFC 6455, 5.2). */
function frameHeader(length) {
  const FIN_TEXT = 0x81;
  if (length < 126) return Buffer.from([FIN_TEXT, length]);
  if (length < 65_536) return Buffer.from([FIN_TEXT, 126, length >> 8, length & 0xff]);
  const header = Buffer.from([FIN_TEXT, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

module.exports = { Subscriber };
