// When: a row a person; only the rows and spans that can be seen are drawn.
const ROW = 13, TOP = 16;
const COLOURS = { hidden: "#e5484d", shown: "#46a758", doubt: "#f5a524", chosen: "#4ea1ff" };

export class Timeline {
  constructor(canvas, events) {
    Object.assign(this, { canvas, events, rows: [], selected: new Set(), cuts: [], frame: 0, scroll: 0, from: 0, to: 1 });
    new ResizeObserver(() => this.resize()).observe(canvas);
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this.go(event, true); });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) this.go(event, false); });
    this.asked = false;
  }

  load(film) {
    Object.assign(this, { frames: film.frames, fps: film.fps, from: 0, to: film.frames });
    this.resize();
  }

  resize() {
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * scale);
    this.canvas.height = Math.round(this.canvas.clientHeight * scale);
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  x(frame) {
    return (frame - this.from) / (this.to - this.from) * this.canvas.clientWidth;
  }

  draw() {
    if (!this.frames) return;
    const context = this.canvas.getContext("2d"), scale = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = "#15171a";
    context.fillRect(0, 0, width, height);
    this.ruler(context, width, height);
    const first = Math.floor(this.scroll / ROW), last = Math.min(this.rows.length, first + Math.ceil(height / ROW) + 1);
    context.save();
    context.beginPath();
    context.rect(0, TOP, width, height - TOP);
    context.clip();
    for (let row = first; row < last; row++) this.row(context, this.rows[row], TOP + row * ROW - this.scroll, width);
    context.restore();
    context.fillStyle = "#fff";
    context.fillRect(this.x(this.frame + 0.5) - 0.75, 0, 1.5, height);
  }

  ruler(context, width, height) {
    context.fillStyle = "#3a4048";
    let before = -10;
    for (const cut of this.cuts) {
      const x = this.x(cut);
      if (x < 0 || x > width || x - before < 2) continue;
      context.fillRect(x, TOP, 1, height - TOP);
      before = x;
    }
    const seconds = (this.to - this.from) / this.fps;
    const step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find((one) => seconds / one < width / 70) ?? 7200;
    context.fillStyle = "#a7adb5";
    context.font = "11px system-ui, sans-serif";
    for (let at = Math.ceil(this.from / this.fps / step) * step; at * this.fps < this.to; at += step) {
      context.fillText(clock(at), this.x(at * this.fps) + 2, 11);
      context.fillRect(this.x(at * this.fps), 0, 1, 5);
    }
  }

  row(context, person, y, width) {
    const chosen = this.selected.has(person.id);
    if (chosen) {
      context.fillStyle = "#24364a";
      context.fillRect(0, y, width, ROW);
    }
    this.spans(context, person.spans, person.hidden ? COLOURS.hidden : COLOURS.shown, y + 3, ROW - 5, width);
    this.spans(context, person.doubtful, COLOURS.doubt, y + 3, ROW - 5, width);
  }

  spans(context, spans, colour, y, height, width) {
    context.fillStyle = colour;
    let low = 0, high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle][1] < this.from) low = middle + 1; else high = middle;
    }
    let drawn = -1;
    for (let place = low; place < spans.length && spans[place][0] <= this.to; place++) {
      const left = this.x(spans[place][0]), right = Math.max(this.x(spans[place][1] + 1), left + 1);
      if (right <= drawn) continue;  // nothing of it would be seen
      context.fillRect(left, y, right - left, height);
      drawn = right;
    }
  }

  wheel(event) {
    event.preventDefault();
    if (event.ctrlKey) {
      this.zoom(Math.exp(event.deltaY / 300), event.offsetX / this.canvas.clientWidth);
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.pan((event.deltaX || event.deltaY) / this.canvas.clientWidth * (this.to - this.from));
    } else {
      this.scrollTo(this.scroll + event.deltaY);
    }
  }

  zoom(factor, about = (this.frame - this.from) / (this.to - this.from)) {
    const span = Math.max(20, Math.min((this.to - this.from) * factor, this.frames));
    const middle = this.from + about * (this.to - this.from);
    this.from = middle - about * span;
    this.to = this.from + span;
    this.pan(0);
  }

  pan(frames) {
    const span = this.to - this.from;
    this.from = Math.max(0, Math.min(this.from + frames, this.frames - span));
    this.to = this.from + span;
    this.ask();
  }

  scrollTo(pixels) {
    this.scroll = Math.max(0, Math.min(pixels, this.rows.length * ROW - (this.canvas.clientHeight - TOP)));
    this.ask();
  }

  go(event, choose) {
    const frame = this.from + event.offsetX / this.canvas.clientWidth * (this.to - this.from);
    this.events.sought(frame);
    const person = this.rows[Math.floor((event.offsetY - TOP + this.scroll) / ROW)];
    if (choose && event.offsetY >= TOP && person) this.events.chosen(person.id, event);
  }

  moved(frame) {
    this.frame = frame;
    if (frame < this.from || frame >= this.to) this.pan(frame - (this.from + this.to) / 2);
    this.ask();
  }
}

export function clock(seconds) {
  const whole = Math.floor(seconds), minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  const two = (number) => String(number).padStart(2, "0");
  return `${hours ? `${hours}:` : ""}${hours ? two(minutes) : minutes}:${two(whole % 60)}`;
}
