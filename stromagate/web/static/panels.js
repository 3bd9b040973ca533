// What stands beside the plot: counts before and after, edits, signatures, findings.
import {make} from "./api.js";

const cell = (text, name = "") => make("td", {class: name, text});

// A number with its interval below it.
function number(text) {
  const [head, interval] = text.split(/ (?=\()/);
  return make("td", {class: "num", text: head}, interval ? make("span", {class: "unit", text: interval}) : null);
}

function table(heads, rows) {
  return make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map(([text, name]) => make("th", {scope: "col", class: name || "", text})))),
    make("tbody", {}, ...rows));
}

export class Panels {
  constructor(at) {
    this.at = at;
    this.onSign = () => {};
    this.onUnsign = () => {};
  }

  show(data) {
    this.edits(data.edits);
    this.signature(data.signature, data.roles, data.note);
    this.findings(data.findings);
  }

  counts(rows, took) {
    this.at("ms").textContent = took;
    const heads = [["Population"], ["Before", "num"], ["Now", "num"], ["Per million", "num"]];
    const open = this.at("counts").querySelector("details[open]") !== null;
    const parts = [rows.filter((row) => !row.minor), rows.filter((row) => row.minor)].map((part) => part.map((row) => {
      const found = make("tr", {class: row.changed ? "changed" : "", "data-population": row.name},
        make("th", {scope: "row", text: row.label}),
        cell(row.before_text, "num"), number(row.count_text), number(row.rate_text));
      found.title = row.rate_of ? `${row.rate_of}; ${row.state}` : row.state;
      return found;
    }));
    const rest = parts[1].length ? make("details", {open}, make("summary", {text: `${parts[1].length} more that change by less than 1 %`}), table(heads, parts[1])) : "";
    this.at("counts").replaceChildren(table(heads, parts[0]), rest);
  }

  edits(edits) {
    const none = make("p", {class: "quiet", text: "No boundary of this tube was moved."});
    this.at("edits").replaceChildren(edits.length
      ? make("ul", {class: "plain"}, ...edits.map((edit) => make("li", {}, make("strong", {text: edit.label}), ` ${edit.why} `, make("span", {class: "quiet", text: `${edit.who}, ${edit.when}${edit.pending ? "; not in the tables yet" : ""}`}))))
      : none);
  }

  signature(state, roles, note) {
    const host = this.at("signature");
    host.replaceChildren(...state.signatures.map((each) => make("p", {}, make("strong", {text: each.who}), ` as ${each.role}: ${each.meaning} `, make("span", {class: "quiet", text: each.time}))));
    state.differs.forEach((text) => host.append(make("p", {class: "bad", text})));
    if (state.pending) { host.append(make("p", {class: "quiet", text: "Boundaries were moved since the result was made: run again before signing."})); }
    const role = make("select", {id: "role", "aria-label": "as"}, ...roles.map((each) => make("option", {value: each, text: each})));
    const says = make("input", {id: "meaning", type: "text", maxlength: 500, "aria-label": "what the signature says", placeholder: "what the signature says"});
    const sign = make("button", {id: "sign", type: "button", text: "Sign", disabled: state.pending});
    sign.addEventListener("click", () => this.onSign(role.value, says.value));
    host.append(make("p", {class: "acts"}, role, says, sign));
    if (state.signed) {
      const why = make("input", {id: "unsign-why", type: "text", maxlength: 500, "aria-label": "why the signatures are withdrawn", placeholder: "why"});
      const unsign = make("button", {id: "unsign", type: "button", class: "plain", text: "Withdraw the signatures"});
      unsign.addEventListener("click", () => this.onUnsign(why.value));
      host.append(make("p", {class: "acts"}, why, unsign));
    }
    host.append(make("p", {class: "quiet", text: note}));
  }

  findings(findings) {
    this.at("findings").replaceChildren(findings.length
      ? make("details", {}, make("summary", {text: `${findings.length} ${findings.length === 1 ? "check" : "checks"} warned or failed`}), make("ul", {class: "plain"}, ...findings.map((each) => make("li", {class: `status-${each.status}`}, make("strong", {text: `${each.status} ${each.code}`}), ` ${each.sentence}`, each.remedy ? make("span", {class: "quiet", text: ` ${each.remedy}`}) : null))))
      : make("p", {class: "quiet", text: "No check warned or failed."}));
  }
}
