// Who: a card an id, of which only those that can be seen exist.
import { name } from "./player.js";

const HEIGHT = 70, SPARE = 4;

export class People {
  constructor(list, filter, events) {
    Object.assign(this, { list, filter, events, people: [], found: [], selected: new Set(), anchor: null, cards: new Map() });
    this.space = list.appendChild(document.createElement("div"));
    this.space.className = "space";
    list.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(list);
    filter.addEventListener("input", () => this.sift());
    list.addEventListener("keydown", (event) => this.walk(event));
  }

  change(state) {
    this.people = state.people;
    this.fps = state.film.fps;
    const ids = new Set(this.people.map((person) => person.id));
    for (const id of this.selected) if (!ids.has(id)) this.selected.delete(id);
    this.sift();
  }

  sift() {
    const words = this.filter.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
    const tells = {
      shown: (one) => !one.hidden, hidden: (one) => one.hidden, doubtful: (one) => one.doubtful.length > 0,
      drawn: (one) => one.byHand, region: (one) => one.kind === "region", face: (one) => one.kind === "face",
    };
    const matches = (one) => words.every((word) => tells[word]?.(one) ?? (name(one.id).toLowerCase() === word
      || one.reason.toLowerCase().includes(word)));
    this.found = this.people.filter(matches);
    this.space.style.height = `${this.found.length * HEIGHT}px`;
    for (const card of this.cards.values()) card.remove();
    this.cards.clear();
    this.draw();
    this.events.sifted(this.found);
  }

  draw() {
    const first = Math.max(0, Math.floor(this.list.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(this.found.length, Math.ceil((this.list.scrollTop + this.list.clientHeight) / HEIGHT) + SPARE);
    const wanted = new Set();
    for (let place = first; place < last; place++) {
      const person = this.found[place];
      wanted.add(person.id);
      if (!this.cards.has(person.id)) this.cards.set(person.id, this.space.appendChild(this.card(person, place)));
    }
    for (const [id, card] of this.cards) if (!wanted.has(id)) { card.remove(); this.cards.delete(id); }
    this.mark();
  }

  card(person, place) {
    const card = document.createElement("div");
    card.className = `card${person.hidden ? "" : " shown"}`;
    card.id = `card-${person.id}`;
    card.style.top = `${place * HEIGHT}px`;
    card.setAttribute("role", "option");
    card.setAttribute("aria-setsize", this.found.length);
    card.setAttribute("aria-posinset", place + 1);
    const state = person.hidden ? "hidden" : "shown";
    const seconds = (person.frames / this.fps).toFixed(1);
    card.setAttribute("aria-label", `${person.kind} ${name(person.id)}, ${state}, ${seconds} s`);
    const image = card.appendChild(document.createElement("img"));
    image.alt = "";
    image.loading = "lazy";
    image.src = `/thumb/${person.id}.jpg`;
    const text = card.appendChild(document.createElement("div"));
    line(text, `${name(person.id)} · ${state}`, [
      ...(person.doubtful.length ? [["doubtful", "doubt"]] : []), ...(person.byHand ? [["by hand", "hand"]] : []),
    ]);
    line(text, `${seconds} s${person.score === null ? "" : ` · certainty ${Math.round(100 * person.score)} %`}`, [], "dim");
    line(text, person.reason || "", [], "dim");
    card.addEventListener("click", (event) => this.choose(person.id, event));
    card.addEventListener("dblclick", () => this.events.visited(person));
    return card;
  }

  mark() {
    for (const [id, card] of this.cards) card.setAttribute("aria-selected", this.selected.has(id));
    if (this.anchor !== null) this.list.setAttribute("aria-activedescendant", `card-${this.anchor}`);
  }

  choose(id, event = {}) {
    if (event.shiftKey && this.anchor !== null) {
      const places = [this.anchor, id].map((one) => this.found.findIndex((person) => person.id === one));
      const [from, to] = [Math.min(...places), Math.max(...places)];
      this.found.slice(from, to + 1).forEach((person) => this.selected.add(person.id));
    } else if (event.ctrlKey || event.metaKey) {
      if (!this.selected.delete(id)) this.selected.add(id);
      this.anchor = id;
    } else {
      this.selected.clear();
      if (id !== null) this.selected.add(id);
      this.anchor = id;
    }
    this.reveal(id);
    this.mark();
    this.events.selected();
  }

  all() {
    this.found.forEach((person) => this.selected.add(person.id));
    this.mark();
    this.events.selected();
  }

  reveal(id) {
    const place = this.found.findIndex((person) => person.id === id);
    if (place < 0) return;
    const top = place * HEIGHT;
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    else if (top + HEIGHT > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = top + HEIGHT - this.list.clientHeight;
  }

  walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !this.found.length) return;
    event.preventDefault();
    event.stopPropagation();
    const place = this.found.findIndex((person) => person.id === this.anchor);
    const next = this.found[Math.max(0, Math.min(place + step, this.found.length - 1))];
    this.choose(next.id, event.shiftKey ? { ctrlKey: true } : {});
  }
}

function line(parent, text, badges, kind = "") {
  const made = parent.appendChild(document.createElement("p"));
  made.className = kind;
  made.textContent = text;
  for (const [label, sort] of badges) {
    const badge = made.appendChild(document.createElement("span"));
    badge.className = `badge ${sort}`;
    badge.textContent = label;
  }
}
