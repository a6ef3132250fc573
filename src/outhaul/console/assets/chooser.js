// A choice of several things and of their order. Without this script the boxes are sent in the order
// of the list; with it, what stands in the ordered list is.
"use strict";

function enhance(chooser) {
  chooser.dataset.ready = "yes";
  const { chooser: name, noun, chosen } = chooser.dataset;
  const order = chooser.querySelector("ol");
  const empty = chooser.querySelector(".chooser-empty");
  const row = chooser.querySelector("template").content.firstElementChild;
  const find = chooser.querySelector("[type=search]");
  const boxes = new Map();
  for (const box of chooser.querySelectorAll(".chooser-options input")) {
    box.removeAttribute("name");
    boxes.set(box.value, box);
  }
  const word = (id) => boxes.get(id).closest("li").querySelector("[data-word]").textContent;
  const placed = (id) => [...order.children].find((one) => one.dataset.id === id);

  function add(id) {
    const made = row.cloneNode(true);
    made.dataset.id = id;
    made.querySelector("input").value = id;
    made.querySelector("span").textContent = word(id);
    for (const button of made.querySelectorAll("button")) button.setAttribute("aria-label", `${button.title}: ${word(id)}`);
    order.append(made);
  }

  function choose(id, wanted) {
    boxes.get(id).checked = wanted;
    if (!wanted) placed(id)?.remove();
    else if (!placed(id)) add(id);
    empty.hidden = order.children.length > 0;
  }

  function told(id) {
    say(`${word(id)} is ${noun} ${[...order.children].indexOf(placed(id)) + 1} of ${order.children.length}.`);
  }

  chooser.addEventListener("change", (event) => {
    if (event.target.type === "checkbox") choose(event.target.value, event.target.checked);
  });

  chooser.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if ("all" in button.dataset || "none" in button.dataset) {
      for (const [id, box] of boxes) if (!box.closest("li").hidden) choose(id, "all" in button.dataset);
      say(`${order.children.length} chosen.`);
      return;
    }
    const item = button.closest("li");
    if ("remove" in button.dataset) {
      const next = item.nextElementSibling || item.previousElementSibling;
      choose(item.dataset.id, false);
      say(`${word(item.dataset.id)} is removed.`);
      (next?.querySelector("[data-remove]") || find).focus();
    } else if (button.dataset.move) {
      if (button.dataset.move === "1") item.nextElementSibling?.after(item);
      else item.previousElementSibling?.before(item);
      button.focus();
      told(item.dataset.id);
    }
  });

  find.addEventListener("input", () => {
    const text = find.value.trim().toLowerCase();
    for (const [id, box] of boxes) box.closest("li").hidden = !`${box.closest("li").textContent} ${id}`.toLowerCase().includes(text);
  });
  // Enter looks for nothing more; it must not send the form.
  find.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());

  let dragged = null;
  order.addEventListener("dragstart", (event) => (dragged = event.target.closest("li")));
  order.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged || !over) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    if (over !== dragged) over[event.clientY > box.top + box.height / 2 ? "after" : "before"](dragged);
  });
  order.addEventListener("drop", (event) => event.preventDefault());
  order.addEventListener("dragend", () => {
    if (dragged) told(dragged.dataset.id);
    dragged = null;
  });

  for (const id of JSON.parse(chosen)) choose(id, true);
  for (const part of chooser.querySelectorAll(".chooser-tools, .chooser-order")) part.hidden = false;
}

function enhanceAll() {
  for (const chooser of document.querySelectorAll("[data-chooser]:not([data-ready])")) enhance(chooser);
}
document.addEventListener("DOMContentLoaded", enhanceAll);
document.addEventListener("htmx:after:swap", enhanceAll);
