// One gate on every tube, the most likely wrong first; an edit of one can be given to others.
import {get, make, post, tell, tellRefusal} from "./api.js";
import {Plot} from "./plot.js";

const at = (id) => document.getElementById(id);
const chosen = new Set();
let shown = null;
let asking = null;

function wanted() {
  const query = new URLSearchParams(window.location.search);
  return {gate: query.get("gate") || "", order: query.get("order") || "suspect", finding: query.get("finding") || ""};
}

// The address says what is shown, so that it can be gone back to.
function want(changes) {
  const query = new URLSearchParams(window.location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value) { query.set(key, value); } else { query.delete(key); }
  }
  window.history.replaceState(null, "", `?${query}`);
  return load();
}

async function load() {
  if (asking) { asking.abort(); }
  asking = new AbortController();
  const query = new URLSearchParams(Object.entries(wanted()).filter(([, value]) => value));
  try {
    shown = await get(`/grid.json?${query}`, {signal: asking.signal});
  } catch (error) {
    tellRefusal(error);
    return;
  }
  fill();
}

function option(value, text, current) { return make("option", {value, text, selected: value === current}); }

function fill() {
  at("about").textContent = shown.about;
  at("gate").replaceChildren(...shown.gates.map((gate) => option(gate.name, gate.label, shown.gate)));
  at("order").value = shown.order;
  at("finding").replaceChildren(option("", "any", shown.finding), ...shown.codes.map((code) => option(code.code, `${code.code} ${code.check}`, shown.finding)));
  cards();
}

function cards() {
  const text = at("filter").value.trim().toLocaleLowerCase("en");
  const there = shown.samples.filter((sample) => (at("controls").checked || !sample.is_control)
    && (!text || `${sample.sample_id} ${sample.patient}`.toLocaleLowerCase("en").includes(text)));
  at("cards").replaceChildren(...there.map(card));
  document.querySelectorAll(".card").forEach((each) => { if (each.draw) { each.draw(); } });
  if (!there.length) { at("cards").append(make("p", {class: "empty", text: "No tube has this gate and fits what is asked for."})); }
  const total = shown.samples.filter((sample) => at("controls").checked || !sample.is_control).length;
  tell(`${there.length} of ${total} tubes; ${shown.label}`);
  const ids = new Set(there.map((sample) => sample.sample_id));
  [...chosen].filter((id) => !ids.has(id)).forEach((id) => chosen.delete(id));
  batch();
}

function card(sample) {
  const name = make("a", {href: `/samples/${encodeURIComponent(sample.sample_id)}?gate=${encodeURIComponent(shown.gate)}`, class: "name", tabindex: -1, text: sample.sample_id});
  const box = make("input", {type: "checkbox", "aria-label": `select ${sample.sample_id}`, tabindex: -1});
  box.checked = chosen.has(sample.sample_id);
  box.addEventListener("change", () => select(sample.sample_id, box.checked));
  const plot = make("div");
  const found = make("article", {class: "card", tabindex: 0, "data-id": sample.sample_id, "aria-label": `${sample.sample_id}: ${sample.spoken}`},
    make("div", {class: "head"}, box, name, sample.edited ? make("span", {class: "tag", text: "edited"}) : null, sample.signed ? make("span", {class: "tag", text: "signed"}) : null),
    plot,
    make("p", {class: "counts", text: sample.counts}),
    sample.reasons.length ? make("ul", {class: "reasons"}, ...sample.reasons.map((text) => make("li", {text}))) : make("p", {class: "reasons quiet", text: "nothing speaks against it"}));
  found.classList.toggle("chosen", chosen.has(sample.sample_id));
  if (sample.view) {
    found.draw = () => {
      const width = Math.max(120, found.clientWidth - 22);
      new Plot(plot, {width, height: Math.round(width * 0.82), small: true, label: sample.spoken}).show(sample.view, {gate: sample.gate, before: sample.before});
    };
    plot.addEventListener("click", () => name.click());
    found.querySelector(".counts").title = sample.view.y ? `${sample.view.x.title} across, ${sample.view.y.title} up` : sample.view.x.title;
  } else {
    plot.className = "no-plot";
    plot.textContent = "not placed on this tube";
  }
  return found;
}

function select(id, on) {
  if (on) { chosen.add(id); } else { chosen.delete(id); }
  const found = [...document.querySelectorAll(".card")].find((each) => each.dataset.id === id);
  if (found) {
    found.classList.toggle("chosen", on);
    found.querySelector("input").checked = on;
  }
  batch();
}

