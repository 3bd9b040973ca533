// One plot: a density as pixels, axes and gate over it as lines. Drawn with a canvas and an SVG of its own, so that a gate
// can be taken hold of with the mouse and with the keyboard.
import {ellipsePoints, holds, isShown, moved, sides} from "./geometry.js";

const RAMP = ["#a1d0e3", "#76b8dc", "#529fd2", "#3b84c3", "#346aad", "#32518e", "#2d3b6a", "#242846", "#161330"];
const NS = "http://www.w3.org/2000/svg";
const STEP = 0.005;

const rgb = RAMP.map((text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)));

// Return the colour of a level from 1 to 255, as the report's plots have it.
function colour(level) {
  const place = ((level - 0.5) / 254.5) * (RAMP.length - 1);
  const i = Math.min(Math.floor(Math.max(place, 0)), RAMP.length - 2);
  const part = Math.min(Math.max(place - i, 0), 1);
  return rgb[i].map((value, k) => Math.round(value + part * (rgb[i + 1][k] - value)));
}
const COLOURS = Array.from({length: 256}, (_, level) => colour(level));

function bytes(text) {
  const plain = atob(text);
  const found = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i += 1) { found[i] = plain.charCodeAt(i); }
  return found;
}

function element(name, attributes = {}, parent = null) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) { made.setAttribute(key, value); }
  if (parent) { parent.appendChild(made); }
  return made;
}

export class Plot {
  // `host` is emptied and filled. `options`: width, height, small (no ticks), onDrag(geometry, done), label.
  constructor(host, options) {
    this.host = host;
    this.options = {width: 420, height: 400, small: false, label: "", ...options};
    const {small} = this.options;
    this.margin = small ? {l: 4, r: 4, t: 4, b: 4} : {l: 58, r: 14, t: 10, b: 46};
    host.textContent = "";
    host.classList.add("gate-plot");
    host.style.width = `${this.options.width}px`;
    host.style.height = `${this.options.height}px`;
    this.canvas = document.createElement("canvas");
    host.appendChild(this.canvas);
    this.svg = element("svg", {width: this.options.width, height: this.options.height, role: "group"}, host);
    this.svg.setAttribute("aria-label", this.options.label);
    if (this.options.onZoom) { this.svg.addEventListener("pointerdown", (event) => this.zoomStart(event)); }
    this.layers = ["axes", "below", "gate", "holds"].map((name) => element("g", {class: name}, this.svg));
  }

  // Show a view, and over it a gate (its own outline by default), a gate that was before, and another density as lines.
  show(view, {gate = view.outline, before = null, over = null} = {}) {
    this.view = view;
    this.over = over;
    this.paint();
    this.axes();
    this.update(gate, before);
  }

  // Draw the gate anew, nothing else: what happens while it is dragged.
  update(gate, before = this.before) {
    this.gate = gate;
    this.before = before;
    this.outline();
  }

  get inner() {
    const {l, r, t, b} = this.margin;
    return {x: l, y: t, w: this.options.width - l - r, h: this.options.height - t - b};
  }

  px(value) { const {x, w} = this.inner; return x + ((value - this.view.x.low) / (this.view.x.high - this.view.x.low)) * w; }

  py(value) {
    const {y, h} = this.inner;
    if (!this.view.y) { return y + h * (1 - value / 1.08); }
    return y + h - ((value - this.view.y.low) / (this.view.y.high - this.view.y.low)) * h;
  }

  // Return the place of a pointer in display units.
  at(event) {
    const box = this.svg.getBoundingClientRect();
    const {x, y, w, h} = this.inner;
    const px = (event.clientX - box.left - x) / w;
    const py = 1 - (event.clientY - box.top - y) / h;
    const {x: side, y: other} = this.view;
    return [side.low + px * (side.high - side.low), other ? other.low + py * (other.high - other.low) : py];
  }

