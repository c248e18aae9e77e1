// A participant's page: asks the server what is next, shows it, and sends the answer. The words are in the page.
(() => {
  "use strict";

  // Where an answer waits until the server has it, so that a reload does not lose it.
  const KEPT = "deepcolor-study-answer";
  // Milliseconds: of gray before a picture, to wait for the server, between attempts, and half a frame.
  const GRAY = 500;
  const PATIENCE = 15000;
  const [FIRST_WAIT, LONGEST_WAIT] = [1000, 30000];
  const HALF_FRAME = 8;

  // Whoever begins or withdraws leaves no answer behind that would be sent in the next person's name.
  for (const form of document.querySelectorAll("form[data-forgets]")) {
    form.addEventListener("submit", () => sessionStorage.removeItem(KEPT));
  }
  const page = document.querySelector("[data-take]");
  if (!page) return;

  const { prefix, protocol, thing } = page.dataset;
  const find = (name) => page.querySelector(`[data-${name}]`);
  const [asking, dialog, feedback, stage] = ["asking", "dialog", "feedback", "stage"].map(find);
  const answers = [...asking.querySelectorAll("button")];
  const groups = [...asking.querySelectorAll("[data-group]")];

  let accept = null; // Takes an answer while one is asked for.
  let disturb = () => {}; // Breaks off a picture that is shown for a time.
  let proceed = null; // Leaves a page of words, or a verdict.

  // --- Waiting --------------------------------------------------------------------------------------

  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const happens = (target, name) =>
    new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
  const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

  // Nobody looks at a page that is behind another one, or behind the question about withdrawing.
  async function attention() {
    while (document.hidden || dialog.open) {
      await Promise.race([happens(document, "visibilitychange"), happens(dialog, "close")]);
    }
  }

  function say(text) {
    if (find("said").textContent !== text) find("said").textContent = text;
  }

  // Try until it works, with growing pauses, and at once when the connection is back.
  async function persist(attempt, words) {
    for (let pause = FIRST_WAIT; ; pause = Math.min(2 * pause, LONGEST_WAIT)) {
      try {
        const found = await attempt();
        say("");
        return found;
      } catch {
        say(words);
        await Promise.race([wait(pause), happens(window, "online")]);
      }
    }
  }

  // --- The server -----------------------------------------------------------------------------------

  // [status, content]; throws where another attempt may help.
  async function ask(path, body) {
    const response = await fetch(prefix + path, {
      method: body ? "POST" : "GET",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    const { status } = response;
    if (status >= 500 || status === 408 || status === 429) throw new Error(`status ${status}`);
    // A page in place of data is none of the server's: a hotel's log-in page, for instance.
    return [status, status === 200 || status === 409 ? await response.json() : null];
  }

  // What the server says; where there is no going on, a page says so and this never returns.
  async function told(path, body) {
    const kept = body ? " Your answer is kept, and will be sent as soon as it is back." : "";
    const words = `There is no connection to the study. Trying again.${kept}`;
    const [status, content] = await persist(() => ask(path, body), words);
    sessionStorage.removeItem(KEPT);
    if (content) return content;
    turn(status === 401 ? "forgotten" : "fault");
    return new Promise(() => {});
  }

  function send(answer) {
    sessionStorage.setItem(KEPT, JSON.stringify(answer));
    return told("/answer", answer);
  }

  async function begin() {
    const kept = sessionStorage.getItem(KEPT);
    return kept ? (await send(JSON.parse(kept))).state : told("/state");
  }

  // --- Pictures -------------------------------------------------------------------------------------

  const loaded = new Map();

  // A picture, loaded and decoded; loaded once, unless that fails.
  function load(source) {
    if (!loaded.has(source)) {
      const image = new Image();
      image.src = source;
      image.draggable = false;
      const decoded = image.decode().then(() => image);
      decoded.catch(() => loaded.delete(source));
      loaded.set(source, decoded);
    }
    return loaded.get(source);
  }

  async function pictures(state) {
    const sources = state.trial.pictures.map((picture) => picture.src);
    for (const source of loaded.keys()) if (!sources.includes(source)) loaded.delete(source);
    const all = () => Promise.all(sources.map(load));
    const images = await persist(all, "A picture does not load. Trying again.");
    images.forEach((image, place) => {
      const side = images.length === 2 ? ["Left picture", "Right picture"][place] : "Picture";
      image.alt = `${side} to be judged`;
    });
    state.next.forEach(load);
    return images;
  }

  // Show pictures after a pause of gray, for a time in seconds or, if that is 0, on and on. Returns when they
  // appeared, in milliseconds. Who looked away while the time ran is shown them again.
  async function show(images, seconds) {
    stage.style.setProperty("--side", `${images[0].naturalWidth}px`);
    find("pictures").replaceChildren(...images);
    for (;;) {
      stage.dataset.shows = "fixation";
      await attention();
      await wait(GRAY);
      await attention();
      const shown = await frame();
      stage.dataset.shows = "pictures";
      if (!seconds) return shown;
      const whole = await lasts(shown, 1000 * seconds);
      stage.dataset.shows = "nothing";
      if (whole) return shown;
    }
  }

  // Whether a time since a frame has passed undisturbed, at the frame that is nearest to its end.
  function lasts(since, time) {
    return new Promise((resolve) => {
      disturb = () => resolve(false);
      const look = (now) => {
        if (now - since >= time - HALF_FRAME) resolve(true);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }).finally(() => (disturb = () => {}));
  }

  // --- Answers --------------------------------------------------------------------------------------

  const pressed = (group) => group.querySelector("[aria-pressed=true]");

  function press(group, button) {
    for (const each of group.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
  }

  function enable(live) {
    for (const button of answers) button.setAttribute("aria-disabled", String(!live));
  }

  // The answer, and when it was given, in milliseconds.
  function asked() {
    enable(true);
    return new Promise((resolve) => (accept = resolve));
  }

  function choose(button, at) {
    if (!accept) return;
    press(button.closest("[data-group]"), button);
    const chosen = groups.map(pressed);
    if (chosen.includes(null)) return;
    const grades = () => chosen.map((each, place) => [groups[place].dataset.group, Number(each.value)]);
    const answer = protocol === "rating" ? Object.fromEntries(grades()) : button.value;
    const give = accept;
    accept = null; // A second click comes too late.
    enable(false);
    give({ answer, at });
  }

  for (const button of answers) {
    button.addEventListener("click", (event) => choose(button, event.timeStamp));
  }

  // --- Pages ----------------------------------------------------------------------------------------

  function turn(name) {
    for (const screen of page.querySelectorAll("[data-screen]")) screen.hidden = screen.dataset.screen !== name;
    page.querySelector(`[data-screen=${name}] h2`)?.focus();
    if (name !== "trial") scrollTo(0, 0);
  }

  function left() {
    return new Promise((resolve) => (proceed = resolve)).then(() => (proceed = null));
  }

  // The page of words before a trial, if there is one.
  function words({ trial, rest, practice, answered }, first) {
    if (first && answered === 0) return "intro";
    if (practice > 0 && trial.position === practice) return "ready";
    if (rest) return "rest";
    return first ? "back" : null;
  }

  function count({ phase, answered, total }) {
    const place = `${Math.min(answered + 1, total)} of ${total}`;
    const text = phase === "practice" ? `Practice: ${place}` : `${thing} ${place}`;
    find("count").textContent = phase === "done" ? `All ${total} answered` : text;
    find("progress").max = total;
    find("progress").value = answered;
    return text;
  }

  function tell({ right, was }) {
    const truth = {
      real: "These are the photograph’s real colors.",
      colorized: "A computer has put in these colors.",
      left: "The left one has its real colors.",
      right: "The right one has its real colors.",
    };
    find("verdict").textContent = `${right ? "✓ Right." : "✗ Not this time."} ${truth[was]}`;
    find("live").textContent = find("verdict").textContent;
    stage.dataset.shows = "pictures";
    [asking.inert, feedback.hidden] = [true, false];
    find("next").focus();
    return left().then(() => ([asking.inert, feedback.hidden] = [false, true]));
  }

  // Show what is next, and return what the server says to the answer.
  async function take(state) {
    for (const group of groups) press(group, null);
    turn("trial");
    if (!asking.contains(document.activeElement)) asking.focus({ preventScroll: true });
    stage.dataset.shows = "fixation";
    find("live").textContent = count(state);
    const shown = await show(await pictures(state), state.seconds);
    const { answer, at } = await asked();
    const seconds = Math.max(0, Math.round(at - shown) / 1000);
    // The pictures, too: in another window of this browser somebody else may have begun.
    const sources = state.trial.pictures.map((picture) => picture.src);
    return send({ position: state.trial.position, answer, seconds, pictures: sources });
  }

  function describe({ practice, seconds, rest, trial, answered, total }) {
    const some = practice === 1 ? thing.toLowerCase() : `${practice} ${thing.toLowerCase()}s`;
    const check = protocol === "rating" ? "" : ", and you are told each time whether you were right";
    find("practice").textContent = practice ? `The first ${some} are for practice${check}.` : "";
    find("rest").textContent = rest && trial ? `${answered} of ${total} are done.` : "";
    for (const [name, hidden] of [["timed", !seconds], ["untimed", seconds > 0]]) {
      if (find(name)) find(name).hidden = hidden;
    }
  }

  async function run() {
    let state = await begin();
    for (let first = true; state.phase !== "done"; first = false) {
      const name = words(state, first);
      describe(state);
      count(state);
      state.trial.pictures.forEach((picture) => load(picture.src));
      if (name) {
        turn(name);
        await left();
      }
      const { state: after, feedback: verdict } = await take(state);
      if (verdict) await tell(verdict);
      state = after;
    }
    count(state);
    const result = state.result && `You told ${state.result.right} of ${state.result.of} right. Guessing gives half.`;
    find("result").textContent = result ?? "Your grades help to learn which colors people find natural.";
    find("withdraw").textContent = "Withdraw";
    turn("done");
  }

  // --- Keys, and what else happens on the page -------------------------------------------------------

  document.addEventListener("keydown", (event) => {
    const goes = event.key === "Enter" || event.key === " ";
    if (goes && event.repeat) event.preventDefault(); // A key held down is one answer.
    if (event.repeat || event.altKey || event.ctrlKey || event.metaKey || dialog.open) return;
    if (goes && proceed && !event.target.closest("button, a")) {
      event.preventDefault();
      proceed();
    } else if (accept && event.key === "Backspace") {
      groups.forEach((group) => press(group, null));
    } else if (accept) {
      const group = groups.find((each) => !pressed(each));
      const keyed = (button) => button.dataset.keys.split(" ").includes(event.key.toLowerCase());
      const button = [...group.querySelectorAll("button")].find(keyed);
      if (button) event.preventDefault();
      if (button) choose(button, event.timeStamp);
    }
  });
  for (const button of page.querySelectorAll("[data-go], [data-next]")) {
    button.addEventListener("click", () => proceed?.());
  }
  for (const name of ["contextmenu", "dragstart"]) {
    stage.addEventListener(name, (event) => event.preventDefault());
  }
  document.addEventListener("visibilitychange", () => document.hidden && disturb());
  find("withdraw").addEventListener("click", () => {
    disturb();
    dialog.showModal();
  });
  find("stay").addEventListener("click", () => dialog.close());

  run();
})();
