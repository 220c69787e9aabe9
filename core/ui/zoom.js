// A picture with fewer and fewer pixels, until each is a number: stages that fade into one another, a table at the end.

const WAIT_MS = 1100;
const CHANNELS = ["red", "green", "blue"];

class Zoom {
  constructor(parent, said) {
    this.said = said;
    this.told = [];
    this.root = element("section", "zoom");
    this.root.tabIndex = 0;
    this.play = element("button", "play");
    this.play.type = "button";
    this.play.addEventListener("click", () => this.toggle());
    this.slider = element("input", "");
    Object.assign(this.slider, { type: "range", min: 0, step: 1 });
    this.slider.addEventListener("input", () => this.turn(Number(this.slider.value)));
    this.slider.addEventListener("change", () => this.say());
    this.caption = element("p", "caption");
    this.caption.setAttribute("aria-live", "polite");
    this.frame = element("div", "frame");
    this.channels = element("div", "channels");
    this.channels.setAttribute("role", "group");
    this.cell = element("p", "cell");
    const bar = element("div", "bar");
    bar.append(this.play, this.slider);
    this.root.append(bar, this.frame, this.channels, this.caption, this.cell);
    parent.append(this.root);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.frame.addEventListener("pointermove", (event) => this.point(event));
    this.frame.addEventListener("pointerleave", () => this.point(null));
  }

  take(data) {
    const view = `${data.stage} ${data.channel}`, same = data.id === this.id;
    const echo = this.told.indexOf(view); // what was said here comes back after a while, when more may have happened
    this.told = same ? this.told.slice(echo + 1) : [];
    if (same && (echo >= 0 || view === this.view)) return;
    this.id = data.id;
    this.data = data;
    this.view = view;
    this.last = data.stages.length; // the stage of numbers follows those of pixels
    this.channel = data.channel;
    if (!same) this.draw();
    this.halt();
    this.tint();
    this.turn(data.stage);
  }

  draw() {
    const { stages, words, name } = this.data;
    this.root.setAttribute("aria-label", words.label);
    this.channels.setAttribute("aria-label", words.channels);
    this.slider.max = this.last;
    this.slider.setAttribute("aria-label", words.slider);
    this.pictures = stages.map(({ side, src }) => {
      const made = element("img", "");
      Object.assign(made, { src, alt: fill(words.alt, { name, side }) });
      return made;
    });
    this.table = element("table", "numbers");
    this.frame.replaceChildren(...this.pictures, this.table);
    this.buttons = CHANNELS.map((channel) => {
      const made = element("button", channel);
      made.type = "button";
      const picture = element("img", "");
      Object.assign(picture, { src: stages[stages.length - 1].src, alt: "" });
      const tinted = element("span", "tint");
      tinted.append(picture);
      made.append(tinted, element("b", "", words[channel]));
      made.addEventListener("click", () => {
        this.channel = channel;
        this.tint();
        if (this.stage !== this.last) this.jump(this.last);
        else this.say();
      });
      return made;
    });
    this.channels.replaceChildren(...this.buttons);
    this.cell.textContent = words.point;
  }

  tint() {
    const values = this.data.numbers[this.channel];
    const body = document.createElement("tbody");
    for (const row of values) {
      const line = body.insertRow();
      for (const value of row) {
        const cell = line.insertCell();
        cell.textContent = value;
        cell.style.setProperty("--v", (value / 255).toFixed(3));
        if (value < 140) cell.className = "dark";
      }
    }
    this.table.className = `numbers ${this.channel}`;
    this.table.setAttribute("aria-label", fill(this.data.words.table, { channel: this.data.words[this.channel].toLowerCase() }));
    this.table.replaceChildren(body);
    this.buttons.forEach((made, place) => made.setAttribute("aria-pressed", CHANNELS[place] === this.channel));
  }

  turn(stage) {
    this.stage = Math.max(0, Math.min(this.last, stage));
    const { stages, words } = this.data, numbers = this.stage === this.last;
    const shown = Math.min(this.stage, stages.length - 1), side = stages[shown].side;
    this.pictures.forEach((made, place) => made.classList.toggle("on", place === shown));
    this.pictures.forEach((made, place) => made.toggleAttribute("aria-hidden", place !== shown || numbers));
    this.table.classList.toggle("on", numbers);
    this.table.toggleAttribute("aria-hidden", !numbers);
    this.frame.dataset.stage = numbers ? "numbers" : side;
    this.caption.textContent = fill(numbers ? words.at_numbers : words.at_pixels, {
      side, count: (side * side).toLocaleString("en"), all: (3 * side * side).toLocaleString("en"),
    });
    this.slider.value = this.stage;
    this.slider.setAttribute("aria-valuetext", this.caption.textContent);
    if (numbers && this.timer) this.halt();
    this.label();
  }

  label() {
    const { words } = this.data;
    this.play.textContent = this.timer ? words.pause : this.stage === this.last ? words.back : words.play;
  }

  jump(stage) {
    this.halt();
    this.turn(stage);
    this.say();
  }

  toggle() {
    if (this.timer) {
      this.halt();
      return this.say();
    }
    if (this.stage === this.last) return this.jump(0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.jump(this.last); // nothing moves by itself
    this.timer = setInterval(() => this.on(), WAIT_MS);
    this.on();
  }

  on() {
    this.turn(this.stage + 1);
    if (this.stage === this.last) this.say();
  }

  halt() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.data && this.stage !== undefined) this.label();
  }

  // the address keeps what is looked at; only what stands still is told
  say() {
    const stage = this.stage === this.last ? "numbers" : String(this.data.stages[this.stage].side);
    const view = `${this.stage} ${this.channel}`;
    if (view === this.view) return;
    this.view = view;
    this.told.push(view);
    this.said({ stage, channel: this.channel });
  }

  point(event) {
    const { numbers, words } = this.data;
    if (!event) return (this.cell.textContent = words.point);
    const box = this.frame.getBoundingClientRect(), side = numbers.red.length;
    const place = (at, from, length) => Math.max(0, Math.min(side - 1, Math.floor(((at - from) / length) * side)));
    const row = place(event.clientY, box.top, box.height), column = place(event.clientX, box.left, box.width);
    this.cell.textContent = fill(words.cell, {
      row: row + 1, column: column + 1, ...Object.fromEntries(CHANNELS.map((name) => [name, numbers[name][row][column]])),
    });
  }

  key(event) {
    if (event.key === " " && event.target.tagName === "BUTTON") return;
    if (event.key.startsWith("Arrow") && event.target === this.slider) return;
    const act = { " ": () => this.toggle(), ArrowRight: () => this.jump(this.stage + 1), ArrowLeft: () => this.jump(this.stage - 1), r: () => this.jump(0) };
    const found = act[event.key] ?? act[event.key.toLowerCase()];
    if (!found) return;
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

function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const shown = new WeakMap();

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  if (!shown.has(parentElement)) {
    shown.set(parentElement, { app: new Zoom(parentElement, (view) => setStateValue("view", view)), calls: 0 });
  }
  const entry = shown.get(parentElement), call = ++entry.calls;
  entry.app.said = (view) => setStateValue("view", view);
  entry.app.take(data);
  return () => {
    if (entry.calls !== call) return; // a later call goes on with it
    entry.app.end();
    shown.delete(parentElement);
  };
}