function batch() {
  const edited = shown.samples.filter((sample) => sample.edited);
  at("batch").hidden = !chosen.size;
  at("chosen").textContent = `${chosen.size} ${chosen.size === 1 ? "tube is" : "tubes are"} selected.`;
  const current = at("source").value;
  at("source").replaceChildren(...edited.map((sample) => option(sample.sample_id, sample.sample_id, current)));
  at("apply").disabled = !edited.length;
  if (!edited.length) { at("source").replaceChildren(option("", "no tube has this gate edited yet", "")); }
}

async function apply() {
  const why = at("why").value.trim();
  if (!why) { tell("Say why: the reason is kept with the edit.", true); at("why").focus(); return; }
  try {
    const done = await post("/apply.json", {gate: shown.gate, from: at("source").value, samples: [...chosen], mode: at("mode").value, expected: shown.revision, why});
    chosen.clear();
    at("why").value = "";
    await load();
    tell(done.told, done.refused.length > 0);
  } catch (error) {
    tellRefusal(error);
  }
}

function go(step) {
  const all = [...document.querySelectorAll(".card")];
  const here = all.indexOf(document.activeElement.closest ? document.activeElement.closest(".card") : null);
  const next = all[Math.min(Math.max(here + step, 0), all.length - 1)];
  if (next) { next.focus(); }
}

function across() {
  const all = [...document.querySelectorAll(".card")];
  return Math.max(1, all.filter((each) => each.offsetTop === (all[0] ? all[0].offsetTop : 0)).length);
}

function nextGate(step) {
  const names = shown.gates.map((gate) => gate.name);
  const next = names[(names.indexOf(shown.gate) + step + names.length) % names.length];
  want({gate: next}).then(() => { const first = document.querySelector(".card"); if (first) { first.focus(); } });
}

document.addEventListener("keydown", (event) => {
  const letter = event.getModifierState?.("AltGraph");  // where [ and ] are typed with it, it tells itself as ctrl and alt
  if (((event.ctrlKey || event.altKey) && !letter) || event.metaKey || !shown) { return; }
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.target.type !== "checkbox";
  if (typing) { return; }
  const card_ = event.target.closest ? event.target.closest(".card") : null;
  const moves = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: across(), ArrowUp: -across()};
  if (event.key in moves) { event.preventDefault(); go(moves[event.key]); return; }
  if (event.key === "/") { event.preventDefault(); at("filter").focus(); return; }
  if (event.key === "[" || event.key === "]") { event.preventDefault(); nextGate(event.key === "]" ? 1 : -1); return; }
  if (card_ && event.key === " ") { event.preventDefault(); select(card_.dataset.id, !chosen.has(card_.dataset.id)); return; }
  if (card_ && event.key === "Enter" && event.target === card_) { event.preventDefault(); card_.querySelector("a").click(); }
});

async function rerun() {
  at("rerun").disabled = true;
  try {
    await post("/rerun.json", {});
    await watch();
  } catch (error) {
    tellRefusal(error);
  }
  at("rerun").disabled = false;
}

async function watch() {
  for (;;) {
    const state = await get("/rerun.json");
    at("progress").textContent = state.told;
    if (!state.running) {
      await load();
      tell(state.told, Boolean(state.error));
      return;
    }
    await new Promise((done) => { window.setTimeout(done, 300); });
  }
}

at("gate").addEventListener("change", (event) => want({gate: event.target.value}));
at("order").addEventListener("change", (event) => want({order: event.target.value}));
at("finding").addEventListener("change", (event) => want({finding: event.target.value}));
at("filter").addEventListener("input", cards);
at("filter").addEventListener("keydown", (event) => {
  if (event.key === "Escape") { event.preventDefault(); at("filter").value = ""; cards(); }  // a browser empties it and tells nobody
  if (event.key === "Escape" || event.key === "Enter") { const first = document.querySelector(".card"); if (first) { first.focus(); } }
});
at("controls").addEventListener("change", cards);
at("apply").addEventListener("click", apply);
at("none").addEventListener("click", () => { [...chosen].forEach((id) => select(id, false)); });
at("rerun").addEventListener("click", rerun);
load().then(() => { const first = document.querySelector(".card"); if (first) { first.focus({preventScroll: true}); } });
