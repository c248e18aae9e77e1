// Sends a picture to the program that serves the page, and shows it before and after. The words are in the page.
(() => {
  "use strict";

  const { body } = document;
  const find = (name) => document.querySelector(`[data-${name}]`);
  const [panel, stage, form, divider, fault] = ["panel", "stage", "settings", "divider", "fault"].map(find);
  const [before, after, cancel, download] = ["before", "after", "cancel", "download"].map(find);
  const input = document.getElementById("file");
  const run = document.getElementById("run");
  const saturation = document.getElementById("saturation");
  const vivid = document.getElementById("vivid");

  let file = null; // The picture that was chosen.
  let work = null; // What stops the one that is being colorized.
  let addresses = []; // Of what is shown, to be freed.
  const plain = new Set(); // The networks without color classes, as far as they were tried.

  // --- What is said ---------------------------------------------------------------------------------

  function refuse(text) {
    fault.textContent = text;
    fault.hidden = !text;
    if (text) fault.scrollIntoView({ block: "nearest" });
  }

  function say(text) {
    find("said").textContent = text;
  }

  function size(bytes) {
    return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }

  // --- The picture ----------------------------------------------------------------------------------

  function address(content) {
    const made = URL.createObjectURL(content);
    addresses.push(made);
    return made;
  }

  function free() {
    addresses.forEach((each) => URL.revokeObjectURL(each));
    addresses = [];
  }

  function reshape(width, height) {
    stage.style.setProperty("--ratio", width / height || 1.5);
  }

  // Take a picture, and show it as it is where the browser can.
  async function choose(chosen) {
    if (chosen.size > Number(body.dataset.mostBytes)) {
      refuse(`${chosen.name} has ${size(chosen.size)}; up to ${body.dataset.mostMegabytes} MB are taken.`);
      return;
    }
    work?.abort();
    refuse("");
    say("");
    free();
    file = chosen;
    find("result").hidden = true;
    find("choose").textContent = "Choose another";
    find("file").textContent = `${chosen.name}, ${size(chosen.size)}`;
    before.style.clipPath = "";
    before.src = address(chosen);
    const shown = await before.decode().then(() => true, () => false);
    if (file !== chosen) return;
    reshape(before.naturalWidth, before.naturalHeight);
    panel.dataset.state = shown ? "chosen" : "unshown";
  }

  function take(files) {
    if (files.length > 0) choose(files[0]);
    else refuse("That was no file. Save the picture first, and drop or choose it then.");
  }

  input.addEventListener("change", () => {
    if (input.files.length > 0) take(input.files);
    input.value = ""; // So that the same file can be chosen again.
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    panel.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) panel.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    panel.classList.remove("over");
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length > 0) take(event.clipboardData.files);
  });

  // --- The server -----------------------------------------------------------------------------------

  // The parts of the answer; throws an Error with words for people.
  async function ask(query, content, signal) {
    const words = "The program that serves this page does not answer. Is it still running?";
    const response = await fetch(`/colorize?${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: content,
      signal,
    }).catch((error) => {
      throw signal.aborted ? error : new Error(words);
    });
    if (response.ok) return response.formData();
    const told = await response.json().catch(() => ({}));
    throw new Error(told.error ?? `Something went wrong (${response.status}).`);
  }

  async function colorize() {
    const content = await file.arrayBuffer().catch(() => {
      throw new Error(`${file.name} cannot be read. Is it a folder, or was it changed?`);
    });
    const query = new URLSearchParams({
      run: run.value,
      saturation: saturation.value,
      vivid: vivid.disabled ? 0 : vivid.value,
    });
    for (const box of form.querySelectorAll("[type=checkbox]")) query.set(box.name, Number(box.checked));
    return ask(query, content, work.signal);
  }

  async function go() {
    if (!file) {
      refuse("Choose a picture first.");
      return;
    }
    if (work) return;
    const own = new AbortController();
    work = own;
    const begun = performance.now();
    const tell = () => say(`Colorizing … ${Math.round((performance.now() - begun) / 1000)} s`);
    const ticking = setInterval(tell, 1000);
    refuse("");
    busy(true);
    try {
      const parts = await colorize();
      if (!own.signal.aborted) show(parts, (performance.now() - begun) / 1000);
    } catch (error) {
      say("");
      if (!own.signal.aborted) refuse(error.message);
    } finally {
      clearInterval(ticking);
      work = null;
      busy(false);
    }
  }

  function busy(working) {
    if (working) say("Colorizing …");
    find("progress").hidden = cancel.hidden = !working;
    stage.classList.toggle("working", working);
    find("go").setAttribute("aria-disabled", String(working));
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });
  cancel.addEventListener("click", () => {
    work?.abort();
    find("go").focus();
  });

  // --- Before and after -----------------------------------------------------------------------------

  function show(parts, seconds) {
    const about = JSON.parse(parts.get("about"));
    const picture = parts.get("picture");
    free();
    [before.src, after.src] = ["before", "after"].map((name) => address(parts.get(name)));
    reshape(about.width, about.height);
    panel.dataset.state = "done";
    divide();
    download.href = address(picture);
    download.download = name(about.suffix);
    const pixels = `${about.width.toLocaleString("en")}×${about.height.toLocaleString("en")} pixels`;
    find("about").textContent = `${download.download}, ${about.format}, ${pixels}, ${size(picture.size)}`;
    find("notes").replaceChildren(...about.notes.map(listed));
    find("trained").textContent = about.trained_on.join(" ");
    if (!about.has_vivid) plain.add(about.run);
    describe();
    find("result").hidden = false;
    say(`Done in ${seconds.toFixed(1)} s. Slide to compare.`);
    divider.focus({ preventScroll: true });
    if (panel.getBoundingClientRect().top < 0) panel.scrollIntoView();
  }

  // What the colorized file is called: as the picture, but for a word behind its name.
  function name(suffix) {
    const [whole, stem, own] = /^(.*?)(\.[^.]*)?$/s.exec(file.name || "picture");
    const kept = { ".jpeg": ".jpg", ".jpe": ".jpg", ".tiff": ".tif" }[own?.toLowerCase()] ?? own?.toLowerCase();
    return `${stem || whole}-colorized${kept === suffix ? own : suffix}`;
  }

  function listed(note) {
    const item = document.createElement("li");
    item.textContent = note[0].toUpperCase() + note.slice(1);
    return item;
  }

  function divide() {
    const share = Number(divider.value);
    before.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    stage.querySelector(".handle").style.left = `${share}%`;
    divider.ariaValueText = `${share} % before, ${100 - share} % after`;
  }

  function drag(event) {
    const box = stage.getBoundingClientRect();
    divider.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    divide();
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || panel.dataset.state !== "done") return;
    event.preventDefault();
    divider.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    drag(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) drag(event);
  });
  divider.addEventListener("input", divide);

  // --- Settings -------------------------------------------------------------------------------------

  function describe() {
    find("saturation").textContent = Number(saturation.value).toFixed(1);
    find("vivid").textContent = Number(vivid.value).toFixed(1);
    vivid.disabled = plain.has(run.value);
    find("plain").hidden = !vivid.disabled;
    document.getElementById("slow").hidden = !("slow" in run.selectedOptions[0].dataset);
  }

  saturation.addEventListener("input", describe);
  vivid.addEventListener("input", describe);
  run.addEventListener("change", describe);
  describe(); // A browser that comes back to the page may have kept what was chosen.
})();
