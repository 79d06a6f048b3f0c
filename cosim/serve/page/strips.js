// Pictures that scroll: a column a frame, the newest at the right edge.

const COLUMN = 2; // CSS pixels a frame
const KEPT = 1200; // frames
const TRACK = 40; // CSS pixels, height of the strip of words: two lines, in turn

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function rgb(name) {
  const value = Number.parseInt(style(name).slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

// 256 colours from three, for int8 values + 128
function ramp() {
  const [low, middle, high] = ["--low", "--middle", "--high"].map(rgb);
  return Array.from({ length: 256 }, (_, i) => {
    const [from, to, share] = i < 128 ? [low, middle, i / 128] : [middle, high, (i - 128) / 127];
    return from.map((c, k) => Math.round(c + (to[k] - c) * share));
  });
}

const spikes = () => ["--quiet", "--step0", "--step1", "--both"].map(rgb);

class Strip {
  constructor(rows, height, palette, flip) {
    Object.assign(this, { rows, height, palette, flip });
    this.canvas = document.createElement("canvas");
    this.canvas.style.height = `${rows * height}px`;
    this.image = document.createElement("canvas"); // a pixel a cell, columns in a ring
    this.columns = [];
  }

  fit() {
    const width = Math.max(1, Math.round(this.canvas.clientWidth / COLUMN));
    this.canvas.width = width * COLUMN * devicePixelRatio;
    this.canvas.height = this.rows * this.height * devicePixelRatio;
    this.image.width = width;
    this.image.height = this.rows;
    this.pen = this.image.getContext("2d");
    this.cells = this.pen.createImageData(1, this.rows);
    this.colours = this.palette();
    this.at = 0;
    this.pen.fillStyle = style("--quiet");
    this.pen.fillRect(0, 0, width, this.rows);
    for (const column of this.columns.slice(-width)) this.draw(column);
    this.paint();
  }

  draw(column) {
    for (let row = 0; row < this.rows; row++) {
      const colour = this.colours[column[this.flip ? this.rows - 1 - row : row]];
      this.cells.data.set([...colour, 255], 4 * row);
    }
    this.pen.putImageData(this.cells, this.at, 0);
    this.at = (this.at + 1) % this.image.width;
  }

  add(column) {
    this.columns.push(column);
    if (this.columns.length > KEPT) this.columns.shift();
    this.draw(column);
  }

  paint() {
    const pen = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const column = COLUMN * devicePixelRatio;
    const left = this.image.width - this.at;
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.image, this.at, 0, left, this.rows, 0, 0, left * column, height);
    if (this.at) pen.drawImage(this.image, 0, 0, this.at, this.rows, left * column, 0, width - left * column, height);
  }
}

// Words or phones under the frames they belong to, with the seconds
class Track {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.style.height = `${TRACK}px`;
    this.items = [];
  }

  fit() {
    this.canvas.width = this.canvas.clientWidth * devicePixelRatio;
    this.canvas.height = TRACK * devicePixelRatio;
  }

  paint(newest) {
    const pen = this.canvas.getContext("2d");
    const width = this.canvas.clientWidth;
    const place = (seconds) => width - (newest + 1 - 100 * seconds) * COLUMN;
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, width, TRACK);
    pen.font = "13px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    this.items = this.items.filter((item) => place(item.end_s) > -width);
    for (const { text, start_s, end_s, line } of this.items) {
      const [from, to] = [place(start_s), place(end_s)];
      pen.fillStyle = style("--line");
      pen.fillRect(from, 0, 1, TRACK);
      if (text === "sil") continue;
      pen.fillStyle = style("--ink");
      pen.fillText(text, (from + to) / 2, TRACK * (line ? 0.73 : 0.3));
    }
  }
}

function figure(title, note, canvas, label) {
  const box = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const [name, hint] = [document.createElement("span"), document.createElement("span")];
  name.textContent = title;
  hint.textContent = note;
  caption.append(name, hint);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  box.append(caption, canvas);
  return box;
}

export class Strips {
  constructor(place) {
    this.place = place;
    this.waiting = [];
    this.parts = [];
    this.newest = -1;
    this.onFirstSpike = () => {};
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.fit()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.fit());
    requestAnimationFrame((now) => this.tick(now));
  }

  // `sizes` is the server's message `started`, or what is known before
  start(sizes) {
    this.waiting = [];
    this.newest = -1;
    this.fired = false;
    this.features = new Strip(sizes.features, 2, ramp, true);
    this.layers = sizes.layers.map((neurons) => new Strip(neurons, sizes.layers.length > 2 ? 0.75 : 1, spikes, false));
    this.track = new Track();
    const last = sizes.layers.length - 1;
    this.place.replaceChildren(
      figure("Features", `${sizes.features} log-mel bands, 8 bits`, this.features.canvas,
        "Scrolling picture of the features: low bands at the bottom, the newest frame at the right."),
      ...this.layers.map((strip, k) => figure(`Spikes of layer ${k}`, `${sizes.layers[k]} neurons` +
        (k === last ? ", read out" : ""), strip.canvas,
        `Scrolling picture of layer ${k}'s spikes: a row a neuron, the newest frame at the right.`)),
      figure(sizes.kind === "phones" ? "Phones" : "Words", "a frame is 10 ms", this.track.canvas,
        "What was heard, under the frames it belongs to. The same stands in the section Heard."));
    this.fit();
  }

  fit() {
    for (const part of this.all()) part.fit();
    this.track?.paint(this.newest);
  }

  all() {
    return this.track ? [this.features, ...this.layers, this.track] : [];
  }

  frames(frames) {
    this.waiting.push(...frames);
    if (this.waiting.length > KEPT) this.waiting.splice(0, this.waiting.length - KEPT);
  }

  heard(items) {
    for (const item of items) this.track.items.push({ ...item, line: (this.line = !this.line) });
    this.track.paint(this.newest);
  }

  // Frames come several at a time; they are drawn a few at a time, so that the picture moves evenly.
  tick(now) {
    requestAnimationFrame((then) => this.tick(then));
    if (!this.waiting.length || (this.calm.matches && now - (this.last ?? 0) < 500)) return;
    this.last = now;
    const count = this.calm.matches ? this.waiting.length : Math.ceil(this.waiting.length / 6);
    let fired = false;
    for (const frame of this.waiting.splice(0, count)) {
      this.features.add(Uint8Array.from(frame.features, (value) => value + 128));
      this.layers.forEach((strip, k) => strip.add(frame.layers[k]));
      this.newest = frame.number;
      fired ||= frame.layers.some((layer) => layer.some(Boolean));
    }
    for (const strip of [this.features, ...this.layers]) strip.paint();
    this.track.paint(this.newest);
    if (fired && !this.fired) this.onFirstSpike();
    this.fired ||= fired;
  }
}
