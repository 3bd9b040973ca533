// A gate's geometry in the display units of its axes: where its outline lies, where it can be taken hold of, and what it
// becomes when a hold is moved. Pure functions; nothing is drawn here and nobody is counted.

// Return the matrix of an ellipse's half axes: two vectors, the longer first.
export function halfAxes(gate) {
  const [[a, b], [, d]] = gate.covariance;
  const mean = (a + d) / 2;
  const gap = Math.hypot((a - d) / 2, b);
  const angle = Math.atan2(mean + gap - a, b || 1e-300);
  const turn = b === 0 ? (a >= d ? 0 : Math.PI / 2) : angle;
  const lengths = [mean + gap, Math.max(mean - gap, 0)].map((value) => Math.sqrt(value * gate.distance_squared));
  return [
    [lengths[0] * Math.cos(turn), lengths[0] * Math.sin(turn)],
    [-lengths[1] * Math.sin(turn), lengths[1] * Math.cos(turn)],
  ];
}

// Return an ellipse with these half axes, its distance kept: only the covariance changes.
export function withHalfAxes(gate, [[ax, ay], [bx, by]]) {
  const scale = gate.distance_squared;
  const covariance = [
    [(ax * ax + bx * bx) / scale, (ax * ay + bx * by) / scale],
    [(ax * ay + bx * by) / scale, (ay * ay + by * by) / scale],
  ];
  return {...gate, covariance};
}

// Return the points of an ellipse's outline.
export function ellipsePoints(gate, n = 96) {
  const [a, b] = halfAxes(gate);
  return Array.from({length: n}, (_, i) => {
    const t = (2 * Math.PI * i) / n;
    return [
      gate.mean[0] + a[0] * Math.cos(t) + b[0] * Math.sin(t),
      gate.mean[1] + a[1] * Math.cos(t) + b[1] * Math.sin(t),
    ];
  });
}

// Return which side of the plot each of a gate's axes is on: "x", "y", or null where it is not shown.
export function sides(gate, view) {
  const axes = gate.axes || (gate.axis ? [gate.axis] : []);
  return axes.map((axis) => (axis === view.x.axis ? "x" : view.y && axis === view.y.axis ? "y" : null));
}

// Say whether all axes of a gate are on the plot, so that it can be drawn and moved there.
export function isShown(gate, view) {
  const on = gate ? sides(gate, view) : [];
  return on.length > 0 && on.every(Boolean) && new Set(on).size === on.length;
}

// Return the holds of a gate: each with a name, what it is called, and its place in the units of the gate's own axes
// (null on an axis along which it has no place, as a line has none along itself).
export function holds(gate) {
  switch (gate.kind) {
    case "interval":
      return bounds([gate.axis], [gate.low], [gate.high]);
    case "rectangle":
      return gate.axes.length === 2 ? bounds(gate.axes, gate.low, gate.high) : [];
    case "quadrant":
      return [{name: "origin", called: "crossing", at: [...gate.origin]}];
    case "polygon":
      return [
        ...gate.vertices.map((at, i) => ({name: `vertex ${i}`, called: `corner ${i + 1} of ${gate.vertices.length}`, at: [...at]})),
        {name: "whole", called: "whole outline", at: centre(gate.vertices)},
      ];
    case "ellipse": {
      if (gate.mean.length !== 2) { return []; }
      const [a, b] = halfAxes(gate);
      return [
        {name: "whole", called: "centre", at: [...gate.mean]},
        {name: "long", called: "long half axis", at: [gate.mean[0] + a[0], gate.mean[1] + a[1]]},
        {name: "short", called: "short half axis", at: [gate.mean[0] + b[0], gate.mean[1] + b[1]]},
      ];
    }
    default:
      return [];
  }
}

function bounds(axes, low, high) {
  const found = [];
  axes.forEach((axis, i) => {
    for (const [side, at] of [["low", low[i]], ["high", high[i]]]) {
      if (at !== null) {
        const place = axes.map(() => null);
        place[i] = at;
        found.push({name: `${side} ${i}`, called: `${axis} ${side === "low" ? "from" : "up to"}`, at: place});
      }
    }
  });
  return found;
}

function centre(points) {
  const n = points.length;
  return [points.reduce((sum, p) => sum + p[0], 0) / n, points.reduce((sum, p) => sum + p[1], 0) / n];
}

// Return the gate with one hold at another place, in the units of the gate's own axes.
export function moved(gate, hold, to) {
  const [word, number] = hold.split(" ");
  switch (gate.kind) {
    case "interval":
      return ordered({...gate, [word]: to[0]}, word);
    case "rectangle": {
      const i = Number(number);
      const side = [...gate[word]];
      side[i] = ordered({low: gate.low[i], high: gate.high[i], [word]: to[i]}, word)[word];
      return {...gate, [word]: side};
    }
    case "quadrant":
      return {...gate, origin: [to[0], to[1]]};
    case "polygon": {
      if (word === "whole") {
        const from = centre(gate.vertices);
        return {...gate, vertices: gate.vertices.map(([x, y]) => [x + to[0] - from[0], y + to[1] - from[1]])};
      }
      return {...gate, vertices: gate.vertices.map((at, i) => (i === Number(number) ? [to[0], to[1]] : at))};
    }
    case "ellipse":
      return movedEllipse(gate, word, to);
    default:
      return gate;
  }
}

// A lower edge that is pulled past the upper one stops there.
function ordered(gate, side) {
  if (gate.low === null || gate.high === null || gate.low < gate.high) { return gate; }
  const least = 1e-4;
  return side === "low" ? {...gate, low: gate.high - least} : {...gate, high: gate.low + least};
}

function movedEllipse(gate, word, to) {
  if (word === "whole") { return {...gate, mean: [to[0], to[1]]}; }
  const [a, b] = halfAxes(gate);
  const pull = [to[0] - gate.mean[0], to[1] - gate.mean[1]];
  const length = Math.max(Math.hypot(...pull), 1e-3);
  const unit = [pull[0] / length, pull[1] / length];
  if (word === "long") {
    const other = Math.hypot(...b);
    return withHalfAxes(gate, [[unit[0] * length, unit[1] * length], [-unit[1] * other, unit[0] * other]]);
  }
  const other = Math.hypot(...a);
  return withHalfAxes(gate, [[unit[1] * other, -unit[0] * other], [unit[0] * length, unit[1] * length]]);
}
