// The picture: exact frames as the server decodes them, boxes over them, playing with sound, boxes moved and drawn.
import { get, picture } from "./server.js";

const WIDTH = 1280, KEPT = 90, AHEAD = 10, CHUNK = 100, HANDLE = 10;

export class Player {
  constructor(canvas, sound, events) {
    Object.assign(this, { canvas, sound, events, frame: 0, view: "boxes", selected: new Set(), playing: false });
    this.people = new Map();
    this.pictures = new Map();
    this.boxes = new Map();
    this.drawing = false;
    this.drawn = 0;
    canvas.addEventListener("pointerdown", (event) => this.grab(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", (event) => this.drop(event));
    canvas.addEventListener("pointercancel", () => { this.grip = null; this.paint(); });
  }

  load(film, times) {
    Object.assign(this, { film, times });
    this.width = WIDTH;  // of the canvas, whatever the film's: lines and letters are as thin
    this.height = Math.round(film.height * WIDTH / film.width);
    this.setView(this.view);
  }

  change(state) {
    this.people = new Map(state.people.map((person) => [person.id, person]));
    if (this.revision !== state.revision) {
      this.boxes.clear();
      for (const key of this.pictures.keys()) if (key.startsWith("redacted")) this.pictures.delete(key);
    }
    this.revision = state.revision;
    this.seek(this.frame);
  }

  setView(view) {
    this.view = view;
    this.canvas.width = this.width * (view === "both" ? 2 : 1);
    this.canvas.height = this.height;
    this.seek(this.frame);
  }

  kinds() {
    return { both: ["source", "redacted"], redacted: ["redacted"] }[this.view] ?? ["source"];
  }

  fetch(kind, frame) {
    const key = `${kind}:${frame}`;
    let found = this.pictures.get(key);
    if (!found) {
      found = { done: null };
      found.coming = picture(`/frame/${frame}.jpg?view=${kind}&width=${WIDTH}`)
        .then((bitmap) => { found.done = bitmap; return bitmap; });
      found.coming.catch(() => this.pictures.delete(key));
      this.pictures.set(key, found);
      while (this.pictures.size > KEPT) this.pictures.delete(this.pictures.keys().next().value);
    }
    return found;
  }

  boxesOf(frame) {
    const chunk = Math.floor(frame / CHUNK);
    let found = this.boxes.get(chunk);
    if (!found) {
      found = { done: null };
      found.coming = get(`/api/boxes?first=${chunk * CHUNK}&last=${chunk * CHUNK + CHUNK - 1}`)
        .then((answer) => { found.done = answer.boxes; });
      found.coming.catch(() => this.boxes.delete(chunk));
      this.boxes.set(chunk, found);
    }
    return found;
  }

  async seek(frame) {
    if (!this.film) return;
    frame = Math.max(0, Math.min(Math.round(frame), this.film.frames - 1));
    this.frame = frame;
    this.events.moved(frame);
    const revision = this.revision;
    try {
      await Promise.all([...this.kinds().map((kind) => this.fetch(kind, frame).coming), this.boxesOf(frame).coming]);
    } catch (error) {
      this.events.failed(error);
      return;
    }
    if (this.frame !== frame || this.revision !== revision || this.playing) return;
    this.paint();
    for (const next of [frame + 1, frame - 1, frame + 2]) {  // where a person goes next, most likely
      if (next >= 0 && next < this.film.frames) this.kinds().forEach((kind) => this.fetch(kind, next));
    }
  }

  ready(frame) {
    return this.kinds().every((kind) => this.pictures.get(`${kind}:${frame}`)?.done) && this.boxesOf(frame).done;
  }

  paint(frame = this.frame) {
    const context = this.canvas.getContext("2d");
    this.kinds().forEach((kind, place) => {
      const bitmap = this.pictures.get(`${kind}:${frame}`)?.done;
      if (bitmap) context.drawImage(bitmap, place * this.width, 0, this.width, this.height);
    });
    this.shown = frame;
    this.drawn += 1;
    if (this.view !== "source") this.outline(context, frame);
    if (this.grip?.box) this.frameBox(context, this.grip.box, "#4ea1ff", "");
  }

  here(frame = this.frame) {
    return this.boxesOf(frame).done?.[frame % CHUNK] ?? [];
  }

  outline(context, frame) {
    const plain = this.view === "redacted";
    for (const [id, ...box] of this.here(frame)) {
      const person = this.people.get(id), chosen = this.selected.has(id);
      if (plain && !chosen) continue;
      const colour = chosen ? "#4ea1ff" : person?.hidden === false ? "#46a758" : "#e5484d";
      this.frameBox(context, box, colour, name(id), chosen);
    }
  }

  frameBox(context, [x, y, width, height], colour, label, chosen = false) {
    const [left, top, w, h] = [x * this.width, y * this.height, width * this.width, height * this.height];
    context.strokeStyle = colour;
    context.lineWidth = chosen ? 3 : 2;
    context.strokeRect(left, top, w, h);
    if (chosen) {
      context.fillStyle = colour;
      context.fillRect(left + w - HANDLE / 2, top + h - HANDLE / 2, HANDLE, HANDLE);
    }
    if (!label) return;
    context.font = "600 20px system-ui, sans-serif";
    const size = context.measureText(label).width + 6;
    context.fillStyle = colour;
    context.fillRect(left, Math.max(top - 24, 0), size, 24);
    context.fillStyle = "#000";
    context.fillText(label, left + 3, Math.max(top - 5, 19));
  }

  // ---- playing

  frameAt(seconds) {
    let low = 0, high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= seconds + 1e-4) low = middle; else high = middle - 1;
    }
    return low;
  }

