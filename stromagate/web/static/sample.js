// One tube: its ladder of gates, one plot at a time, and what a moved boundary gives.
import {get, make, post, tell, tellRefusal} from "./api.js";
import {Drafts} from "./drafts.js";
import {Panels} from "./panels.js";
import {Plot} from "./plot.js";

const at = (id) => document.getElementById(id);
const tube = decodeURIComponent(window.location.pathname.split("/").pop());
const home = `/samples/${encodeURIComponent(tube)}`;
const panels = new Panels(at);

let data = null;
let drafts = null;
let current = "";
let zoom = null;
let plot = null;
let shown = null;
let viewing = null;
let counting = null;

const gateOf = (name) => data.gates.find((gate) => gate.name === name);

// Return a gate's boundary as it stands: moved and not saved, else saved, else as it was fitted.
function boundary(gate) {
  if (drafts.has(gate.name)) { return drafts.now[gate.name] || gate.fitted; }
  return gate.geometry;
}

async function load() {
  try {
    data = await get(`${home}.json`);
  } catch (error) {
    tellRefusal(error);
    return;
  }
  drafts = new Drafts(`${home}/draft.json`, data.drafts);
  const asked = new URLSearchParams(window.location.search).get("gate");
  current = gateOf(current) ? current : gateOf(asked) ? asked : data.first;
  at("tube").textContent = data.tube;
  document.title = `Review: ${data.tube}`;
  at("about").textContent = data.about;
  at("back").href = `/?gate=${encodeURIComponent(current)}`;
  at("next").hidden = !data.next;
  panels.show(data);
  const unsaved = Object.keys(drafts.now).length;
  if (unsaved) { tell(`${unsaved} moved ${unsaved === 1 ? "boundary was not saved yet and is" : "boundaries were not saved yet and are"} here again.`); }
  if (!data.file.at_hand) { tell(data.file.message, true); }
  choose(current);
}

function ladder() {
  at("ladder").replaceChildren(...data.gates.map((gate) => {
    const row = make("div", {role: "option", id: `gate-${gate.name}`, class: "step", "aria-selected": gate.name === current ? "true" : "false"},
      make("span", {class: "step-name", text: gate.label, style: `padding-left:${12 * (gate.depth - 1)}px`}),
      make("span", {class: "num", text: gate.count_text}));
    if (drafts.has(gate.name)) { row.querySelector(".step-name").append(make("span", {class: "tag", text: "moved"})); }
    else if (gate.edited) { row.querySelector(".step-name").append(make("span", {class: "tag", text: "edited"})); }
    row.addEventListener("click", () => choose(gate.name));
    return row;
  }));
  at("ladder").setAttribute("aria-activedescendant", `gate-${current}`);
}

function choose(name) {
  current = name;
  at("next").href = `/samples/${encodeURIComponent(data.next)}?gate=${encodeURIComponent(name)}`;
  zoom = null;
  const gate = gateOf(name);
  at("gate").textContent = gate.label;
  at("sentence").textContent = gate.sentence;
  const query = new URLSearchParams(window.location.search);
  query.set("gate", name);
  window.history.replaceState(null, "", `?${query}`);
  const option = (value, text, chosen) => make("option", {value, text, selected: value === chosen});
  at("x").replaceChildren(...data.axes.map((axis) => option(axis, axis, gate.plot[0])));
  at("y").replaceChildren(option("", "events (histogram)", gate.plot[1] || ""), ...data.axes.map((axis) => option(axis, axis, gate.plot[1] || "")));
  at("over").replaceChildren(option("", "nothing", ""), ...data.controls.map((control) => option(`control:${control.role}`, control.text, "")), ...data.gates.map((each) => option(`population:${each.name}`, each.label, "")));
  ladder();
  const row = at(`gate-${name}`);
  if (row) { row.scrollIntoView({block: "nearest"}); }
  buttons();
  look();
  count();
}

// Ask for the plot: its parent's events on the chosen axes, binned by the server for what is seen.
async function look() {
  if (viewing) { viewing.abort(); }
  viewing = new AbortController();
  const gate = gateOf(current);
  const query = new URLSearchParams({gate: current, x: at("x").value, y: at("y").value});
  const [kind, what] = at("over").value.split(/:(.*)/s);
  if (kind) { query.set(kind, what); }
  if (zoom) { Object.entries(zoom).forEach(([key, value]) => query.set(key, value)); }
  try {
    shown = await post(`${home}/view.json?${query}`, {edits: drafts.now}, {signal: viewing.signal});
  } catch (error) {
    tellRefusal(error);
    return;
  }
  const width = Math.max(320, Math.min(760, at("density").parentElement.clientWidth));
  const held = document.activeElement?.dataset?.hold;  // who zooms with the keyboard goes on with the same hold
  plot = new Plot(at("density"), {
    width, height: Math.round(width * 0.86), label: `${gate.label}: ${shown.view.x.title}${shown.view.y ? ` and ${shown.view.y.title}` : ""}`,
    onDrag: data.file.at_hand && !data.signature.signed && gate.movable ? (geometry, ended) => dragged(gate.name, geometry, ended) : null, onZoom: zoomed,
  });
  plot.show(shown.view, {gate: boundary(gate), before: gate.edited || drafts.has(current) ? gate.fitted : null, over: shown.over});
  if (held) { document.querySelector(`#density [data-hold="${held}"]`)?.focus({preventScroll: true}); }
  at("legend").textContent = shown.legend;
}

