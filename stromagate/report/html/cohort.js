(function () {
  "use strict";
  // Runs when the page's own script has made the table sortable.
  document.addEventListener("DOMContentLoaded", function () {
    var table = document.getElementById("cohort-table");
    var rows = Array.prototype.slice.call(table.tBodies[0].rows);
    var variants = JSON.parse(document.getElementById("cohort-variants").textContent);
    var chooser = document.getElementById("denominator");
    var still = window.matchMedia("(pointer: coarse)").matches;
    var config = {displaylogo: false, staticPlot: still, doubleClick: "reset", displayModeBar: false, showTips: false, typesetMath: false};
    var shown = 0;
    var dimmed = false;

    document.querySelectorAll(".chooser, .filters").forEach(function (bar) { bar.hidden = false; });

    function sortedHeader() { return table.querySelector("thead th[aria-sort]"); }

    // The order that was asked for is kept when the numbers under it change.
    function sortAgain() {
      var header = sortedHeader();
      if (!header) { return; }
      var way = header.getAttribute("aria-sort");
      if (way === "ascending") { header.removeAttribute("aria-sort"); } else { header.setAttribute("aria-sort", "ascending"); }
      header.querySelector("[role=button]").click();
    }

    function fill(which) {
      rows.forEach(function (row) {
        var cells = row.querySelectorAll("td[data-rate]");
        variants[which][Number(row.dataset.row)].forEach(function (made, at) {
          var cell = cells[at];
          cell.firstChild.nodeValue = made.text;
          cell.lastChild.textContent = made.interval;
          cell.dataset.value = made.value;
          cell.classList.toggle("faint", made.faint);
          cell.title = made.state;
        });
      });
      sortAgain();
    }

    function specOf(box) {
      return document.getElementById(box.id + "-data" + (shown ? "-" + shown : ""));
    }

    function redraw() {
      document.querySelectorAll("[data-figure]").forEach(function (box) {
        var made = specOf(box);
        if (!made) { return; }
        if (made.dataset.alt) { box.setAttribute("aria-label", made.dataset.alt); }
        box.dataset.figure = made.id;
        if (!window.Plotly || box.dataset.state !== "drawn") { return; }
        var spec = JSON.parse(made.textContent);
        spec.layout.width = Math.min(spec.layout.width, box.clientWidth || spec.layout.width);
        spec.layout.dragmode = "zoom";
        box.style.height = spec.layout.height + "px";
        window.Plotly.react(box, spec.data, spec.layout, config).then(mark);
      });
    }

    function words() { return chooser.options[shown].textContent; }

    if (chooser) {
      // Some browsers keep the choice when a page is loaded again, and the page is drawn with the first one.
      chooser.value = "0";
      chooser.addEventListener("change", function () {
        shown = Number(chooser.value);
        fill(shown);
        document.querySelectorAll("[data-below]").forEach(function (place) { place.textContent = words(); });
        redraw();
        document.getElementById("denominator-said").textContent = "Table and drawings show rates per million " + words() + ".";
      });
    }

    var text = document.getElementById("filter-text");
    var pattern = document.getElementById("filter-pattern");
    var quality = document.getElementById("filter-quality");
    [text, pattern, quality].forEach(function (field) { field.value = ""; });

    function wanted(row) {
      var words = text.value.toLocaleLowerCase("en").split(/\s+/).filter(Boolean);
      var said = Array.prototype.map.call(row.querySelectorAll("[data-find]"), function (cell) { return cell.textContent; }).join(" ").toLocaleLowerCase("en");
      return words.every(function (word) { return said.indexOf(word) >= 0; }) &&
        (!pattern.value || row.dataset.pattern === pattern.value) && (!quality.value || row.dataset.quality === quality.value);
    }

    // Tubes that the filter leaves out are faint in the map: a group can be looked for there as well.
    function mark() {
      var box = document.getElementById("map");
      if (!box || !window.Plotly || box.dataset.state !== "drawn") { return; }
      var left = {};
      rows.forEach(function (row) { if (!row.hidden) { left[row.cells[0].dataset.value] = true; } });
      var all = rows.every(function (row) { return !row.hidden; });
      if (all && !dimmed) { return; }
      dimmed = !all;
      box.data.forEach(function (trace, at) {
        if (!trace.customdata) { return; }
        var chosen = [];
        trace.customdata.forEach(function (name, i) { if (left[name]) { chosen.push(i); } });
        window.Plotly.restyle(box, {selectedpoints: [all ? null : chosen]}, [at]);
      });
    }

    function filter() {
      var n = 0;
      rows.forEach(function (row) {
        row.hidden = !wanted(row);
        n += row.hidden ? 0 : 1;
      });
      var any = text.value || pattern.value || quality.value;
      document.getElementById("filter-said").textContent = any ? n + " of " + rows.length + " shown" : "";
      mark();
    }
    text.addEventListener("input", filter);
    pattern.addEventListener("change", filter);
    quality.addEventListener("change", filter);
  });
}());