  paint() {
    const {x, y, w, h} = this.inner;
    const {view, canvas} = this;
    Object.assign(canvas.style, {left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px`});
    if (!view.y) { canvas.width = 1; canvas.height = 1; return; }
    canvas.width = view.nx;
    canvas.height = view.ny;
    const context = canvas.getContext("2d");
    const image = context.createImageData(view.nx, view.ny);
    const levels = bytes(view.grid);
    for (let row = 0; row < view.ny; row += 1) {
      for (let column = 0; column < view.nx; column += 1) {
        const level = levels[row * view.nx + column];
        if (level) {
          const place = 4 * ((view.ny - 1 - row) * view.nx + column);
          image.data.set(COLOURS[level], place);
          image.data[place + 3] = 255;
        }
      }
    }
    context.putImageData(image, 0, 0);
  }

  axes() {
    const [layer, below] = this.layers;
    layer.textContent = "";
    below.textContent = "";
    const {x, y, w, h} = this.inner;
    element("rect", {x, y, width: w, height: h, class: "frame"}, layer);
    if (!this.view.y) { this.histogram(this.view, "histogram"); }
    if (this.over) { this.contour(this.over); }
    if (this.options.small) { return; }
    for (const [at, text] of this.view.x.ticks) {
      if (at < this.view.x.low || at > this.view.x.high) { continue; }
      element("line", {x1: this.px(at), x2: this.px(at), y1: y + h, y2: y + h + 4, class: "tick"}, layer);
      element("text", {x: this.px(at), y: y + h + 17, class: "tick-text", "text-anchor": "middle"}, layer).textContent = text;
    }
    for (const [at, text] of this.view.y ? this.view.y.ticks : []) {
      if (at < this.view.y.low || at > this.view.y.high) { continue; }
      element("line", {x1: x - 4, x2: x, y1: this.py(at), y2: this.py(at), class: "tick"}, layer);
      element("text", {x: x - 7, y: this.py(at) + 4, class: "tick-text", "text-anchor": "end"}, layer).textContent = text;
    }
    element("text", {x: x + w / 2, y: y + h + 37, class: "axis-text", "text-anchor": "middle"}, layer).textContent = this.view.x.title;
    const up = element("text", {x: 0, y: 0, class: "axis-text", "text-anchor": "middle"}, layer);
    up.setAttribute("transform", `translate(14 ${y + h / 2}) rotate(-90)`);
    up.textContent = this.view.y ? this.view.y.title : "events per bin (log)";
  }

  histogram(view, name) {
    const {y, h} = this.inner;
    const step = (view.x.high - view.x.low) / view.nx;
    const places = Array.from(bytes(view.grid), (level, i) => [view.x.low + i * step, level / 255]);
    const line = places.map(([at, level]) => `${this.px(at)},${this.py(level)} ${this.px(at + step)},${this.py(level)}`).join(" ");
    element("polygon", {points: `${this.px(view.x.low)},${y + h} ${line} ${this.px(view.x.high)},${y + h}`, class: name}, this.layers[1]);
  }

  // Another density over this one, as the outlines of its bins: a control, or a population on the way.
  contour(other) {
    if (!this.view.y || !other.y) {
      if (!this.view.y && !other.y) { this.histogram(other, "histogram over"); }
      return;
    }
    const levels = bytes(other.grid);
    const dx = (other.x.high - other.x.low) / other.nx;
    const dy = (other.y.high - other.y.low) / other.ny;
    const layer = element("g", {class: "over"}, this.layers[1]);
    for (let row = 0; row < other.ny; row += 1) {
      for (let column = 0; column < other.nx; column += 1) {
        const level = levels[row * other.nx + column];
        if (level) {
          const left = this.px(other.x.low + column * dx);
          const top = this.py(other.y.low + (row + 1) * dy);
          element("rect", {x: left, y: top, width: 3, height: 3, opacity: 0.35 + (0.65 * level) / 255}, layer);
        }
      }
    }
  }

  outline() {
    const [, , layer, grips] = this.layers;
    layer.textContent = "";
    if (this.before) { this.lines(this.before, layer, "before"); }
    if (this.gate) { this.lines(this.gate, layer, "now"); }
    if (this.options.onDrag) { this.grips(grips); }
  }

  // Draw a gate as far as its axes are on the plot.
  lines(gate, layer, name) {
    const on = sides(gate, this.view);
    const {x, y, w, h} = this.inner;
    const across = (side, at) => (side === "x"
      ? {x1: this.px(at), x2: this.px(at), y1: y, y2: y + h}
      : {x1: x, x2: x + w, y1: this.py(at), y2: this.py(at)});
    const line = (side, at) => side && at !== null && element("line", {...across(side, at), class: name}, layer);
    if (gate.kind === "interval") { line(on[0], gate.low); line(on[0], gate.high); return; }
    if (gate.kind === "spans") { gate.spans.forEach(([low, high]) => { line(on[0], low); line(on[0], high); }); return; }
    if (gate.kind === "rectangle") { on.forEach((side, i) => { line(side, gate.low[i]); line(side, gate.high[i]); }); return; }
    if (gate.kind === "quadrant") { on.forEach((side, i) => line(side, gate.origin[i])); return; }
    if (!isShown(gate, this.view)) { return; }
    const points = gate.kind === "polygon" ? gate.vertices : gate.kind === "ellipse" && gate.mean.length === 2 ? ellipsePoints(gate) : [];
    const drawn = points.map((at) => this.place(at, on).join(",")).join(" ");
    if (drawn) { element("polygon", {points: drawn, class: name}, layer); }
  }

  // Return the pixel of a point in the units of the gate's own axes.
  place(at, on) {
    const pair = on[0] === "x" ? at : [at[1], at[0]];
    return [this.px(pair[0]), this.py(pair[1])];
  }

  grips(layer) {
    const held = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.hold : null;
    layer.textContent = "";
    if (!this.gate || !isShown(this.gate, this.view)) { return; }
    const on = sides(this.gate, this.view);
    const {x, y, w, h} = this.inner;
    for (const hold of holds(this.gate)) {
      const grip = element("g", {class: "hold", tabindex: 0, role: "slider", "data-hold": hold.name}, layer);
      const shownAt = hold.at.map((value) => (value === null ? "" : value.toFixed(3))).filter(Boolean).join(", ");
      grip.setAttribute("aria-label", `${hold.called}; arrow keys move it`);
      grip.setAttribute("aria-valuetext", shownAt);
      grip.setAttribute("aria-valuenow", hold.at.find((value) => value !== null).toFixed(3));
      const free = hold.at.findIndex((value) => value !== null);
      if (hold.at.length === 1 || hold.at.includes(null)) {
        const side = on[free];
        const at = side === "x" ? this.px(hold.at[free]) : this.py(hold.at[free]);
        const line = side === "x" ? {x1: at, x2: at, y1: y, y2: y + h} : {x1: x, x2: x + w, y1: at, y2: at};
        element("line", {...line, class: "wide"}, grip);
        element("circle", {cx: side === "x" ? at : x + w - 9, cy: side === "x" ? y + 9 : at, r: 5}, grip);
        grip.classList.add(side === "x" ? "sideways" : "upright");
      } else {
        const [cx, cy] = this.place(hold.at, on);
        element("circle", {cx, cy, r: 11, class: "wide"}, grip);
        element("circle", {cx, cy, r: hold.name === "whole" ? 6 : 4.5, class: hold.name === "whole" ? "whole" : "corner"}, grip);
      }
      grip.addEventListener("pointerdown", (event) => this.drag(event, hold.name, on));
      grip.addEventListener("keydown", (event) => this.key(event, hold, on));
      if (held === hold.name) { grip.focus({preventScroll: true}); }
    }
  }

  drag(event, name, on) {
    event.preventDefault();
    const start = this.gate;
    const to = (moving) => {
      const at = this.at(moving);
      return on.map((side) => at[side === "x" ? 0 : 1]);
    };
    const move = (moving) => { this.update(moved(start, name, to(moving))); this.options.onDrag(this.gate, false); };
    const end = (ending) => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
      this.svg.classList.remove("dragging");
      if (ending.type === "pointercancel") { this.update(start); this.options.onDrag(start, true); return; }
      this.options.onDrag(this.gate, true);
    };
    this.svg.classList.add("dragging");
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
  }

  // Draw a box over the plot with the pointer: what is in it is shown next.
  zoomStart(event) {
    if (event.button !== 0 || event.target.closest(".hold")) { return; }
    event.preventDefault();
    const start = this.at(event);
    const box = element("rect", {class: "zoom"}, this.layers[3]);
    const corners = (moving) => {
      const now = this.at(moving);
      return [0, 1].map((i) => [Math.min(start[i], now[i]), Math.max(start[i], now[i])]);
    };
    const move = (moving) => {
      const [[x0, x1], [y0, y1]] = corners(moving);
      const {y, h} = this.inner;
      const top = this.view.y ? this.py(y1) : y;
      const bottom = this.view.y ? this.py(y0) : y + h;
      for (const [key, value] of Object.entries({x: this.px(x0), y: top, width: this.px(x1) - this.px(x0), height: bottom - top})) { box.setAttribute(key, Math.max(value, 0)); }
    };
    const end = (ending) => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
      box.remove();
      const [[x0, x1], [y0, y1]] = corners(ending);
      if (ending.type === "pointercancel" || this.px(x1) - this.px(x0) < 8 || (this.view.y && this.py(y0) - this.py(y1) < 8)) { return; }
      this.options.onZoom(this.limits(x0, x1, y0, y1));
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
  }

  limits(x0, x1, y0, y1) { return this.view.y ? {x0, x1, y0, y1} : {x0, x1}; }

  // Return the limits of a plot that shows so much of this one about its centre; above 1 more than this one.
  zoomBy(part) {
    const around = ({low, high}) => [(low + high) / 2 - (part * (high - low)) / 2, (low + high) / 2 + (part * (high - low)) / 2];
    const [x0, x1] = around(this.view.x);
    const [y0, y1] = this.view.y ? around(this.view.y) : [0, 1];
    return this.limits(x0, x1, y0, y1);
  }

  key(event, hold, on) {
    const step = (event.shiftKey ? 5 : 1) * STEP;
    const way = {ArrowLeft: ["x", -step], ArrowRight: ["x", step], ArrowDown: ["y", -step], ArrowUp: ["y", step]}[event.key];
    if (!way) { return; }
    event.preventDefault();
    event.stopPropagation();
    const span = way[0] === "x" ? this.view.x.high - this.view.x.low : this.view.y ? this.view.y.high - this.view.y.low : 1;
    const to = hold.at.map((value, i) => (value !== null && on[i] === way[0] ? value + way[1] * span : value));
    if (hold.at.length === 1 && on[0] !== way[0]) { return; }
    this.update(moved(this.gate, hold.name, to));
    this.options.onDrag(this.gate, true);
  }
}