function zoomed(limits) { zoom = limits; look(); }

// A plot that is still there while the next gate's comes moves nothing: its outline is another gate's.
function dragged(name, geometry, ended) {
  if (name !== current) { return; }
  if (ended) {
    drafts.move(current, geometry);
    ladder();
    buttons();
    plot.update(geometry, gateOf(current).fitted);
  }
  count(ended ? null : geometry);
}

// Ask what the boundaries give; while a drag goes on only the newest question is answered.
async function count(geometry = null) {
  if (!data.file.at_hand) { panels.counts(data.counts, ""); return; }
  at("counts").setAttribute("aria-busy", "true");
  if (counting && counting.busy) { counting.waiting = {geometry}; return; }
  counting = {busy: true, waiting: null};
  const mine = counting;
  try {
    const edits = geometry ? {...drafts.now, [current]: geometry} : drafts.now;
    const told = await post(`${home}/preview.json`, {edits, population: current});
    panels.counts(told.counts, `${told.ms.toFixed(0)} ms`);
    data.gates.forEach((gate) => { gate.count_text = told.ladder[gate.name] || gate.count_text; });
    ladder();
  } catch (error) {
    tellRefusal(error);
  }
  mine.busy = false;
  if (mine.waiting) { count(mine.waiting.geometry); } else { at("counts").setAttribute("aria-busy", "false"); }
}

function buttons() {
  const fixed = data.signature.signed || !data.file.at_hand;
  at("undo").disabled = fixed || drafts.done.length < 2;
  at("redo").disabled = fixed || !drafts.undone.length;
  const gate = gateOf(current);
  at("reset").disabled = fixed || !(drafts.has(current) ? drafts.now[current] !== null : gate.edited);
  at("save").disabled = fixed || !drafts.any;
  at("drop").hidden = fixed || !drafts.any;
}

function again() {
  const gate = gateOf(current);
  ladder();
  buttons();
  if (plot) { plot.update(boundary(gate), drafts.has(current) || gate.edited ? gate.fitted : null); }
  count();
}

async function save() {
  const why = at("why").value.trim();
  if (!why) { tell("Say why: the reason is kept with the edit.", true); at("why").focus(); return; }
  at("save").disabled = true;
  try {
    await drafts.sending.catch(() => {});
    const done = await post(`${home}/edits.json`, {expected: data.revision, why, edits: drafts.now});
    drafts.clear();
    await drafts.sending.catch(() => {});  // else the page would find the moves there again, as not saved yet
    at("why").value = "";
    await load();
    tell(`${done.told}. Tables and report follow when the run is made again.`);
  } catch (error) {
    tellRefusal(error);
    buttons();
  }
}

async function rerun() {
  at("rerun").disabled = true;
  try {
    await post("/rerun.json", {});
    for (;;) {
      const state = await get("/rerun.json");
      at("progress").textContent = state.told;
      if (!state.running) {
        await load();
        tell(state.told, Boolean(state.error));
        break;
      }
      await new Promise((done) => { window.setTimeout(done, 300); });
    }
  } catch (error) {
    tellRefusal(error);
  }
  at("rerun").disabled = false;
}

async function sign(body, path) {
  try {
    const done = await post(`${home}/${path}.json`, body);
    await load();
    tell(done.told);
  } catch (error) {
    tellRefusal(error);
  }
}

panels.onSign = (role, meaning) => sign({role, meaning, seen: data.signature.result_sha256}, "sign");
panels.onUnsign = (why) => sign({why}, "unsign");

for (const id of ["x", "y", "over"]) { at(id).addEventListener("change", () => { if (id !== "over") { zoom = null; } look(); }); }
at("out").addEventListener("click", () => { zoom = null; look(); });
at("undo").addEventListener("click", () => { if (drafts.undo()) { again(); } });
at("redo").addEventListener("click", () => { if (drafts.redo()) { again(); } });
at("reset").addEventListener("click", () => { if (gateOf(current).edited) { drafts.move(current, null); } else { drafts.leave(current); } again(); });
at("save").addEventListener("click", save);
at("drop").addEventListener("click", () => { drafts.clear(); again(); });
at("rerun").addEventListener("click", rerun);
at("ladder").addEventListener("keydown", (event) => {
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (!step) { return; }
  event.preventDefault();
  const names = data.gates.map((gate) => gate.name);
  choose(names[Math.min(Math.max(names.indexOf(current) + step, 0), names.length - 1)]);
});
document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y")) {
    if (["text", "search"].includes(event.target.type)) { return; }
    event.preventDefault();
    if (key === "y" || event.shiftKey ? drafts.redo() : drafts.undo()) { again(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT"].includes(event.target.tagName) || !plot) { return; }
  if (key === "0") { zoom = null; look(); }
  if (key === "+" || key === "=") { zoomed(plot.zoomBy(0.6)); }
  if (key === "-") { zoomed(plot.zoomBy(1 / 0.6)); }
});
load();
