// The page: buttons and choices at the top; what the server says goes to the pictures, the words and the figures.
import { Listening } from "/page/listening.js";
import { openMicrophone } from "/page/microphone.js";
import { Strips } from "/page/strips.js";
import { Figures, Words } from "/page/told.js";

const $ = (id) => document.getElementById(id);
const MODES = {
  t2_union: "skip silent pairs (fastest)", t2_merged: "as published", t2_unmerged: "time steps apart in the FC",
  t2_sequential: "one step after the other", t1: "one time step",
};
const SILENCE_S = 4; // of nothing but zeros, until the page wonders

const strips = new Strips($("strips"));
const words = new Words($("words"), $("spoken"));
const figures = new Figures($);
let choices;
let current; // what listens now: { listening, microphone, player, … }

function say(text) {
  $("status").textContent = text;
}

function warn(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

function fill(select, options) {
  select.replaceChildren(...options.map(({ value, title }) => new Option(title, value)));
}

function chosen() {
  return choices.models.find(({ name }) => name === $("model").value);
}

function clip() {
  return choices.clips.find(({ kind }) => kind === chosen().kind) ?? choices.clips[0];
}

function showModel() {
  const model = chosen();
  fill($("mode"), model.modes.map((mode) => ({ value: mode, title: MODES[mode] ?? mode })));
  const steps = model.modes[0] === "t1" ? 1 : 2;
  $("clip").textContent = `Play “${clip().title}”`;
  strips.start({ features: 40, layers: Array(model.layers).fill(128), kind: model.kind, time_steps: steps });
  words.start(model.kind);
  legend(steps);
}

function legend(steps) {
  const entries = steps === 2
    ? [["--step0", "fired in time step 0"], ["--step1", "in time step 1"], ["--both", "in both"]]
    : [["--step0", "fired"]];
  $("legend").replaceChildren(...entries.map(([colour, text]) => {
    const entry = document.createElement("span");
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = `var(${colour})`;
    entry.append(swatch, text);
    return entry;
  }));
}

function busy(on) {
  for (const id of ["microphone", "choose", "clip"]) $(id).hidden = on;
  for (const id of ["model", "machine", "mode"]) $(id).disabled = on || $(id).options.length < 2;
  $("stop").hidden = !on;
  $("stop").disabled = false;
  $(on ? "stop" : (current?.button ?? "microphone")).focus({ preventScroll: true });
}

// Start to listen. `source` goes to the server; `more` are a microphone, a file to send, a player, the button pressed.
function listen(source, words_, more) {
  warn("");
  performance.clearMarks();
  performance.mark("pressed");
  current = { ...more };
  const mine = current;
  busy(true);
  say("Starting…");
  const start = { model: $("model").value, machine: $("machine").value, mode: $("mode").value, ...source };
  mine.listening = new Listening(start, {
    starting: (message) => message.words && say(`Starting: ${message.words}…`),
    started: (message) => started(mine, message, words_),
    frames: (frames) => strips.frames(frames),
    heard: ({ items }) => (strips.heard(items), words.heard(items)),
    cost: (message) => figures.cost(message),
    dropped: ({ seconds }) => warn(`${seconds.toFixed(1)} s of sound were dropped: this computer is slower than the ` +
      "sound. Close other programs, or choose a smaller network or the golden model."),
    finished: (message) => finished(mine, message),
    error: ({ message }) => (mine.failed = true, warn(message)),
    closed: () => ended(mine),
  });
  if (mine.file) {
    const socket = mine.listening.socket;
    socket.addEventListener("open", () => mine.listening.file(mine.file));
  }
}

function started(mine, message, text) {
  strips.start(message);
  words.start(message.kind);
  figures.start(message);
  legend(message.time_steps);
  say(text);
  strips.onFirstSpike = () => performance.mark("first-spikes");
  if (mine.player) {
    performance.mark("sound");
    mine.player.play().catch(() => say(`${text} (The browser cannot play it aloud.)`));
  }
  if (mine.microphone) {
    $("level-box").hidden = false;
    let silent = 0;
    mine.microphone.listen((block) => {
      if (!performance.getEntriesByName("sound").length) performance.mark("sound");
      const peak = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      $("level").value = peak;
      silent = peak > 0 ? 0 : silent + block.length / mine.microphone.rate;
      if (silent > SILENCE_S && $("notice").hidden) {
        warn("The microphone gives nothing but silence: is it muted, or is another one chosen in the system?");
      }
      if (!mine.listening.sound(block) && !mine.failed) warn("Sound was dropped: the server does not keep up.");
    }, () => (warn("The microphone went away."), stop()));
  }
}

function finished(mine, message) {
  mine.done = true;
  figures.total(message);
  words.finish();
}

function ended(mine) {
  mine.microphone?.close();
  mine.player?.pause();
  $("level-box").hidden = true;
  if (mine !== current) return;
  busy(false);
  current = undefined;
  if (mine.done) say("Done. Press a button to listen again.");
  else {
    if (!mine.failed) warn("The connection to the server is gone: is it still running? Start it again, then try anew.");
    say("Stopped.");
  }
}

function stop() {
  if (!current) return;
  $("stop").disabled = true;
  current.microphone?.close();
  current.player?.pause();
  current.listening?.stop();
}

async function useMicrophone() {
  warn("");
  say("Waiting for the microphone: the browser may ask for permission…");
  $("microphone").disabled = true;
  try {
    const microphone = await openMicrophone();
    listen({ source: "microphone", rate: microphone.rate }, "Listening to the microphone.",
      { microphone, button: "microphone" });
  } catch (error) {
    warn(error.message);
    say("Not listening.");
  } finally {
    $("microphone").disabled = false;
  }
}

function useFile(file) {
  if (!file || current) return;
  const player = new Audio(URL.createObjectURL(file));
  listen({ source: "file", name: file.name, bytes: file.size }, `Listening to ${file.name}.`,
    { file, player, button: "choose" });
}

function useClip() {
  const { name, title } = clip();
  listen({ source: "clip", clip: name }, `Listening to “${title}”.`,
    { player: new Audio(`/clips/${name}`), button: "clip" });
}

async function begin() {
  busy(false);
  try {
    choices = await (await fetch("/choices.json")).json();
  } catch {
    warn("The server does not answer: is it still running?");
    return;
  }
  fill($("model"), choices.models.map(({ name, shown, kind, config }) => (
    { value: name, title: `${shown}: ${kind} (${config})` })));
  fill($("machine"), choices.machines.map(({ name, title }) => ({ value: name, title })));
  if (choices.machines.length < 2) $("machine").title = "Start with --rtl to choose the circuit, too.";
  $("model").addEventListener("change", () => (showModel(), busy(false), $("model").focus()));
  showModel();
  busy(false);
  document.activeElement?.blur();
  $("microphone").addEventListener("click", useMicrophone);
  $("choose").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => (useFile($("file").files[0]), ($("file").value = "")));
  $("clip").addEventListener("click", useClip);
  $("stop").addEventListener("click", stop);
  for (const type of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(type, (event) => {
      event.preventDefault();
      document.body.classList.toggle("over", type === "dragover" && !current);
      if (type === "drop") useFile(event.dataTransfer.files[0]);
    });
  }
}

begin();
