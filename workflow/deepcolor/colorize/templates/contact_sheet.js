// Sorts the pairs of the page, and hides those that a text does not fit. Without it they are sorted by name.
(() => {
  "use strict";

  // Photographs of which all pictures are loaded once the page is there, so that they can be printed.
  const MOST_LOADED = 1000;

  const sheet = document.querySelector(".sheet");
  const [order, filter] = ["order", "filter"].map((id) => document.getElementById(id));
  const status = document.querySelector("[role=status]");
  const none = document.querySelector(".none");

  // Without case and accents, which file names write in two ways.
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  const items = [...sheet.children].map((element, place) => ({
    element,
    place,
    colorfulness: Number(element.dataset.colorfulness),
    text: plain(element.dataset.text),
  }));

  const orders = {
    name: (one, other) => one.place - other.place,
    "name-down": (one, other) => other.place - one.place,
    least: (one, other) => one.colorfulness - other.colorfulness || one.place - other.place,
    most: (one, other) => other.colorfulness - one.colorfulness || one.place - other.place,
  };
  let sorted = "name";

  function sort() {
    if (order.value === sorted) return;
    sorted = order.value;
    // Appended, so that they move one by one, thousands of them take Chromium two seconds.
    sheet.replaceChildren(...[...items].sort(orders[sorted]).map((item) => item.element));
  }

  function hide() {
    const words = plain(filter.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { element, text } of items) {
      const fits = words.every((word) => text.includes(word));
      if (element.hidden === fits) element.hidden = !fits;
      shown += fits;
    }
    none.hidden = shown > 0;
    const count = items.length.toLocaleString("en");
    status.textContent = words.length ? `${shown.toLocaleString("en")} of ${count} shown` : `${count} shown`;
  }

  order.addEventListener("change", sort);
  filter.addEventListener("input", hide);
  document.querySelector(".controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("load", () => {
    if (items.length > MOST_LOADED) return;
    for (const image of sheet.querySelectorAll("img")) image.loading = "eager";
  });
  // A browser that comes back to the page may have kept what was chosen.
  sort();
  hide();
})();
