// The page: what the server says stands, what a person does goes to the server, and all parts show what came of it.
import { act, bytes, get } from "./server.js";
import { Player, name } from "./player.js";
import { People } from "./people.js";
import { Timeline, clock } from "./timeline.js";
import { bind } from "./keys.js";

const POLL = 700, STRIP = 8;
const at = (id) => document.getElementById(id);
let state = null, busy = 0;

const player = new Player(at("picture"), at("sound"), {
  moved(frame) {
    timeline.moved(frame);
    at("place").textContent = `frame ${frame} of ${state.film.frames - 1} · ${clock(player.times[frame])}`;
  },
  played(playing) { at("play").textContent = playing ? "Stop" : "Play"; },
  chosen(id, event) { people.choose(id, event); },
  placed(id, frame, box) { perform({ do: "move", id, frame, box: box.map(round) }, "moved"); },
  async drew(frame, box) {
    setDrawing(false);
    const made = await perform({ do: "track", frame, box: box.map(round) }, "drawn, and followed", "following …");
    if (made !== null) people.choose(made);
  },
  failed(error) { say(error.message, true); },
});
const people = new People(at("people"), at("filter"), {
  selected() { chosen(); },
  sifted(found) { timeline.rows = found; timeline.scrollTo(timeline.scroll); },
  visited(person) { player.seek(person.spans[0][0]); },
});
const timeline = new Timeline(at("timeline"), {
  sought(frame) { if (player.playing) player.stop(); player.seek(frame); },
  chosen(id, event) { people.choose(id, event); },
});
player.selected = timeline.selected = people.selected;

const round = (number) => Math.round(number * 1e6) / 1e6;

function say(text, error = false) {
  at("status").textContent = text;
  at("status").classList.toggle("error", error);
}

async function perform(wish, done, meanwhile = "") {
  if (meanwhile) say(meanwhile);
  busy += 1;
  try {
    const answer = await act(wish);
    await refresh();
    say(done);
    return answer.made;
  } catch (error) {
    say(error.message, true);
    return null;
  } finally {
    busy -= 1;
  }
}

async function refresh() {
  state = await get("/api/state");
  people.change(state);
  timeline.cuts = state.cuts;
  player.change(state);
  at("undo").disabled = !state.undo;
  at("redo").disabled = !state.redo;
  chosen();
}

async function begin() {
  const [told, times] = await Promise.all([get("/api/state"), bytes("/api/times")]);
  state = told;
  timeline.load(state.film);
  player.load(state.film, new Float32Array(times));
  at("sound").src = "/sound.webm";
  await refresh();
  at("analysis").hidden = true;
  document.body.dataset.ready = "yes";
  say(state.message || `${state.people.length} ids; all are hidden that you do not show`);
}

async function poll() {
  try {
    const status = await get("/api/status");
    at("name").textContent = document.title = `${status.name} – review`;
    working(status);
    if (status.ready && state === null) await begin();
    else if (state !== null && status.revision !== state.revision && !busy) await refresh();  // in another tab
    if (status.trouble) say(status.trouble, true);
  } catch (error) {
    say(`the server does not answer (${error.message}); is facered review still running?`, true);
  }
  setTimeout(poll, POLL);
}

let told = "";
function working(status) {
  const work = status.work;
  if (!work) return;
  const part = work.total ? `${Math.floor(100 * work.done / work.total)} %` : `${work.done} frames`;
  if (work.name === "analyze" && !status.ready) {
    at("analysis").hidden = false;
    at("analysis-text").textContent = work.error || `Looking for faces: ${part}`;
    if (work.total) { at("analysis-bar").max = work.total; at("analysis-bar").value = work.done; }
  } else if (work.name === "redact") {
    const text = work.error ? work.error : work.finished ? `written: ${work.result}` : `redacting: ${part}`;
    if (text !== told) say(text, Boolean(work.error));
    told = text;
  }
}

