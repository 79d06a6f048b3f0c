"use strict";
// Colours: the system's, until the button is pressed; the choice is kept where the browser allows it.
(() => {
  const button = document.getElementById("theme"), root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => { button.textContent = dark() ? "Light colours" : "Dark colours"; };
  if (["light", "dark"].includes(kept())) root.dataset.theme = kept();
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* a page from disk may have no storage */ }
    show();
  });
  system.addEventListener("change", show);
  show();
})();

// One of several figures at a time, where a section offers a choice.
for (const section of document.querySelectorAll("section")) {
  const figures = [...section.querySelectorAll("[data-choice]")];
  if (figures.length < 2) continue;
  const bar = document.createElement("div");
  bar.className = "choice";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", `${section.querySelector("h2").textContent}: show`);
  const pick = (chosen) => figures.forEach((figure, i) => {
    figure.hidden = figure !== chosen;
    bar.children[i].setAttribute("aria-pressed", String(figure === chosen));
  });
  for (const figure of figures) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = figure.dataset.choice;
    button.addEventListener("click", () => pick(figure));
    bar.append(button);
  }
  figures[0].before(bar);
  pick(figures[0]);
}

// A timeline: zoom, pan, and what every unit does in the cycle under the cursor.
const frames = JSON.parse(document.getElementById("timelines").textContent);
const expand = (line) => line.split(" ").flatMap((token) => {
  const [state, count] = token.split("*");
  return Array(Number(count || 1)).fill(state);
});
for (const box of document.querySelectorAll(".timeline")) {
  const frame = frames[Number(box.dataset.frame)];
  const states = Object.entries(frame.units).map(([unit, line]) => [unit, expand(line)]);
  const said = (state) => state === "." ? "" : state[0] === "p" ? frame.phases[Number(state.slice(1))]
    : frame.kinds[state[0]].replace("{}", state.slice(1));
  const svg = box.querySelector("svg"), slide = box.querySelector(".slide"), cursor = box.querySelector(".cursor");
  const readout = box.querySelector(".readout"), axis = box.querySelector(".axis");
  const height = Number(svg.getAttribute("viewBox").split(" ")[3]);
  let first = 0, shown = frame.cycles, at = 0;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const draw = () => {
    shown = clamp(shown, 12, frame.cycles);
    first = clamp(first, 0, frame.cycles - shown);
    svg.setAttribute("viewBox", `${first} 0 ${shown} ${height}`);
    cursor.style.left = `${100 * (at - first) / shown}%`;
    cursor.style.width = `max(2px, ${100 / shown}%)`;
    const step = [1, 2, 5, 10, 20, 50, 100, 200].find((s) => shown / s <= (box.clientWidth > 600 ? 10 : 4)) || 500;
    const marks = [];
    for (let c = Math.ceil(first / step) * step; c <= first + shown; c += step) marks.push(c);
    axis.replaceChildren(...marks.map((c) => {
      const mark = document.createElement("span");
      mark.style.left = `${100 * (c - first) / shown}%`;
      mark.textContent = c === marks[0] ? `cycle ${c}` : c;
      return mark;
    }));
  };
  const read = () => {
    const acts = states.map(([unit, line]) => [unit, said(line[at])]).filter(([, text]) => text);
    const row = (term, text, kind) => {
      const line = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
      if (kind) line.className = kind;
      dt.textContent = term;
      dd.textContent = text;
      line.append(dt, dd);
      return line;
    };
    readout.replaceChildren(row("cycle", `${at} of ${frame.cycles}`, "cycle"), ...acts.map(([u, t]) => row(u, t)));
    slide.setAttribute("aria-valuenow", at);
    slide.setAttribute("aria-valuetext", `cycle ${at}: ${acts.map((act) => act.join(" ")).join("; ") || "all idle"}`);
  };
  const go = (cycle, follow) => {
    at = clamp(cycle, 0, frame.cycles - 1);
    if (follow && (at < first || at >= first + shown)) first = at - shown / 2;
    draw();
    read();
  };
  const zoom = (factor) => { const where = (at - first) / shown; shown *= factor; shown = clamp(shown, 12, frame.cycles);
    first = at - clamp(where, 0, 1) * shown; draw(); };
  const acts = { in: () => zoom(1 / 2), out: () => zoom(2), whole: () => { shown = frame.cycles; draw(); },
    left: () => { first -= shown / 3; draw(); go(clamp(at, Math.ceil(first), Math.floor(first + shown) - 1)); },
    right: () => { first += shown / 3; draw(); go(clamp(at, Math.ceil(first), Math.floor(first + shown) - 1)); } };
  box.querySelector(".buttons").addEventListener("click", (event) => acts[event.target.dataset.do]?.());
  slide.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 20, PageDown: -20,
      Home: -frame.cycles, End: frame.cycles };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) go(at + moves[event.key], true);
    else if (event.key === "+" || event.key === "=") zoom(1 / 2);
    else if (event.key === "-") zoom(2);
    else return;
    event.preventDefault();
  });
  const under = (event) => { const area = slide.getBoundingClientRect();
    return first + (event.clientX - area.left) / area.width * shown; };
  let held = null;
  slide.addEventListener("pointerdown", (event) => { held = under(event); slide.setPointerCapture(event.pointerId); go(Math.floor(held)); });
  slide.addEventListener("pointerup", () => { held = null; });
  slide.addEventListener("pointercancel", () => { held = null; });
  slide.addEventListener("pointermove", (event) => {
    if (held !== null && shown < frame.cycles) { first -= under(event) - held; draw(); return; }
    go(Math.floor(under(event)));
  });
  slide.addEventListener("dblclick", () => zoom(1 / 4));
  slide.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;  // the wheel alone scrolls the page
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8);
  }, { passive: false });
  for (const part of box.querySelectorAll(".buttons, .cursor, .slide, .keys, .readout")) part.hidden = false;
  addEventListener("resize", draw);
  go(Math.floor(frame.cycles / 2));
}
