// The days of an export, chosen in fields or on the chart, and what they hold.
"use strict";

document.addEventListener("DOMContentLoaded", async () => {
  const element = document.getElementById("days");
  const form = element.closest("form");
  const mostDays = Number(element.dataset.most);
  const fixedTypes = element.dataset.types.split(" ").filter(Boolean);
  const first = form.elements.first;
  const last = form.elements.last;
  const said = document.getElementById("window");
  const answer = await fetch(element.dataset.source);
  if (!answer.ok) return;
  const held = await answer.json();
  const start = held.first === null ? null : dayNumber(held.first);
  const length = Math.max(0, ...Object.values(held.types).map((counts) => counts.length));
  const number = new Intl.NumberFormat("en");
  let chart = null;
  let refused = false;

  function chosenTypes() {
    if (fixedTypes.length) return fixedTypes;
    const chosen = [...form.querySelectorAll("[name=activity]:checked")].map((box) => box.value);
    return chosen.length ? chosen : Object.keys(held.types);
  }

  function sums(types) {
    const total = new Array(length).fill(0);
    for (const type of types) (held.types[type] || []).forEach((count, day) => (total[day] += count));
    return total;
  }

  function window_() {
    return first.value && last.value ? [dayNumber(first.value), dayNumber(last.value)] : null;
  }

  function within(counts, [from, to]) {
    let sum = 0;
    for (let day = Math.max(from, start); day <= to && day < start + counts.length; day++) sum += counts[day - start];
    return sum;
  }

  function show() {
    const chosen = window_();
    const days = chosen ? chosen[1] - chosen[0] + 1 : 0;
    let fault = "";
    if (chosen && days < 1) fault = "The last day lies before the first.";
    if (days > mostDays) fault = `These are ${days} days; an export has at most ${mostDays}.`;
    last.setAttribute("aria-invalid", String(Boolean(fault)));
    said.classList.toggle("fault", Boolean(fault) || refused);
    if (fault) said.textContent = fault;
    else if (!chosen) said.textContent = start === null ? "There are no activities yet." : "Choose the days.";
    else {
      const count = start === null ? 0 : within(sums(chosenTypes()), chosen);
      const more = refused ? ` An export has at most ${mostDays} days.` : "";
      said.textContent = `${days} ${days === 1 ? "day" : "days"}, ${number.format(count)} activities.${more}`;
    }
    for (const cell of form.querySelectorAll("[data-count-of]")) {
      const counts = held.types[cell.dataset.countOf];
      cell.closest("li").classList.toggle("none", !counts);
      if (!counts) cell.textContent = "0";
      else cell.textContent = number.format(chosen && !fault ? within(counts, chosen) : counts.reduce((a, b) => a + b, 0));
    }
    chart?.setData([chart.data[0], sums(chosenTypes())]);
  }

  function choose(from, to) {
    first.value = dayText(Math.min(from, to));
    last.value = dayText(Math.max(from, to));
    show();
  }

  function draw() {
    if (start === null || chart || !element.clientWidth) return;
    chart = barChart(element, {
      first: start,
      values: sums(chosenTypes()),
      paint: (day) => {
        const chosen = window_();
        if (!chosen) return "accent";
        if (day < chosen[0] || day > chosen[1]) return "edge";
        return chosen[1] - chosen[0] < mostDays ? "accent" : "bad";
      },
    });
    let from = null;
    const dayAt = (event) => {
      const left = event.clientX - chart.over.getBoundingClientRect().left;
      const day = Math.round(chart.posToVal(left, "x") / DAY_S);
      return Math.min(Math.max(day, start), start + length - 1);
    };
    // What is drawn stops at the most days there may be, and says so.
    const drag = (event) => {
      const to = dayAt(event);
      const most = from + Math.sign(to - from) * (mostDays - 1);
      refused = Math.abs(to - from) >= mostDays;
      choose(from, refused ? most : to);
    };
    chart.over.addEventListener("pointerdown", (event) => {
      from = dayAt(event);
      chart.over.setPointerCapture(event.pointerId);
      drag(event);
    });
    chart.over.addEventListener("pointermove", (event) => from !== null && drag(event));
    chart.over.addEventListener("pointerup", () => {
      from = null;
      refused = false;
    });
  }

  const today = start === null ? dayNumber(dayText(Date.now() / 1000 / DAY_S)) : start + length - 1;
  for (const button of form.querySelectorAll("[data-back]")) {
    button.addEventListener("click", () => choose(today - Number(button.dataset.back) + 1, today));
  }
  for (const button of form.querySelectorAll("[data-month]")) {
    button.addEventListener("click", () => {
      const at = new Date(today * DAY_S * 1000);
      const month = at.getUTCMonth() + Number(button.dataset.month);
      const begin = Date.UTC(at.getUTCFullYear(), month, 1) / 1000 / DAY_S;
      const end = Date.UTC(at.getUTCFullYear(), month + 1, 0) / 1000 / DAY_S;
      choose(begin, end);
    });
  }
  form.addEventListener("change", () => {
    draw();
    show();
  });
  form.addEventListener("submit", (event) => {
    const shown = last.offsetParent !== null;
    if (shown && last.getAttribute("aria-invalid") === "true") {
      event.preventDefault();
      last.focus();
    }
  });
  draw();
  if (start !== null && !first.value && !last.value) choose(today - 31 + 1, today);
  else show();
});
