// The desk's one script: keys, page swaps, live updates, counters. Every page works without it.
// It never writes HTML from text: pages arrive parsed, and only whole nodes move.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const FRESH_WAIT_MS = 400;
const SILENCE_MS = 30_000;
const RENEW_MS = 60_000;

/* ---- Visiting: fetch a page of ours and put its parts in place of the old ones ---- */

const fetchPage = (method, url, body) =>
  new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.responseType = "document";
    request.onload = () => (request.response ? done(request) : fail(new Error("no page")));
    request.onerror = () => fail(new Error("no answer"));
    request.send(body);
  });

const PARTS = ["main", ".rail", ".top", "#notices"];
let visits = 0;

async function visit(method, url, body) {
  const mine = ++visits;
  let request;
  try {
    request = await fetchPage(method, url, body);
  } catch {
    return say("No answer from the desk. Your text is kept; try again.");
  }
  if (mine !== visits) return;
  const page = request.response;
  if (!$(".frame", page) || !$(".frame")) return location.assign(request.responseURL);
  const scrolled = $(".list")?.scrollTop ?? 0;
  for (const part of PARTS) $(part)?.replaceWith(document.adoptNode($(part, page)));
  document.title = page.title;
  if (request.responseURL !== location.href) history.pushState(null, "", request.responseURL);
  if ($(".list")) $(".list").scrollTop = scrolled;
  arrive();
  $("[data-focus]")?.focus({ preventScroll: true });
}

function arrive() {
  $(".row[aria-current]")?.scrollIntoView({ block: "nearest" });
  for (const box of $$("textarea[data-room]")) {
    const kept = sessionStorage.getItem(box.dataset.keep);
    if (kept !== null && box.dataset.keep) box.value = kept;
    count(box);
  }
  const said = $("#notices [data-say]");
  if (said) say(said.dataset.say);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (link.target || link.download !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  closeAll();
  visit("GET", link.href);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (form.hasAttribute("data-plain") || event.defaultPrevented) return;
  const ask = button?.dataset.ask ?? form.dataset.ask;
  event.preventDefault();
  if (ask && !confirm(ask)) return;
  const data = new URLSearchParams(new FormData(form, button));
  const action = new URL(button?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location.href);
  if (form.method === "get") {
    action.search = new URLSearchParams([...data].filter(([, value]) => value !== "")).toString();
    return visit("GET", action);
  }
  const box = $("textarea[data-keep]", form);
  if (box && button?.hasAttribute("data-settles")) sessionStorage.removeItem(box.dataset.keep);
  if (button?.dataset.copy) copy(button);
  visit("POST", action, data);
});

// The operator's own click opens the post: a window opened later would be blocked.
function copy(button) {
  const words = $(button.dataset.copy)?.value ?? "";
  navigator.clipboard?.writeText(words).catch(() => say("The browser did not let us copy. Copy the text by hand."));
  if (button.dataset.open) window.open(button.dataset.open, "_blank", "noopener,noreferrer");
}

addEventListener("popstate", () => visit("GET", location.href));

/* ---- Keys: an element says which key presses it ---- */

const closeAll = () => {
  for (const open of $$("details.pop[open]")) open.open = false;
  for (const open of $$("dialog[open]")) open.close();
};
const isField = (element) => element?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
const keysOff = () => document.body.dataset.keys === "off";
let before = "";

function pressed(key) {
  const quoted = `[data-key~="${CSS.escape(key)}"]`;
  const scope = $("dialog[open]") ?? $("details.pop[open]");
  const inner = scope && $$(quoted, scope).find((one) => one.tagName !== "SUMMARY");
  return inner ?? ($("dialog[open]") ? null : $$(quoted).find((one) => one.checkVisibility?.() ?? true));
}

function press(element) {
  if (element.matches("input:not([type=checkbox]), textarea, select")) return element.focus();
  element.click();
  const pop = element.closest("details.pop");
  if (pop?.open && element.tagName === "SUMMARY") $("button, input, textarea", pop)?.focus();
}

document.addEventListener("keydown", (event) => {
  const inField = isField(event.target);
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && inField) {
    event.preventDefault();
    return $("[data-approve]:not(:disabled)")?.click();
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openCommands();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") return escape(event);
  if (inField || keysOff()) return;
  const key = before + event.key;
  before = ["g", "*"].includes(event.key) && before === "" ? event.key : "";
  if (before) return setTimeout(() => (before = ""), 1500);
  if (key === "?") return event.preventDefault(), $("#help")?.showModal();
  if (key === "x" || key === "X") return select(event.shiftKey);
  if (key === "*a") return $$(".pick").forEach((box) => (box.checked = true));
  const element = pressed(key);
  if (!element || (event.key === "Enter" && event.target !== document.body)) return;
  event.preventDefault();
  press(element);
});

function escape(event) {
  if ($("dialog[open]")) return;
  if ($("details.pop[open]")) return closeAll();
  if (isField(event.target)) return event.target.blur();
  pressed("Escape")?.click();
}

let lastPicked = 0;
function select(range) {
  const boxes = $$(".pick");
  const at = Math.max(0, $$(".row").findIndex((row) => row.hasAttribute("aria-current")));
  if (!boxes[at]) return;
  boxes[at].checked = range || !boxes[at].checked;
  if (range) boxes.slice(Math.min(at, lastPicked), Math.max(at, lastPicked) + 1).forEach((box) => (box.checked = true));
  lastPicked = at;
}

document.addEventListener("click", (event) => {
  for (const open of $$("details.pop[open]")) if (!open.contains(event.target)) open.open = false;
});

/* ---- The command bar: everything on this page that has a name ---- */

