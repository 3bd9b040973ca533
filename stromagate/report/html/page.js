(function () {
  "use strict";
  document.documentElement.classList.add("scripted");
  var boxes = Array.prototype.slice.call(document.querySelectorAll("[data-figure]"));
  // On a phone a drawing must not catch the finger that scrolls the page.
  var still = window.matchMedia("(pointer: coarse)").matches;
  var config = {displaylogo: false, staticPlot: still, doubleClick: "reset", displayModeBar: false, showTips: false, typesetMath: false};

  function draw(box) {
    if (box.dataset.state) { return; }
    if (!window.Plotly) {
      box.dataset.state = "missing";
      box.classList.add("plot-missing");
      box.textContent = "assets/plotly.min.js was not found beside this page. The table below has the same in numbers.";
      return;
    }
    box.dataset.state = "drawing";
    var spec = JSON.parse(document.getElementById(box.dataset.figure).textContent);
    spec.layout.width = Math.min(spec.layout.width, box.clientWidth || spec.layout.width);
    spec.layout.dragmode = "zoom";
    window.Plotly.newPlot(box, spec.data, spec.layout, config).then(function () { box.dataset.state = "drawn"; });
  }

  // What is seen first is drawn first; the rest follows one by one, so that the page never freezes and paper has it all.
  function drawRest() {
    var next = boxes.find(function (box) { return !box.dataset.state; });
    if (next) {
      draw(next);
      window.setTimeout(drawRest, 0);
    }
  }
  if (window.IntersectionObserver) {
    var watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) {
          watcher.unobserve(entry.target);
          draw(entry.target);
        }
      });
    }, {rootMargin: "400px"});
    boxes.forEach(function (box) { watcher.observe(box); });
  }
  window.addEventListener("load", function () { window.setTimeout(drawRest, 60); });
  window.addEventListener("beforeprint", function () { boxes.forEach(draw); });

  // A drawing that is wider than the sheet is made smaller as a whole; 690 pixels are 183 mm.
  window.addEventListener("beforeprint", function () {
    boxes.forEach(function (box) {
      var drawing = box.querySelector("svg.main-svg");
      var width = drawing ? drawing.clientWidth : 0;
      box.style.zoom = width > 690 ? 690 / width : "";
    });
  });
  window.addEventListener("afterprint", function () { boxes.forEach(function (box) { box.style.zoom = ""; }); });

  // On paper a link to a neighbouring file leads nowhere, and its address would tell where the run lies on this machine.
  var parked = [];
  window.addEventListener("beforeprint", function () {
    Array.prototype.slice.call(document.links).forEach(function (link) {
      if (link.protocol !== "https:") {
        parked.push([link, link.getAttribute("href")]);
        link.removeAttribute("href");
      }
    });
  });
  window.addEventListener("afterprint", function () {
    parked.splice(0).forEach(function (pair) { pair[0].setAttribute("href", pair[1]); });
  });

  // The sheet is the printer's own, unless the address of the page asks for one.
  var asked = {"?paper=a4": "A4", "?paper=letter": "letter"}[window.location.search];
  if (asked) {
    var sheet = document.createElement("style");
    sheet.textContent = "@page { size: " + asked + " }";
    document.head.appendChild(sheet);
  }

  function key(row, column) {
    var cell = row.cells[column];
    var text = cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
    var number = Number(text);
    return text !== "" && !Number.isNaN(number) ? number : text.toLocaleLowerCase("en");
  }

  function order(a, b) {
    if (typeof a === typeof b) { return a < b ? -1 : a > b ? 1 : 0; }
    return typeof a === "number" ? -1 : 1;
  }

  // Rows are sorted within their group: a control tube never comes to stand among the stained ones.
  function sort(table, header, column) {
    var descending = header.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("thead th").forEach(function (other) { other.removeAttribute("aria-sort"); });
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    Array.prototype.forEach.call(table.tBodies, function (body) {
      var rows = Array.prototype.filter.call(body.rows, function (row) { return row.dataset.fixed === undefined; });
      rows.sort(function (a, b) { return (descending ? -1 : 1) * order(key(a, column), key(b, column)); });
      rows.forEach(function (row) { body.appendChild(row); });
    });
  }

  document.querySelectorAll("table[data-sortable]").forEach(function (table) {
    table.querySelectorAll("thead th[data-column]").forEach(function (header) {
      // A span, because Chromium leaves buttons out of a table head that is repeated on the next sheet of paper.
      var button = document.createElement("span");
      button.setAttribute("role", "button");
      button.tabIndex = 0;
      while (header.firstChild) { button.appendChild(header.firstChild); }
      header.appendChild(button);
      var run = function () { sort(table, header, Number(header.dataset.column)); };
      button.addEventListener("click", run);
      button.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          run();
        }
      });
    });
  });
}());