// ---- who is selected

function chosen() {
  const ids = [...people.selected];
  for (const id of ["hide", "show", "others", "delete"]) at(id).disabled = !ids.length;
  at("merge").disabled = ids.length < 2;
  at("split").disabled = at("erase").disabled = ids.length !== 1;
  detail(ids.length === 1 ? state.people.find((person) => person.id === ids[0]) : null);
  if (!player.playing) player.seek(player.frame);
}

let detailed = "";
function detail(person) {
  at("detail").hidden = !person;
  const key = person ? `${person.id}:${state.revision}` : "";
  if (!person || key === detailed) return;
  detailed = key;
  at("reason").value = person.reason;
  at("strip").replaceChildren(...samples(person).map((frame) => {
    const button = document.createElement("button"), image = document.createElement("img");
    button.setAttribute("aria-label", `frame ${frame}`);
    image.src = `/portrait/${person.id}/${frame}.jpg`;
    image.alt = "";
    button.append(image);
    button.addEventListener("click", () => player.seek(frame));
    return button;
  }));
  const same = state.suggestions.filter((pair) => pair.includes(person.id));
  at("same").replaceChildren(...same.slice(0, 4).map(([one, two]) => {
    const other = one === person.id ? two : one, button = document.createElement("button");
    button.textContent = `the same as ${name(other)}? merge`;
    button.addEventListener("click", () => perform({ do: "merge", ids: [one, two] }, "merged; hidden"));
    return button;
  }));
}

function samples(person) {
  const frames = person.spans.flatMap(([first, last]) => first === last ? [first] : [first, (first + last) >> 1, last]);
  const step = Math.max(1, Math.ceil(frames.length / STRIP));
  return frames.filter((_, place) => place % step === 0);
}

// ---- what can be done

const ids = () => [...people.selected];
const do_ = {
  hide: () => ids().length && perform({ do: "hide", ids: ids() }, "hidden"),
  show: () => ids().length && perform({ do: "show", ids: ids(), reason: at("detail").hidden ? "" : at("reason").value }, "shown"),
  toggle: () => ids().length && (state.people.some((one) => people.selected.has(one.id) && one.hidden) ? do_.show() : do_.hide()),
  async others() {
    const rest = state.people.filter((one) => !people.selected.has(one.id)).map((one) => one.id);
    if (!ids().length || !rest.length) return;
    if (await perform({ do: "hide", ids: rest }, "") !== undefined) await perform({ do: "show", ids: ids() }, "hidden: all but who is selected");
  },
  merge: () => ids().length > 1 && perform({ do: "merge", ids: ids().sort((a, b) => a - b) }, "merged; hidden"),
  async split() {
    const made = ids().length === 1 ? await perform({ do: "split", id: ids()[0], at: player.frame }, "split; the new one is hidden") : null;
    if (made !== null) people.choose(made);
  },
  erase: () => ids().length === 1 && perform({ do: "erase", id: ids()[0], first: player.frame, last: player.frame }, "taken out of this frame"),
  delete: () => ids().length && perform({ do: "delete", ids: ids() }, "taken out"),
  undo: () => perform({ do: "undo" }, "undone"),
  redo: () => perform({ do: "redo" }, "done again"),
  redact: () => perform({ do: "redact" }, "redacting …"),
  save: () => perform({ do: "save" }, "saved"),
  step: (frames) => { if (player.playing) player.stop(); player.seek(player.frame + frames); },
  doubt(way) {
    const places = way > 0 ? state.places : [...state.places].reverse();
    const found = places.find(([frame]) => (frame - player.frame) * way > 0);
    if (!found) { say("no further place to look at"); return; }
    people.choose(found[1]);
    do_.step(found[0] - player.frame);
    say(`${name(found[1])}: ${found[2]}`);
  },
  view() {
    const view = at("view");
    view.selectedIndex = (view.selectedIndex + 1) % view.options.length;
    player.setView(view.value);
  },
};

