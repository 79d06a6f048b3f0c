// What was heard, in words for eyes and for screen readers; and what it took, in figures.

const PAUSE = "sil";
const KEPT = 400; // entries of the text that stay

function element(tag, text, kind) {
  const found = document.createElement(tag);
  found.textContent = text;
  if (kind) found.className = kind;
  return found;
}

export class Words {
  // `place` shows everything; `spoken` is a live region: words at once, phones when there is a pause
  constructor(place, spoken) {
    Object.assign(this, { place, spoken });
  }

  start(kind) {
    this.kind = kind;
    this.saying = [];
    this.place.replaceChildren(element("span", "Nothing yet.", "empty"));
    this.spoken.textContent = "";
  }

  heard(items) {
    this.place.querySelector(".empty")?.remove();
    for (const { text, end_s, score } of items) {
      if (this.kind === "keywords") {
        const word = element("span", text, "word");
        word.append(" ", element("small", `${end_s.toFixed(1)} s`));
        word.title = `smoothed posterior ${score.toFixed(2)}`;
        this.place.append(word);
        this.spoken.textContent = text;
      } else if (text === PAUSE) {
        this.place.append(element("span", "·", "pause"));
        this.sayAll();
      } else {
        this.place.append(element("span", text, "phone"), " ");
        this.saying.push(text);
      }
    }
    while (this.place.childNodes.length > KEPT) this.place.firstChild.remove();
    this.place.scrollTop = this.place.scrollHeight;
  }

  sayAll() {
    if (this.saying.length) this.spoken.textContent = this.saying.join(" ");
    this.saying = [];
  }

  finish() {
    this.sayAll();
    if (!this.place.childNodes.length || this.place.querySelector(".empty")) {
      this.place.replaceChildren(element("span", "Nothing was recognised.", "empty"));
    }
  }
}

const LONG = { INPUT: "input", COMBINE: "combine", WAIT: "wait", FC: "readout", FINAL: "last capture" };

function phaseName(name) {
  const [, layer, part] = /^L(\d+)_(.*)$/.exec(name) ?? [];
  return layer ? `L${layer} ${{ RECURRENT: "recurrent", FORWARD: "forward", LIF: "neurons" }[part]}` : LONG[name];
}

export class Figures {
  constructor(find) {
    this.find = find;
  }

  start(sizes) {
    this.sizes = sizes;
    const windows = sizes.kind === "keywords"
      ? ` A second of sound is run ten times over, as its window moves on: ${sizes.frames_a_second} frames a second.` : "";
    this.find("source").textContent = sizes.energy
      ? `Power is an ${sizes.energy}.${windows}`
      : `No power: docs/results/physical.json has no energy for the configuration ‘${sizes.config}’.${windows}`;
  }

  put(id, text, small) {
    const place = this.find(id);
    place.replaceChildren(text);
    if (small) place.append(element("small", small));
  }

  cost(cost) {
    this.put("cycles", cost.cycles.toFixed(0), `at most ${cost.most}, ${cost.reads.toFixed(0)} row reads`);
    this.put("power", cost.microwatts === null ? "unknown" : `${cost.microwatts.toFixed(1)} µW`,
      `${this.sizes.frames_a_second} frames a second`);
    this.put("clock", `${cost.clock_khz.toFixed(0)} kHz`, "to be done in time");
    if (cost.sound_s) this.computer(cost.busy_s / cost.sound_s);
    const total = cost.phases.reduce((sum, cycles) => sum + cycles, 0) || 1;
    const shown = cost.phases.map((cycles, i) => ({
      cycles, name: phaseName(this.sizes.phases[i]), colour: `var(--c${i % 10})`,
    })).filter(({ cycles }) => cycles > 0);
    this.find("bar").replaceChildren(...shown.map(({ cycles, colour }) => {
      const part = element("span", "");
      part.style.width = `${(100 * cycles) / total}%`;
      part.style.background = colour;
      return part;
    }));
    this.find("phases").replaceChildren(...shown.map(({ name, cycles, colour }) => {
      const entry = element("li", "");
      const swatch = element("span", "", "swatch");
      swatch.style.background = colour;
      entry.append(swatch, name, element("b", cycles < 10 ? cycles.toFixed(1) : cycles.toFixed(0)));
      return entry;
    }));
    this.find("silent").replaceChildren(
      ...cost.silent.map((share, k) => element("li", `layer ${k}: ${share.toFixed(1)} %`)));
  }

  computer(share) {
    this.put("busy", `${share.toFixed(2)} s`, `of computing a second of sound${share > 1 ? ": too slow" : ""}`);
  }

  total({ seconds, total }) {
    this.cost({ ...total, sound_s: seconds, busy_s: total.busy_s });
  }
}
