// What the page can do beyond being read: tables are sorted, runs chosen, pictures laid over one another.
// Nothing is loaded, and nothing is lost where no script runs.
(() => {
  "use strict";

  const collator = new Intl.Collator("en", { numeric: true });

  // --- Tables that sort -----------------------------------------------------------------------------

  // [header cell, column] of the cells that end in the last row of the head and say what a column is.
  function headers(table) {
    const rows = [...table.tHead.rows];
    const taken = new Set();
    const found = [];
    rows.forEach((row, top) => {
      let column = 0;
      for (const cell of row.cells) {
        while (taken.has(`${top} ${column}`)) column += 1;
        const bottom = cell.rowSpan ? Math.min(top + cell.rowSpan, rows.length) : rows.length;
        for (let y = top; y < bottom; y += 1) {
          for (let x = column; x < column + cell.colSpan; x += 1) taken.add(`${y} ${x}`);
        }
        const names = cell.scope === "col" && cell.colSpan === 1 && !("nosort" in cell.dataset);
        if (names && bottom === rows.length) found.push([cell, column]);
        column += cell.colSpan;
      }
    });
    return found;
  }

  // The cell of a row that stands in a column.
  function cellAt(row, column) {
    let start = 0;
    for (const cell of row.cells) {
      start += cell.colSpan;
      if (column < start) return cell;
    }
    return undefined;
  }

  // What a cell is sorted by: a number, a text, or null where it is empty.
  function sortKey(cell) {
    const text = (cell?.dataset.value ?? cell?.textContent ?? "").trim();
    if (text === "" || text === "–") return null;
    const number = Number(text.replace("\u2212", "-").replace(/,(?=\d{3}\b)/g, ""));
    return Number.isNaN(number) ? text : number;
  }

  // Numbers stand before texts.
  function compare(one, other) {
    const numbers = [one, other].filter((key) => typeof key === "number").length;
    if (numbers === 2) return one - other;
    if (numbers === 1) return typeof one === "number" ? -1 : 1;
    return collator.compare(one, other);
  }

  function sortRows(body, column, sign) {
    const keyed = [...body.rows].map((row) => [sortKey(cellAt(row, column)), row]);
    keyed.sort(([one], [other]) => {
      if (one === null || other === null) return (one === null) - (other === null);
      return sign * compare(one, other);
    });
    body.append(...keyed.map(([, row]) => row));
  }

  function makeSortable(table) {
    for (const [header, column] of headers(table)) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const descending = header.ariaSort === "ascending";
        for (const each of table.tHead.querySelectorAll("[aria-sort]")) each.removeAttribute("aria-sort");
        header.ariaSort = descending ? "descending" : "ascending";
        for (const body of table.tBodies) sortRows(body, column, descending ? -1 : 1);
      });
    }
  }

  // --- The choice of runs ---------------------------------------------------------------------------

  function chooseRuns(choice) {
    const boxes = [...choice.querySelectorAll("input")];
    const apply = () => {
      const shown = new Map(boxes.map((box) => [box.value, box.checked]));
      for (const element of document.querySelectorAll("[data-run], [data-column]")) {
        const key = element.dataset.run ?? element.dataset.column;
        if (shown.has(key)) element.hidden = !shown.get(key);
      }
      const count = boxes.filter((box) => box.checked).length;
      choice.querySelector("[role=status]").textContent = `${count} of ${boxes.length} runs are shown.`;
      document.dispatchEvent(new Event("runschosen"));
    };
    const set = (checked) => {
      for (const box of boxes) box.checked = checked;
      apply();
    };
    for (const box of boxes) box.addEventListener("change", apply);
    choice.querySelector("[data-all]").addEventListener("click", () => set(true));
    choice.querySelector("[data-none]").addEventListener("click", () => set(false));
    apply();
  }

  // --- The grid of pictures -------------------------------------------------------------------------

  // Make each picture a button; one of them is a tab stop, the arrow keys go to the others.
  function makeGrid(table, open) {
    const buttons = [];
    for (const cell of table.querySelectorAll("td[data-column]")) {
      const image = cell.querySelector("img");
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1;
      button.title = "Compare";
      image.replaceWith(button);
      button.append(image);
      button.addEventListener("click", () => open(cell.parentElement, cell.dataset.column));
      button.addEventListener("focus", () => stopAt(button));
      buttons.push(button);
    }
    let stop = buttons[0];
    const stopAt = (button) => {
      stop.tabIndex = -1;
      stop = button;
      stop.tabIndex = 0;
    };
    const leaveHidden = () => {
      if (stop.closest("[hidden]")) stopAt(buttons.find((button) => !button.closest("[hidden]")));
    };
    stopAt(stop);
    table.setAttribute("role", "grid");
    table.setAttribute("aria-readonly", "true");
    document.addEventListener("runschosen", leaveHidden);
    table.addEventListener("keydown", (event) => {
      const cell = event.target.closest("td");
      if (!cell || event.altKey || event.metaKey) return;
      const rows = [...table.tBodies[0].rows];
      const row = rows.indexOf(cell.parentElement);
      const cells = (index) => [...rows[index].querySelectorAll("td:not([hidden])")];
      const column = cells(row).indexOf(cell);
      const last = event.ctrlKey ? rows.length - 1 : row;
      const goals = {
        ArrowLeft: [row, column - 1],
        ArrowRight: [row, column + 1],
        ArrowUp: [row - 1, column],
        ArrowDown: [row + 1, column],
        Home: [event.ctrlKey ? 0 : row, 0],
        End: [last, cells(last).length - 1],
      };
      if (!(event.key in goals)) return;
      event.preventDefault();
      const [y, x] = goals[event.key];
      if (rows[y]) cells(y)[x]?.querySelector("button").focus();
    });
  }

  // --- The viewer -----------------------------------------------------------------------------------

  function makeViewer(viewer) {
    const grid = document.getElementById(viewer.dataset.grid);
    const rows = [...grid.tBodies[0].rows];
    const columns = [...grid.tHead.querySelectorAll("[data-column]")];
    const side = Number(grid.dataset.side);
    const choices = {};
    for (const select of viewer.querySelectorAll("[data-choice]")) choices[select.dataset.choice] = select;
    const frame = viewer.querySelector(".window");
    const stage = viewer.querySelector(".stage");
    const slider = viewer.querySelector(".divider");
    const images = { right: new Image(), left: new Image() };
    const handle = document.createElement("span");
    handle.className = "handle";
    stage.append(images.right, images.left, handle);

    const label = (key) => columns.find((column) => column.dataset.column === key).textContent;
    const first = (kind) => columns.find((column) => column.dataset.kind === kind)?.dataset.column;
    const cellOf = (row, key) => [...row.cells].find((cell) => cell.dataset.column === key);

    rows.forEach((row, index) => choices.picture.add(new Option(row.cells[0].textContent, index)));
    for (const name of ["left", "right"]) {
      for (const column of columns) choices[name].add(new Option(column.textContent, column.dataset.column));
    }

    const divide = () => {
      images.left.style.clipPath = `inset(0 ${100 - slider.value}% 0 0)`;
      handle.style.left = `${slider.value}%`;
      const [left, right] = [label(choices.left.value), label(choices.right.value)];
      slider.ariaValueText = `${slider.value} % ${left}, ${100 - slider.value} % ${right}`;
    };

    const show = () => {
      const row = rows[choices.picture.value];
      for (const name of ["left", "right"]) {
        const key = choices[name].value;
        const cell = cellOf(row, key);
        images[name].src = cell.querySelector("img").src;
        images[name].alt = cell.querySelector("img").alt;
        images[name].draggable = false;
        images[name].className = name;
        const said = document.createElement("strong");
        said.textContent = label(key);
        viewer.querySelector(`[data-said=${name}]`).replaceChildren(said, ` ${cell.querySelector(".under").textContent}`);
      }
      divide();
    };

    const scrolls = () => frame.scrollWidth > frame.clientWidth;
    const fit = () => stage.classList.toggle("fits", !scrolls());

    const zoomTo = (zoom) => {
      const middle = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
      const height = (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight;
      stage.style.width = stage.style.height = `${zoom * side}px`;
      frame.scrollLeft = middle * frame.scrollWidth - frame.clientWidth / 2;
      frame.scrollTop = height * frame.scrollHeight - frame.clientHeight / 2;
      for (const button of viewer.querySelectorAll("[data-zoom]")) {
        button.ariaPressed = String(Number(button.dataset.zoom) === zoom);
      }
      fit();
    };

    const step = (by) => {
      const index = (Number(choices.picture.value) + by + rows.length) % rows.length;
      choices.picture.value = index;
      show();
      const picture = choices.picture.selectedOptions[0].text;
      viewer.querySelector("[role=status]").textContent = `Picture ${index + 1} of ${rows.length}: ${picture}`;
    };

    const open = (row, key) => {
      const photograph = first("photograph");
      choices.picture.value = rows.indexOf(row);
      choices.right.value = photograph;
      if (key !== photograph) choices.left.value = key;
      else if (choices.left.value === photograph) choices.left.value = first("run");
      show();
      frame.scrollIntoView({ block: "center" });
      slider.focus({ preventScroll: true });
    };

    const back = () => {
      const row = rows[choices.picture.value];
      const cell = cellOf(row, choices.left.value);
      const goal = cell.hidden ? row.querySelector("td:not([hidden])") : cell;
      goal.querySelector("button").focus();
    };

    // By mouse anywhere; by touch on the handle alone where the picture itself has to be scrolled.
    const drag = (event) => {
      const box = stage.getBoundingClientRect();
      const share = (100 * (event.clientX - box.left)) / box.width;
      slider.value = Math.min(100, Math.max(0, Math.round(share)));
      divide();
    };
    stage.addEventListener("pointerdown", (event) => {
      if (event.button || (event.pointerType === "touch" && scrolls() && event.target !== handle)) return;
      event.preventDefault();
      slider.focus({ preventScroll: true });
      stage.setPointerCapture(event.pointerId);
      drag(event);
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) drag(event);
    });

    addEventListener("resize", fit);
    for (const select of Object.values(choices)) select.addEventListener("change", show);
    slider.addEventListener("input", divide);
    viewer.querySelector("[data-pixels]").addEventListener("change", (event) => {
      stage.classList.toggle("pixels", event.target.checked);
    });
    for (const button of viewer.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => step(Number(button.dataset.step)));
    }
    for (const button of viewer.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => zoomTo(Number(button.dataset.zoom)));
    }
    viewer.querySelector("[data-back]").addEventListener("click", back);
    viewer.addEventListener("keydown", (event) => {
      if (event.key === "Escape") back();
    });

    choices.left.value = first("run");
    choices.right.value = first("photograph");
    makeGrid(grid, open);
    show();
    const fits = [8, 4, 2].find((zoom) => zoom * side <= Math.min(frame.clientWidth, frame.clientHeight));
    zoomTo(fits ?? 1);
  }

  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
  for (const viewer of document.querySelectorAll(".viewer")) makeViewer(viewer);
  for (const choice of document.querySelectorAll(".run-choice")) chooseRuns(choice);

  // --- Printing -------------------------------------------------------------------------------------

  // Pictures out of sight wait until the page is there, and no longer: Chromium would print blanks.
  addEventListener("load", () => {
    for (const image of document.querySelectorAll("img[loading=lazy]")) image.loading = "eager";
  });
})();