  hears() {
    return this.sound.readyState > 0 && !this.sound.error;
  }

  toggle() {
    if (this.playing) this.stop(); else this.play();
  }

  play() {
    if (!this.film) return;
    if (this.frame >= this.film.frames - 1) this.frame = 0;
    this.playing = true;
    const first = this.frame, from = this.times[first];
    let begun = null, sounding = false;
    const step = (now) => {
      if (!this.playing) return;
      if (begun === null) {  // the clock waits for the first pictures
        for (let next = first; next < Math.min(first + AHEAD, this.film.frames); next++) {
          this.kinds().forEach((kind) => this.fetch(kind, next));
        }
        if (!this.ready(Math.min(first + AHEAD / 2, this.film.frames - 1))) { requestAnimationFrame(step); return; }
        begun = now;
        if (this.hears()) {
          this.sound.currentTime = from;
          this.sound.play().then(() => { sounding = true; }, () => { sounding = false; });
        }
      }
      const heard = sounding && !this.sound.ended && !this.sound.paused;
      const due = this.frameAt(heard ? this.sound.currentTime : from + (now - begun) / 1000);
      for (let next = due; next < Math.min(due + AHEAD, this.film.frames); next++) {
        this.kinds().forEach((kind) => this.fetch(kind, next));
        this.boxesOf(next);
      }
      let best = due;
      while (best > this.shown && !this.ready(best)) best -= 1;
      if (best > this.shown || (best < this.shown && this.ready(best))) {
        this.frame = best;
        this.paint(best);
        this.events.moved(best);
      }
      if (due >= this.film.frames - 1 && this.shown >= due) { this.stop(); return; }
      requestAnimationFrame(step);
    };
    this.shown = this.frame - 1;
    this.events.played(true);
    requestAnimationFrame(step);
  }

  stop() {
    this.playing = false;
    this.sound.pause();
    this.events.played(false);
    this.seek(this.frame);
  }

  // ---- boxes by hand

  place(event) {
    const rect = this.canvas.getBoundingClientRect();
    const scale = Math.min(rect.width / this.canvas.width, rect.height / this.canvas.height);
    const x = (event.clientX - rect.left - (rect.width - this.canvas.width * scale) / 2) / scale / this.width;
    const y = (event.clientY - rect.top - (rect.height - this.canvas.height * scale) / 2) / scale / this.height;
    return [x > 1 ? x - 1 : x, y];  // the right one of two pictures side by side
  }

  grab(event) {
    if (!this.film || event.button) return;
    if (this.playing) this.stop();
    const [x, y] = this.place(event);
    this.canvas.setPointerCapture(event.pointerId);
    if (this.drawing) {
      this.grip = { kind: "draw", x, y };
      return;
    }
    const near = HANDLE / this.width;
    const hits = this.here().filter(([, left, top, width, height]) =>
      x >= left - near && x <= left + width + near && y >= top - near && y <= top + height + near);
    const hit = hits.find(([id]) => this.selected.has(id)) ?? hits.sort((a, b) => a[3] * a[4] - b[3] * b[4])[0];
    if (!hit) { this.events.chosen(null, event); return; }
    const [id, left, top, width, height] = hit;
    if (!this.selected.has(id)) { this.events.chosen(id, event); return; }
    const corner = Math.abs(x - left - width) < 2 * near && Math.abs(y - top - height) < 2 * near * this.width / this.height;
    this.grip = { kind: corner ? "resize" : "move", id, x, y, from: [left, top, width, height] };
  }

  drag(event) {
    const grip = this.grip;
    if (!grip) return;
    const [x, y] = this.place(event);
    if (grip.kind === "draw") {
      grip.box = [Math.min(x, grip.x), Math.min(y, grip.y), Math.abs(x - grip.x), Math.abs(y - grip.y)];
    } else {
      const [left, top, width, height] = grip.from, [dx, dy] = [x - grip.x, y - grip.y];
      grip.box = grip.kind === "move" ? [left + dx, top + dy, width, height]
        : [left, top, Math.max(width + dx, 0.004), Math.max(height + dy, 0.004)];
    }
    this.paint();
  }

  drop() {
    const grip = this.grip;
    this.grip = null;
    if (!grip?.box) return;
    const [, , width, height] = grip.box;
    if (grip.kind === "draw") {
      if (width > 0.003 && height > 0.003) this.events.drew(this.frame, grip.box);
    } else this.events.placed(grip.id, this.frame, grip.box);
    this.paint();
  }
}

export const REGIONS = 1_000_000_000;

export function name(id) {
  return id >= REGIONS ? `R${id - REGIONS}` : `${id}`;
}
