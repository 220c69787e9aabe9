// A matrix product, cell by cell: the row and the column that meet are marked, their products are added up in words.

const WAIT_MS = 1100;
const SVG = "http://www.w3.org/2000/svg";

class Product {
  constructor(parent) {
    this.root = document.createElement("section");
    this.root.className = "product";
    this.root.tabIndex = 0;
    this.root.setAttribute("aria-label", "A matrix product, cell by cell");
    this.tables = element("div", "tables");
    this.sum = element("p", "sum");
    this.sum.setAttribute("aria-live", "polite");
    const bar = element("div", "bar");
    this.play = button("Play", () => this.toggle());
    this.back = button("Back", () => this.step(-1));
    this.next = button("Step", () => this.step(1));
    this.all = button("All", () => this.move(this.cells));
    this.clear = button("Again", () => this.move(0));
    bar.append(this.play, this.back, this.next, this.all, this.clear);
    this.plot = document.createElementNS(SVG, "svg");
    this.plot.setAttribute("viewBox", "0 0 240 200");
    this.root.append(this.tables, this.sum, bar, this.plot);
    parent.append(this.root);
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  take(data) {
    const known = JSON.stringify(data);
    if (known === this.known) return;
    this.known = known;
    this.data = data;
    this.cells = data.product.length * data.product[0].length;
    this.halt();
    this.draw();
    this.move(0);
  }

  draw() {
    const { x, a, product, names, rows, columns, left_out: leftOut, shapes } = this.data;
    const shape = (sides) => `(${sides.join(", ")})`;
    this.tables.replaceChildren(
      table(`${names[0]} ${shape(shapes[0])}`, x, { rows, more: leftOut ? "…" : "" }),
      element("span", "sign", "@"),
      table(`${names[1]} ${shape(shapes[1])}`, a, { columns, below: leftOut ? `… ${leftOut} more` : "" }),
      element("span", "sign", "="),
      table(`${names[2]} ${shape(shapes[2])}`, product, { columns, open: true }),
    );
    [this.x, , this.a, , this.y] = this.tables.children;
    this.root.classList.toggle("plotted", Boolean(this.data.plot));
    this.marks = this.data.plot ? this.axes() : [];
  }

  // the points of a line: x of the first column against the product, to be shown one by one
  axes() {
    const { x, product, names } = this.data, all = product.map((row) => row[0]);
    const low = Math.min(0, ...all), high = Math.max(...all), first = x[0][0], last = x[x.length - 1][0];
    const across = (value) => 34 + (190 * (value - first)) / (last - first), up = (value) => 170 - (150 * (value - low)) / (high - low);
    const put = (kind, attributes, text = "") => {
      const made = document.createElementNS(SVG, kind);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      made.textContent = text;
      this.plot.append(made);
      return made;
    };
    this.plot.replaceChildren();
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", `${names[2]} against ${names[0]}: the points lie on a line`);
    put("line", { class: "axis", x1: 26, y1: up(0), x2: 232, y2: up(0) });
    put("line", { class: "axis", x1: 34, y1: 10, x2: 34, y2: 182 });
    for (const value of [first, 0, last]) put("text", { x: across(value), y: 196, "text-anchor": "middle" }, short(value).replace(".00", ""));
    for (const value of [low, 0, high]) put("text", { x: 24, y: up(value) + 4, "text-anchor": "end" }, short(value).replace(".00", ""));
    this.line = put("line", { class: "line", x1: across(first), y1: up(all[0]), x2: across(last), y2: up(all[all.length - 1]) });
    return all.map((value, row) => put("circle", { cx: across(x[row][0]), cy: up(value), r: 5 }));
  }

  // `done` cells are filled; the last of them is the one that is told about
  move(done) {
    this.done = Math.max(0, Math.min(this.cells, done));
    const width = this.data.product[0].length;
    const row = Math.floor((this.done - 1) / width), column = (this.done - 1) % width;
    for (const cell of this.tables.querySelectorAll("td")) cell.classList.remove("met", "now");
    this.y.querySelectorAll("td").forEach((cell, place) => {
      cell.textContent = place < this.done ? short(this.data.product[Math.floor(place / width)][place % width]) : "";
      cell.classList.toggle("now", place === this.done - 1);
    });
    if (this.done > 0) {
      this.x.querySelectorAll("tbody tr")[row].querySelectorAll("td").forEach((cell) => cell.classList.add("met"));
      this.a.querySelectorAll("tbody tr").forEach((line) => line.querySelectorAll("td")[column]?.classList.add("met"));
    }
    this.marks.forEach((mark, place) => {
      mark.classList.toggle("on", place < this.done);
      mark.classList.toggle("now", place === this.done - 1);
    });
    this.line?.classList.toggle("on", this.done === this.cells);
    this.sum.textContent = this.done > 0 ? this.words(row, column) : "Row times column: press Play, or Step.";
    this.back.disabled = this.clear.disabled = this.done === 0;
    this.next.disabled = this.all.disabled = this.done === this.cells;
    if (this.done === this.cells) this.halt();
  }

  words(row, column) {
    const { x, a, product, rest, left_out: leftOut } = this.data;
    const parts = x[row].map((value, place) => `${short(value)} × ${short(a[place][column])}`);
    if (leftOut) parts.push(`${short(rest[row][column])} from ${leftOut} more`);
    return `${parts.join(" + ")} = ${short(product[row][column])}`;
  }

  step(by) {
    this.halt();
    this.move(this.done + by);
  }

  toggle() {
    if (this.timer) return this.halt();
    if (this.done === this.cells) this.move(0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.move(this.done + 1); // one cell a press
    this.play.textContent = "Pause";
    this.timer = setInterval(() => this.move(this.done + 1), WAIT_MS);
    this.move(this.done + 1);
  }

  halt() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "Play";
  }

  key(event) {
    const act = { " ": () => this.toggle(), ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), r: () => this.move(0) };
    const found = act[event.key] ?? act[event.key.toLowerCase()];
    if (!found || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    event.stopPropagation();
    found();
  }

  end() {
    this.halt();
    this.root.remove();
  }
}

function element(tag, kind, text = "") {
  const made = document.createElement(tag);
  made.className = kind;
  made.textContent = text;
  return made;
}

function button(text, act) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function table(title, values, { rows = [], columns = [], more = "", below = "", open = false }) {
  const figure = element("figure", open ? "open" : "");
  const made = element("table", ""), body = element("tbody", "");
  if (columns.some((name) => name)) {
    const line = made.createTHead().insertRow();
    for (const name of columns) line.append(element("th", "", name));
  }
  values.forEach((row, at) => {
    const line = body.insertRow();
    if (rows.length) line.append(element("th", "side", rows[at]));
    for (const value of row) line.append(element("td", "", open ? "" : short(value)));
    if (more) line.append(element("th", "", more));
  });
  made.append(body);
  figure.append(element("figcaption", "", title), made);
  if (below) figure.append(element("small", "", below));
  return figure;
}

function short(value) {
  return (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)).replace("-", "\u2212");
}

const shown = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  if (!shown.has(parentElement)) shown.set(parentElement, { app: new Product(parentElement), calls: 0 });
  const entry = shown.get(parentElement), call = ++entry.calls;
  entry.app.take(data);
  return () => {
    if (entry.calls !== call) return; // a later call goes on with it
    entry.app.end();
    shown.delete(parentElement);
  };
}