function setDrawing(on) {
  player.drawing = on;
  at("draw").setAttribute("aria-pressed", on);
  at("picture").classList.toggle("drawing", on);
  if (on) say("draw a box about what is to be hidden");
}

function help() { at("keys").showModal(); }

const KEYS = [
  { keys: ["Space"], text: "play, stop", acts: [() => player.toggle()] },
  { keys: ["←", "→"], text: "one frame back, ahead", acts: [() => do_.step(-1), () => do_.step(1)] },
  { keys: ["Shift+←", "Shift+→"], text: "ten frames back, ahead", acts: [() => do_.step(-10), () => do_.step(10)] },
  { keys: ["Home", "End"], text: "first, last frame", acts: [() => player.seek(0), () => player.seek(state.film.frames)] },
  { keys: ["N", "P"], text: "next, previous place to look at", acts: [() => do_.doubt(1), () => do_.doubt(-1)] },
  { keys: ["V"], text: "boxes, redacted, source, side by side", acts: [() => do_.view()] },
  { keys: ["H"], text: "hide who is selected", acts: [() => do_.hide()] },
  { keys: ["U"], text: "show who is selected", acts: [() => do_.show()] },
  { keys: ["X"], text: "hidden or shown, the other way", acts: [() => do_.toggle()] },
  { keys: ["O"], text: "hide all but who is selected", acts: [() => do_.others()] },
  { keys: ["M"], text: "make one of who is selected", acts: [() => do_.merge()] },
  { keys: ["S"], text: "another person from this frame on", acts: [() => do_.split()] },
  { keys: ["E"], text: "take its box out of this frame", acts: [() => do_.erase()] },
  { keys: ["Delete"], text: "take out who is selected: nobody", acts: [() => do_.delete()] },
  { keys: ["D"], text: "draw a box; it is followed", acts: [() => setDrawing(!player.drawing)] },
  { keys: ["Ctrl+A"], text: "select all of the list", acts: [() => people.all()] },
  { keys: ["Ctrl+Z"], text: "undo", acts: [() => do_.undo()] },
  { keys: ["Ctrl+Y", "Ctrl+Shift+Z"], text: "do again", acts: [() => do_.redo()] },
  { keys: ["Ctrl+S"], text: "save now; it is saved by itself a second later", acts: [() => do_.save()] },
  { keys: ["Ctrl+Enter"], text: "write the film", acts: [() => do_.redact()] },
  { keys: ["+", "-"], text: "timeline nearer, farther", acts: [() => timeline.zoom(0.7), () => timeline.zoom(1.4)] },
  { keys: ["/"], text: "find people: an id, shown, hidden, doubtful, drawn, a word of the reason", acts: [() => at("filter").focus()] },
  { keys: ["Escape"], text: "nobody selected, nothing drawn", acts: [() => { setDrawing(false); people.choose(null); }] },
  { keys: ["?"], text: "these keys", acts: [help] },
];

bind(KEYS, at("keylist"));
const BUTTONS = {
  play: () => player.toggle(), back: () => do_.step(-1), ahead: () => do_.step(1), next: () => do_.doubt(1),
  draw: () => setDrawing(!player.drawing), undo: do_.undo, redo: do_.redo, redact: do_.redact, help, hide: do_.hide,
  show: do_.show, others: do_.others, merge: do_.merge, split: do_.split, erase: do_.erase, delete: do_.delete,
};
for (const [id, click] of Object.entries(BUTTONS)) at(id).addEventListener("click", () => click());
at("close-keys").addEventListener("click", () => at("keys").close());
at("view").addEventListener("change", () => player.setView(at("view").value));
at("reason").addEventListener("change", () => {
  if (ids().length === 1) perform({ do: "explain", id: ids()[0], reason: at("reason").value }, "noted");
});
window.review = { player, people, timeline };  // for whoever looks at the page with a console
poll();
