// What pages do beyond htmx: copying, questions before deleting, telling screen readers of ends.
"use strict";

// A page in the background asks nothing.
document.addEventListener("htmx:before:request", (event) => {
  const polls = event.detail.ctx.sourceElement.hasAttribute("data-poll");
  if (polls && document.hidden) event.preventDefault();
});

function say(text) {
  document.getElementById("said").textContent = text;
}

// States of exports and imports, to tell when one has changed.
const states = new Map();
function watchStates() {
  for (const element of document.querySelectorAll("[data-watched]")) {
    const { watched, state, name } = element.dataset;
    if (states.has(watched) && states.get(watched) !== state) say(`${name}: ${state}`);
    states.set(watched, state);
  }
}
document.addEventListener("htmx:after:swap", watchStates);

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Browsers keep the clipboard from pages that come over plain HTTP from another machine.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const { copy: text, copyFrom } = button.dataset;
  await copy(text ?? (await (await fetch(copyFrom)).text()));
  say("Copied.");
  button.classList.add("said");
  const label = button.querySelector("[data-label]");
  if (label) label.textContent = "Copied";
  setTimeout(() => {
    button.classList.remove("said");
    if (label) label.textContent = "Copy";
  }, 1600);
});

// A form that cannot be undone asks first.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // A form that serves many rows has questions of several kinds; its button says which.
  const kind = event.submitter?.dataset.ends;
  const told = (name) => (kind ? form.dataset[kind + name] : form.dataset[name.toLowerCase()]);
  const question = told("Question");
  if (!question || form.dataset.sure) return;
  event.preventDefault();
  const dialog = document.getElementById("question");
  dialog.querySelector("h2").textContent = question;
  dialog.querySelector("p").textContent = told("Consequence") || "";
  dialog.querySelector("[value=yes]").textContent = told("Verb");
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.sure = "yes";
    form.requestSubmit(event.submitter);
  };
  dialog.showModal();
});

document.addEventListener("DOMContentLoaded", watchStates);