function openCommands() {
  const dialog = $("#commands");
  if (!dialog || dialog.open) return;
  const input = $("input", dialog);
  input.value = "";
  offer("");
  dialog.showModal();
  input.focus();
}

const named = () =>
  [...$$("button[data-name]"), ...$$("a[data-name]"), ...$$(".rail a")].filter((one) => !one.closest("dialog") && !one.disabled);

function offer(words) {
  const wanted = words.toLowerCase().split(/\s+/);
  const fits = named().filter((one) => wanted.every((word) => (one.dataset.name ?? one.textContent).toLowerCase().includes(word)));
  const lines = fits.slice(0, 12).map((one, at) => {
    const line = document.createElement("button");
    line.type = "button";
    line.textContent = one.dataset.name ?? one.textContent;
    line.className = at ? "" : "at";
    line.addEventListener("click", () => (closeAll(), one.click()));
    return line;
  });
  $("#commands .commands").replaceChildren(...lines);
}

$("#commands input")?.addEventListener("input", (event) => offer(event.target.value));
$("#commands")?.addEventListener("keydown", (event) => {
  const lines = $$("#commands .commands button");
  const at = lines.findIndex((line) => line.className === "at");
  if (event.key === "Enter" && isField(event.target)) return event.preventDefault(), lines[at]?.click();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  lines.forEach((line, n) => (line.className = n === Math.min(Math.max(at + step, 0), lines.length - 1) ? "at" : ""));
});

/* ---- The counter mirrors the server's; the server decides ---- */

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const light = (c) => c <= 4351 || (c >= 8192 && c <= 8205) || (c >= 8208 && c <= 8223) || (c >= 8242 && c <= 8247);
const weigh = {
  x: (g) => ([...g].every((c) => light(c.codePointAt(0))) ? [...g].length : 2),
  plain: () => 1,
};

function count(box) {
  const network = box.dataset.network;
  let text = network === "x" ? box.value.normalize("NFC") : box.value;
  let used = 0;
  if (network === "x" || network === "mastodon") {
    text = text.replace(/(^|\s)https?:\/\/\S+/g, (_, gap) => ((used += 23), gap));
  }
  const weight = weigh[network] ?? weigh.plain;
  for (const { segment } of graphemes.segment(text)) used += weight(segment);
  const room = Number(box.dataset.room);
  const shown = $(`#${CSS.escape(box.getAttribute("aria-describedby"))}`);
  shown.textContent = `${used} of ${room}`;
  shown.className = `counter ${used > room ? "bad" : used > room * 0.9 ? "warn" : ""}`;
  const approve = $("[data-approve]");
  if (approve && !approve.hasAttribute("data-blocked")) approve.disabled = used > room || !box.value.trim();
  if (room - used === 20 || room === used) say(`${room - used} left`);
}

document.addEventListener("input", (event) => {
  const box = event.target;
  if (!box.matches("textarea[data-room]")) return;
  if (box.dataset.keep) sessionStorage.setItem(box.dataset.keep, box.value);
  count(box);
});

const say = (words) => {
  const region = $("#say");
  if (region) region.textContent = words;
};

/* ---- Live: one stream per browser; events carry numbers only, pages carry the rest ---- */

let waiting = 0;
const stale = () => {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, FRESH_WAIT_MS);
};

// Rows change where they stand; new ones wait behind the bar, so that nothing moves under the cursor.
async function refresh() {
  if (document.hidden || !$(".frame")) return;
  const before = visits;
  const url = new URL(location.href);
  url.searchParams.set("quiet", "1");
  const request = await fetchPage("GET", url).catch(() => null);
  if (!request || before !== visits || !$(".frame", request.response)) return;
  const page = request.response;
  for (const part of [".rail", ".pulse", ".fresh-bar"]) {
    const fresh = $(part, page);
    if (fresh) $(part)?.replaceWith(document.adoptNode(fresh));
  }
  for (const row of $$(".row[data-id]")) {
    const fresh = $(`.row[data-id="${row.dataset.id}"]`, page);
    if (fresh && fresh.dataset.version !== row.dataset.version && !row.contains(document.activeElement)) {
      fresh.querySelector(".pick")?.toggleAttribute("checked", $(".pick", row)?.checked);
      row.replaceWith(document.adoptNode(fresh));
    }
  }
  const mine = $(".detail[data-id]");
  const theirs = $(".detail[data-id]", page);
  if (mine && theirs && mine.dataset.version !== theirs.dataset.version) $("#changed")?.removeAttribute("hidden");
}

const channel = new BroadcastChannel("jumpship");
channel.onmessage = stale;

function listen() {
  let heard = Date.now();
  const lag = () => $("#lag")?.toggleAttribute("hidden", Date.now() - heard < SILENCE_MS);
  const stream = new EventSource("/live");
  stream.addEventListener("beat", () => ((heard = Date.now()), lag()));
  stream.addEventListener("leads", () => ((heard = Date.now()), stale(), channel.postMessage("leads")));
  setInterval(lag, 5_000);
  return new Promise(() => {});
}

if ($(".frame")) navigator.locks ? navigator.locks.request("jumpship-live", listen) : listen();

// A claim lives five minutes; it is renewed while its owner is at work.
let active = 0;
for (const kind of ["keydown", "pointermove"]) addEventListener(kind, () => (active = Date.now()), { passive: true });
setInterval(() => {
  const claim = $("form[data-renew]");
  if (claim && Date.now() - active < RENEW_MS) fetch(claim.action, { method: "POST", body: new URLSearchParams(new FormData(claim)) });
}, RENEW_MS);

arrive();
