// Sends pictures to the program that serves the page, and shows them before and after. Most words are in the page.
(() => {
  "use strict";

  const { body } = document;
  const find = (name) => document.querySelector(`[data-${name}]`);
  const [panel, stage, frame, form] = ["panel", "stage", "window", "settings"].map(find);
  const [divider, fault, before, after] = ["divider", "fault", "before", "after"].map(find);
  const [queue, template, all] = ["queue", "item", "all"].map(find);
  const input = document.getElementById("file");
  const [run, saturation, vivid] = ["run", "saturation", "vivid"].map((id) => document.getElementById(id));
  const PAUSE = 200; // Milliseconds that settings rest before pictures follow them.

  // The pictures. Of each: file, name; query, the settings that `answer` or `fault` is of; addresses, of what
  // is shown; own, of the file itself; row, its place in the queue.
  const items = [];
  let current = null;
  let working = null; // The item that is being colorized, and what stops it.
  let resting = 0;
  let notice = ""; // Of files that were not taken.
  const plain = new Set(); // The networks without color classes, as far as they were tried.

  // --- Words ------------------------------------------------------------------------------------------

  function size(bytes) {
    return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }

  function renderFault() {
    const failed = current?.query === settings() ? current.fault ?? "" : "";
    const text = notice || failed;
    const isNew = text && fault.querySelector("span").textContent !== text;
    fault.querySelector("span").textContent = text;
    fault.hidden = !text;
    find("again").hidden = Boolean(notice) || !failed;
    if (isNew) fault.scrollIntoView({ block: "nearest" });
  }

  // What the colorized file is called: as the picture, but for a word behind its name.
  function resultName(name, suffix) {
    const [whole, stem, own] = /^(.*?)(\.[^.]*)?$/s.exec(name || "picture");
    const kept = { ".jpeg": ".jpg", ".jpe": ".jpg", ".tiff": ".tif" }[own?.toLowerCase()] ?? own?.toLowerCase();
    return `${stem || whole}-colorized${kept === suffix ? own : suffix}`;
  }

  // --- The settings -----------------------------------------------------------------------------------

  function settings() {
    const query = new URLSearchParams({
      run: run.value,
      saturation: saturation.value,
      vivid: vivid.disabled ? 0 : vivid.value,
    });
    for (const box of form.querySelectorAll("[type=checkbox]")) query.set(box.name, Number(box.checked));
    return String(query);
  }

  function describe() {
    find("saturation").textContent = Number(saturation.value).toFixed(1);
    find("vivid").textContent = Number(vivid.value).toFixed(1);
    vivid.disabled = plain.has(run.value);
    find("plain").hidden = !vivid.disabled;
    document.getElementById("slow").hidden = !("slow" in run.selectedOptions[0].dataset);
  }

  // Pictures follow the settings: what was made with other ones is made again.
  function changed() {
    describe();
    if (working && working.query !== settings()) working.stop.abort();
    render();
    clearTimeout(resting);
    resting = setTimeout(work, PAUSE);
  }

  // --- Pictures come in -------------------------------------------------------------------------------

  function take(files) {
    const most = Number(body.dataset.mostBytes);
    const refused = [];
    const added = [];
    for (const file of files) {
      if (file.size > most) refused.push(`${file.name} has ${size(file.size)}; up to ${body.dataset.mostMegabytes} MB are taken.`);
      else added.push(add(file));
    }
    if (!files.length) refused.push("That was no file. Save the picture first, and drop or choose it then.");
    notice = refused.join(" ");
    if (added.length) select(added[0]);
    else render();
  }

  function add(file) {
    const item = { file, name: file.name || "picture", own: URL.createObjectURL(file), addresses: [] };
    item.row = template.content.firstElementChild.cloneNode(true);
    item.row.querySelector("button").addEventListener("click", () => select(item));
    item.row.querySelector("[data-remove]").addEventListener("click", () => remove(item));
    queue.append(item.row);
    items.push(item);
    return item;
  }

  function remove(item) {
    if (working?.item === item) working.stop.abort();
    const place = items.indexOf(item);
    items.splice(place, 1);
    item.row.remove();
    free(item);
    URL.revokeObjectURL(item.own);
    if (current === item) select(items[Math.min(place, items.length - 1)] ?? null);
    else render();
  }

  function free(item) {
    item.addresses.forEach((address) => URL.revokeObjectURL(address));
    item.addresses = [];
  }

  // --- The queue --------------------------------------------------------------------------------------

  const needs = (item) => item && item.query !== settings();

  // Colorize what has to be: first the picture that is shown, then the others, one at a time.
  async function work() {
    if (working) return;
    const item = needs(current) ? current : items.find(needs);
    if (!item) {
      render();
      return;
    }
    const own = { item, query: settings(), stop: new AbortController(), begun: performance.now() };
    working = own;
    const ticking = setInterval(renderProgress, 1000);
    render();
    try {
      const parts = await ask(own.query, item.file, own.stop.signal);
      if (!own.stop.signal.aborted) keep(item, own.query, parts);
    } catch (error) {
      if (!own.stop.signal.aborted) Object.assign(item, { query: own.query, answer: null, fault: error.message });
    } finally {
      clearInterval(ticking);
      working = null;
    }
    if (item === current) showCurrent();
    work();
  }

  function stop() {
    clearTimeout(resting);
    const query = settings();
    for (const item of items.filter(needs)) Object.assign(item, { query, answer: item.answer ?? null });
    working?.stop.abort();
    render();
  }

  // The parts of the answer; throws an Error with words for people.
  async function ask(query, file, signal) {
    const content = await file.arrayBuffer().catch(() => {
      throw new Error(`${file.name} cannot be read. Is it a folder, or was it changed?`);
    });
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

  function keep(item, query, parts) {
    const about = JSON.parse(parts.get("about"));
    free(item);
    const [shown, colorized, picture] = ["before", "after", "picture"].map((name) => {
      const address = URL.createObjectURL(parts.get(name));
      item.addresses.push(address);
      return address;
    });
    const result = { about, before: shown, after: colorized, address: picture, picture: parts.get("picture") };
    Object.assign(item, { query, answer: result, fault: "", result: resultName(item.name, about.suffix) });
    if (!about.has_vivid) plain.add(about.run);
    describe();
    // Of a network without color classes the vividness is no setting any more.
    if (!about.has_vivid) for (const each of items.filter((other) => other.query === query)) each.query = settings();
  }

  // --- What is shown ----------------------------------------------------------------------------------

  function select(item) {
    current = item;
    showCurrent();
    work();
  }

  async function showCurrent() {
    const item = current;
    if (item?.answer) {
      [before.src, after.src] = [item.answer.before, item.answer.after];
      reshape(item.answer.about.width, item.answer.about.height);
    } else if (item) {
      before.src = item.own;
      item.shows = await before.decode().then(() => true, () => false);
      if (item !== current) return;
      reshape(before.naturalWidth, before.naturalHeight);
    }
    render();
  }

  function reshape(width, height) {
    stage.style.setProperty("--ratio", width / height || 1.5);
  }

  function state(item) {
    if (!item) return "empty";
    if (item.answer) return "done";
    return item.shows ? "chosen" : "unshown";
  }

  function render() {
    panel.dataset.state = state(current);
    const stale = needs(current) && !current.fault;
    stage.classList.toggle("working", Boolean(current?.answer && stale));
    before.style.clipPath = "";
    renderFault();
    find("name").textContent = current ? `${current.name}, ${size(current.file.size)}` : "";
    find("choose").textContent = items.length ? "Add photographs" : "Choose photographs";
    renderResult(stale);
    renderProgress();
    renderQueue();
    if (panel.dataset.state === "done") divide();
  }

  function renderResult(stale) {
    const answer = current?.answer;
    find("result").hidden = !answer;
    const download = find("download");
    if (stale || !answer) download.removeAttribute("href");
    for (const name of ["copy", "download"]) find(name).classList.toggle("waits", Boolean(stale));
    if (!answer) return;
    if (!stale) download.href = answer.address;
    download.download = current.result;
    const { width, height, format, notes, trained_on: trained } = answer.about;
    const pixels = `${width.toLocaleString("en")}×${height.toLocaleString("en")} pixels`;
    find("about").textContent = `${current.result}, ${format}, ${pixels}, ${size(answer.picture.size)}`;
    find("notes").replaceChildren(...notes.map(listed));
    find("trained").textContent = trained.join(" ");
  }

  function listed(note) {
    const item = document.createElement("li");
    item.textContent = note[0].toUpperCase() + note.slice(1);
    return item;
  }

  function renderProgress() {
    find("working").hidden = !working;
    if (!working) return;
    const seconds = Math.round((performance.now() - working.begun) / 1000);
    const left = items.filter(needs).length;
    const which = left > 1 ? `, ${left} photographs left` : "";
    find("said").textContent = `Colorizing …${seconds ? ` ${seconds} s` : ""}${which}`;
  }

  function renderQueue() {
    find("queue-part").hidden = items.length < 2;
    for (const item of items) {
      const { row } = item;
      row.querySelector("img").src = item.answer?.after ?? item.own;
      row.querySelector("[data-called]").textContent = item.name;
      const words = item.fault ? "failed" : needs(item) ? "waiting" : item.answer ? "done" : "stopped";
      row.querySelector("[data-state-of]").textContent = working?.item === item ? "working" : words;
      row.querySelector("button").setAttribute("aria-current", String(item === current));
      row.querySelector("[data-remove]").setAttribute("aria-label", `Remove ${item.name}`);
    }
    const done = items.filter((item) => item.answer && !needs(item));
    all.disabled = !done.length || items.some(needs);
    all.textContent = `Download ${done.length} as ZIP`;
  }

  // --- Before and after -------------------------------------------------------------------------------

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

  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      const zoom = Number(button.dataset.zoom); // Of the preview; 0 fits the window.
      for (const each of document.querySelectorAll("[data-zoom]")) each.ariaPressed = String(each === button);
      frame.classList.toggle("zoomed", zoom > 0);
      stage.style.width = zoom ? `${zoom * after.naturalWidth}px` : "";
    });
  }

  // --- Results leave ----------------------------------------------------------------------------------

  function save(content, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  all.addEventListener("click", async () => {
    const names = new Set();
    const files = items.filter((item) => item.answer && !needs(item)).map((item) => {
      const [, stem, suffix] = /^(.*?)(\.[^.]*)$/s.exec(item.result);
      let name = item.result;
      for (let number = 2; names.has(name); number += 1) name = `${stem}-${number}${suffix}`;
      names.add(name);
      return { name, content: item.answer.picture };
    });
    save(await window.zipFiles(files), "colorized.zip");
  });

  async function copy() {
    // Clipboards take PNG alone. What the browser cannot read is copied as it is shown.
    const { picture, after: shown } = current.answer;
    const source = await createImageBitmap(picture).catch(() => fetch(shown).then((got) => got.blob()).then(createImageBitmap));
    const canvas = new OffscreenCanvas(source.width, source.height);
    canvas.getContext("2d").drawImage(source, 0, 0);
    await navigator.clipboard.write([new ClipboardItem({ "image/png": canvas.convertToBlob({ type: "image/png" }) })]);
  }

  find("copy").hidden = !navigator.clipboard?.write;
  find("copy").addEventListener("click", () => {
    if (!current?.answer || needs(current)) return;
    copy().then(
      () => { find("copied").textContent = "Copied."; },
      () => { find("copied").textContent = "The browser did not allow it."; },
    );
  });
  find("download").addEventListener("click", (event) => {
    if (!event.currentTarget.href) event.preventDefault();
  });

  // --- Events -----------------------------------------------------------------------------------------

  input.addEventListener("change", () => {
    if (input.files.length > 0) take([...input.files]);
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
    take([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length > 0) take([...event.clipboardData.files]);
  });
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", async () => {
      const response = await fetch(button.dataset.example);
      take([new File([await response.blob()], button.dataset.called)]);
    });
  }
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  find("stop").addEventListener("click", stop);
  find("again").addEventListener("click", () => {
    current.query = null;
    work();
  });
  describe(); // A browser that comes back to the page may have kept what was chosen.
  render();
})();
