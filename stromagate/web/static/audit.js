// The audit log, newest line first.
import {get, make, tell, tellRefusal} from "./api.js";

function change(each) { return `${each.sample_id}: ${each.population}${each.automatic.includes("new") ? " back to automatic" : ""}`; }

async function load() {
  let data;
  try {
    data = await get("/audit.json");
  } catch (error) {
    tellRefusal(error);
    return;
  }
  document.getElementById("about").textContent = data.note;
  if (data.blind) { tell("Readers are blinded: what others did is kept, and shown after."); return; }
  tell(`${data.entries.length} lines`);
  const head = ["", "When", "Who", "What", "On", "Why"].map((text) => make("th", {scope: "col", text}));
  const rows = data.entries.map((entry) => make("tr", {},
    make("td", {class: "num", text: String(entry.seq)}), make("td", {text: entry.time}), make("td", {text: entry.who}), make("td", {text: entry.what}),
    make("td", {text: entry.changes.map(change).join("; ") || (entry.signature ? entry.signature.sample_id : "")}), make("td", {text: entry.why || (entry.signature ? entry.signature.meaning : "")})));
  document.getElementById("lines").replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
}
load();
