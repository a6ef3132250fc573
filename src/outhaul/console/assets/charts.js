// Bars over days, in the colours of the page. Needs uPlot.
"use strict";

const DAY_S = 86400;

function dayNumber(text) {
  return Date.parse(`${text}T00:00:00Z`) / 1000 / DAY_S;
}

function dayText(number) {
  return new Date(number * DAY_S * 1000).toISOString().slice(0, 10);
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function short(value) {
  return new Intl.NumberFormat("en", { notation: "compact" }).format(value);
}

// Days under the axis: `9 Sep`, or `Sep 26` where there are many.
function dayWords(_, splits) {
  const many = splits[splits.length - 1] - splits[0] > 200 * DAY_S;
  const parts = many ? { month: "short", year: "2-digit" } : { day: "numeric", month: "short" };
  const words = new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: "UTC" });
  return splits.map((at) => words.format(at * 1000));
}

// `first` is a day's number, `values` one number a day; `paint(day)` names the colour of a bar.
function barChart(element, { first, values, paint, words = short, height = 170 }) {
  const days = values.map((_, index) => (first + index) * DAY_S);
  const axis = (more) => ({
    stroke: () => colour("soft"),
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { show: false },
    font: "12px Inter, system-ui, sans-serif",
    ...more,
  });
  const chart = new uPlot(
    {
      width: element.clientWidth,
      height,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: {
        x: { range: () => [days[0] - DAY_S / 2, days[days.length - 1] + DAY_S / 2] },
        y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.05] },
      },
      axes: [
        axis({ grid: { show: false }, size: 30, values: dayWords }),
        axis({ size: 52, values: (_, splits) => splits.map(words) }),
      ],
      series: [
        {},
        {
          fill: () => colour("accent"),
          width: 0,
          points: { show: false },
          paths: uPlot.paths.bars({
            size: [0.78, 60],
            disp: {
              fill: { unit: 3, values: (u) => u.data[0].map((at) => colour(paint(at / DAY_S))) },
            },
          }),
        },
      ],
    },
    [days, values],
    element,
  );
  new ResizeObserver(() => {
    if (element.clientWidth) chart.setSize({ width: element.clientWidth, height });
  }).observe(element);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.redraw());
  return chart;
}
