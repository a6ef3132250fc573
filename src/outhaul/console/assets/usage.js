// The charts of usage.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const size = (value) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return `${Number(value.toFixed(1))} ${units[unit]}`;
  };
  const words = { rows: short, bytes: size, seconds: (value) => `${Number(value.toFixed(1))} s` };
  for (const element of document.querySelectorAll("[data-values]")) {
    barChart(element, {
      first: dayNumber(element.dataset.first),
      values: JSON.parse(element.dataset.values),
      paint: () => "accent",
      words: words[element.dataset.unit],
      height: 150,
    });
  }
});
