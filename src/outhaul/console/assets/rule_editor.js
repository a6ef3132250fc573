// The rule of a dynamic segment as rows of choices. The JSON beside them is what is sent, and what
// counts: rules that are nested deeper than rows can show are edited there.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const editor = document.getElementById("editor");
  if (!editor) return;
  const text = document.getElementById("rule");
  const fields = JSON.parse(editor.dataset.fields);
  const types = JSON.parse(editor.dataset.types);
  const known = new Map(fields.map((field) => [field.id, field]));
  const WORDS = {
    equals: "is", contains: "contains", startsWith: "starts with", has: "has",
    lessThan: "less than", atMost: "at most", greaterThan: "greater than", atLeast: "at least",
    before: "before", notAfter: "not after", after: "after", notBefore: "not before",
    exists: "has a value",
  };
  let rule = { mode: "all", parts: [] };

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function choice(label, options, value, change) {
    const select = element("select", {}, ...options.map(([key, word]) => element("option", { value: key, textContent: word, selected: key === value })));
    select.setAttribute("aria-label", label);
    select.addEventListener("change", () => change(select.value));
    return select;
  }

  function entry(label, type, value, change, properties = {}) {
    const input = element("input", { type, value, ...properties });
    input.setAttribute("aria-label", label);
    input.addEventListener("input", () => change(input.value));
    return input;
  }

  // The plain form of a part that rows can show; null for any other.
  function plain(part, negated = false) {
    if (part && typeof part === "object") {
      if ("not" in part && !negated) return plain(part.not, true);
      if ("field" in part && known.has(part.field)) return { negated, field: part.field, is: part.is, value: part.value };
      if ("activity" in part) return { negated, activity: part.activity, atLeast: part.atLeast ?? 1, lastDays: part.lastDays ?? "" };
    }
    return null;
  }

  function read() {
    let given = null;
    try {
      given = text.value.trim() ? JSON.parse(text.value) : { all: [{ field: "_email", is: "exists", value: true }] };
    } catch {
      return null;
    }
    const mode = given && ("all" in given ? "all" : "any" in given ? "any" : null);
    const parts = mode ? given[mode] : [given];
    if (!Array.isArray(parts)) return null;
    const shown = parts.map((part) => plain(part));
    return shown.includes(null) ? null : { mode: mode || "all", parts: shown };
  }

  function value(part) {
    const field = known.get(part.field);
    if (part.is === "exists") return part.value !== false;
    if (part.value && typeof part.value === "object") return { daysAgo: Number(part.value.daysAgo) };
    if (["integer", "decimal", "money"].includes(field.type)) return part.value === "" ? "" : Number(part.value);
    if (field.type === "boolean") return part.value === true || part.value === "true";
    return part.value ?? "";
  }

  function write() {
    const parts = rule.parts.map((part) => {
      const made = part.field !== undefined
        ? { field: part.field, is: part.is, value: value(part) }
        : { activity: part.activity, atLeast: Number(part.atLeast) || 1, ...(part.lastDays ? { lastDays: Number(part.lastDays) } : {}) };
      return part.negated ? { not: made } : made;
    });
    text.value = JSON.stringify({ [rule.mode]: parts }, null, 2);
  }

  function changed(redraw) {
    write();
    if (redraw) draw();
  }

  function values(part) {
    const field = known.get(part.field);
    const set = (given) => {
      part.value = given;
      changed(false);
    };
    if (part.is === "exists") return [];
    if (field.type === "boolean") return [choice("Value", [["true", "yes"], ["false", "no"]], String(part.value), set)];
    if (field.options.length) return [choice("Value", field.options.map((id) => [id, id]), part.value, set)];
    if (["date", "instant"].includes(field.type)) {
      const ago = part.value && typeof part.value === "object";
      const kind = choice("Kind of date", [["day", "the day"], ["ago", "days ago"]], ago ? "ago" : "day", (chosen) => {
        part.value = chosen === "ago" ? { daysAgo: 30 } : new Date().toISOString().slice(0, 10);
        changed(true);
      });
      if (ago) return [entry("Days ago", "number", part.value.daysAgo, (given) => set({ daysAgo: given })), kind];
      return [kind, entry("Day", "date", String(part.value ?? "").slice(0, 10), set)];
    }
    const number = ["integer", "decimal", "money"].includes(field.type);
    return [entry("Value", number ? "number" : "text", part.value ?? "", set, number ? { step: "any" } : {})];
  }

  function reset(part, key) {
    for (const name of ["field", "is", "value", "activity", "atLeast", "lastDays"]) delete part[name];
    if (key.startsWith("did:")) Object.assign(part, { activity: key.slice(4), atLeast: 1, lastDays: 30 });
    else {
      const field = known.get(key);
      Object.assign(part, { field: key, is: field.is[0], value: first(field, field.is[0]) });
    }
  }

  function first(field, is) {
    if (is === "exists" || field.type === "boolean") return true;
    if (field.options.length) return field.options[0];
    if (["date", "instant"].includes(field.type)) return { daysAgo: 30 };
    return "";
  }

  function row(part, index) {
    const what = element("select", {});
    what.setAttribute("aria-label", `Condition ${index + 1}`);
    const own = element("optgroup", { label: "Fields" }, ...fields.map((field) => element("option", { value: field.id, textContent: field.name, selected: field.id === part.field })));
    const did = element("optgroup", { label: "Did" }, ...types.map((type) => element("option", { value: `did:${type}`, textContent: `did ${type}`, selected: type === part.activity })));
    what.append(own, did);
    what.addEventListener("change", () => {
      reset(part, what.value);
      changed(true);
    });
    const negated = choice("Holds or not", [["", "must"], ["not", "must not"]], part.negated ? "not" : "", (chosen) => {
      part.negated = chosen === "not";
      changed(false);
    });
    const middle = part.field !== undefined
      ? [
          choice("Comparison", known.get(part.field).is.map((is) => [is, WORDS[is]]), part.is, (is) => {
            const before = [part.is, is].includes("exists");
            part.is = is;
            if (before) part.value = first(known.get(part.field), is);
            changed(true);
          }),
          ...values(part),
        ]
      : [
          element("span", { textContent: "at least" }),
          entry("Times", "number", part.atLeast, (given) => { part.atLeast = given; changed(false); }, { min: 1 }),
          element("span", { textContent: "times in the last" }),
          entry("Days; empty: ever", "number", part.lastDays, (given) => { part.lastDays = given; changed(false); }, { min: 1, placeholder: "all" }),
          element("span", { textContent: "days" }),
        ];
    const remove = element("button", { type: "button", className: "button small", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove condition ${index + 1}`);
    remove.addEventListener("click", () => {
      rule.parts.splice(index, 1);
      changed(true);
      (editor.querySelectorAll("select")[1] || add).focus();
    });
    return element("li", {}, negated, what, ...middle, remove);
  }

  const add = element("button", { type: "button", className: "button small", textContent: "Add a condition" });
  add.addEventListener("click", () => {
    const part = { negated: false };
    reset(part, "_email");
    rule.parts.push(part);
    changed(true);
    const rows = editor.querySelectorAll("li");
    rows[rows.length - 1].querySelectorAll("select")[1].focus();
  });

  function draw() {
    const focused = [...editor.querySelectorAll("select, input, button")].indexOf(document.activeElement);
    const mode = choice("How conditions go together", [["all", "all of these"], ["any", "any of these"]], rule.mode, (chosen) => {
      rule.mode = chosen;
      changed(false);
    });
    editor.replaceChildren(
      element("div", { className: "rule-mode" }, element("span", { textContent: "Contacts for whom" }), mode, element("span", { textContent: "hold:" })),
      element("ol", { className: "rule-parts" }, ...rule.parts.map(row)),
      add,
    );
    if (focused >= 0) editor.querySelectorAll("select, input, button")[focused]?.focus();
  }

  function load() {
    const shown = read();
    editor.hidden = shown === null;
    if (shown === null) document.getElementById("as-json").open = true;
    else {
      rule = shown;
      if (!text.value.trim()) write();
      draw();
    }
  }

  text.addEventListener("change", load);
  load();
});
