// Taking a file that is chosen or dropped: it is sent as it is, and its progress is shown.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("import");
  if (!form) return;
  const input = form.elements.file;
  const zone = document.getElementById("drop");
  const shown = document.getElementById("sending");
  const bar = shown.querySelector("progress");
  const said = shown.querySelector("output");
  const fault = document.getElementById("import-fault");
  const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

  function refuse(text) {
    shown.hidden = true;
    fault.hidden = false;
    fault.textContent = text;
  }

  function send(file) {
    fault.hidden = true;
    const data = new FormData(form);
    const query = new URLSearchParams({ name: file.name });
    for (const name of ["kind", "existing", "fields"]) if (data.get(name)) query.set(name, data.get(name));
    const request = new XMLHttpRequest();
    request.open("POST", `${form.action}?${query}`);
    request.setRequestHeader("x-token", data.get("token"));
    request.upload.addEventListener("progress", (event) => {
      const share = event.total ? event.loaded / event.total : 0;
      bar.value = share * 100;
      said.textContent = `${file.name}: ${number.format(event.loaded / 1e6)} of ${number.format(event.total / 1e6)} MB`;
    });
    request.addEventListener("load", () => {
      if (request.status === 201) {
        location.assign(JSON.parse(request.responseText).page);
        return;
      }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      refuse(page.querySelector("main .panel p")?.textContent || "The file was not taken.");
    });
    request.addEventListener("error", () => refuse("The file could not be sent. Is the server still there?"));
    shown.hidden = false;
    bar.value = 0;
    request.send(file);
  }

  input.addEventListener("change", () => input.files.length && send(input.files[0]));
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file) send(file);
  });
});
