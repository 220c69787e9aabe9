// The whole: figures for the kind of picture that was sent, the clock under them, and what is sent back.

class Descent {
  constructor(parent) {
    this.root = document.createElement("section");
    this.root.className = "descent";
    this.root.tabIndex = 0;
    this.board = document.createElement("div");
    this.board.className = "board";
    this.root.append(this.board);
    parent.append(this.root);
    this.onKey = (event) => this.player.key(event);
    window.addEventListener("keydown", this.onKey, true); // before the app's own keys
    this.sized = new ResizeObserver(() => this.redraw(true));
  }

  take({ data, setTriggerValue }) {
    this.send = setTriggerValue;
    if (!this.player) this.build(data);
    const same = data.id === this.id,
      mine = this.waiting;
    const at = same || mine ? this.player.at : 0;
    Object.assign(this, {
      data,
      sent: data,
      id: data.id,
      view: { ...data.view },
      waiting: false,
      bowl: bowlOf(data.x, data.y),
    });
    this.slope0 = slopeAt(this.bowl, ...data.start);
    this.player.take(data.steps);
    if (!same) {
      this.player.halt();
      this.guess?.take(data.id, data.runs[0]);
    }
    this.mark();
    for (const panel of this.panels) {
      panel.stale = true;
      this.name(panel);
    }
    this.player.go(at);
  }

  build(data) {
    const words = data.words,
      kind = data.kind;
    this.words = words;
    this.root.dataset.kind = kind;
    this.root.setAttribute("aria-label", words.alt_whole);
    this.player = new Player(words, () => this.redraw());
    this.panels = PICTURES[kind](this, words);
    this.stage = document.createElement("div");
    this.stage.className = `stage stage-${kind}`;
    this.stage.append(...this.panels.map((panel) => panel.figure));
    const top = [];
    if (kind === "one") {
      this.guess = new Guess(words);
      this.readout = new Readout(words);
      top.push(this.guess.root);
    } else {
      this.caption = document.createElement("div");
      this.caption.className = "verdicts";
      this.caption.setAttribute("role", "status");
    }
    if (kind === "one") this.views(words);
    this.board.replaceChildren(
      ...[...top, this.stage, this.player.root, this.readout?.root, this.caption].filter(Boolean),
    );
    for (const panel of this.panels) this.sized.observe(panel.frame);
  }

  // beside the title of each figure: what else it can show
  views(words) {
    this.axis = document.createElement("select");
    this.axis.className = "view-axis";
    this.axis.setAttribute("aria-label", words.axis);
    for (const name of Object.keys(COSTS)) this.axis.add(new Option(words[`axis_${name}`], name));
    this.axis.addEventListener("change", () => this.look({ axis: this.axis.value }));
    this.toggles = ["squares", "batch"].map((name) =>
      this.button(`view-${name}`, words[`view_${name}`], () => this.look({ [name]: !this.view[name] })),
    );
    for (const [i, name] of ["squares", "batch"].entries()) this.toggles[i].title = words[`view_${name}_help`];
    this.keeper = this.button("view-keep", "", () => this.keepCurve());
    for (const [i, tool] of [this.toggles[0], this.toggles[1], this.axis].entries())
      this.panels[i].caption.append(tool);
    this.panels[2].caption.append(this.keeper);
  }

  button(name, text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = name;
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  // three rates: each figure says which
  name(panel) {
    if (this.data.kind !== "three" || !(panel instanceof BowlPanel)) return;
    const run = this.data.runs[panel.runs[0]],
      style = toneOf(this.data.look, run.tone);
    panel.title.textContent = `${style.mark} ${run.name}: ${sayRate(Math.max(...run.rates))}`;
    panel.caption.className = `tone-${run.tone}`;
  }

  // what is shown is the student's choice, and part of the link
  look(change) {
    Object.assign(this.view, change);
    this.mark();
    this.redraw(true);
    this.send("view", { axis: this.view.axis, squares: this.view.squares, batch: this.view.batch });
  }

  mark() {
    if (!this.axis) return;
    this.axis.value = this.view.axis;
    for (const [i, name] of ["squares", "batch"].entries())
      this.toggles[i].setAttribute("aria-pressed", String(this.view[name]));
    this.toggles[1].hidden = !this.data.runs[0].rows;
    const kept = this.panels[2].kept.length;
    this.keeper.textContent = kept < 3 ? this.words.keep : this.words.keep_none;
    this.keeper.title = kept < 3 ? this.words.keep_help : this.words.keep_none_help;
    this.root.dataset.kept = kept;
  }

  keepCurve() {
    const panel = this.panels[2],
      run = this.data.runs[0];
    panel.kept = panel.kept.length < 3 ? [...panel.kept, run] : [];
    this.mark();
    this.redraw(true);
  }

  // a point is being dragged: the bowl follows at once, the path when Python has walked it again
  dragged(index, x, y) {
    this.data = { ...this.data, x: this.data.x.slice(), y: this.data.y.slice() };
    this.data.x[index] = x;
    this.data.y[index] = y;
    this.bowl = bowlOf(this.data.x, this.data.y);
    this.data.best = bottomOf(this.bowl);
    this.data.floor = Math.max(lossAt(this.bowl, ...this.data.best), this.data.first * 1e-4);
    this.panels[1].stale = true;
    this.redraw();
  }

  edit(what) {
    // back to where it was: a deletion may be refused
    if (what.kind === "delete") this.dragged(what.index, this.sent.x[what.index], this.sent.y[what.index]);
    this.waiting = true;
    this.send("edit", what);
  }

  pick(a1, a2) {
    this.send("start", { a1, a2 });
  }

  redraw(all = false) {
    if (!this.data || this.busy) return;
    this.busy = true;
    const at = this.player.at,
      state = (this.state = {
        data: this.data,
        look: this.data.look,
        words: this.words,
        view: this.view,
        bowl: this.bowl,
        slope0: this.slope0,
        now: this.data.runs.map((run) => stand(run, at, this)),
      });
    for (const panel of this.panels) {
      if (all) panel.stale = true;
      panel.state = state;
      panel.draw(state);
    }
    this.readout?.show(state);
    this.guess?.follow(at, this.data.steps);
    if (this.caption) this.verdicts(at);
    Object.assign(this.root.dataset, {
      step: Math.floor(at),
      playing: this.player.playing,
      fps: Math.round(this.player.fps ?? 0),
      id: this.id,
    });
    this.busy = false;
  }

  // how each path ended, once it has
  verdicts(at) {
    const over = this.data.runs.map((run) => at >= Math.min(run.steps, this.data.steps));
    const told = over.map(Number).join("") + this.id;
    if (told === this.told) return;
    this.told = told;
    this.caption.replaceChildren(
      ...this.data.runs
        .filter((run) => this.data.kind === "three" || !run.why)
        .map((run) => {
          const item = document.createElement("p"),
            title = document.createElement("b"),
            style = toneOf(this.data.look, run.tone);
          const done = over[this.data.runs.indexOf(run)];
          item.className = `verdict ${done ? run.kind : "open"}`;
          title.textContent = `${style.mark} ${run.name}`.trim();
          item.append(title, ` ${done ? run.said : "\u2026"}`);
          return item;
        }),
    );
  }

  end() {
    window.removeEventListener("keydown", this.onKey, true);
    this.player?.halt();
    this.sized.disconnect();
    this.root.remove();
  }
}

const shown = new WeakMap();

export default function (component) {
  const { parentElement } = component;
  if (!shown.has(parentElement)) shown.set(parentElement, { app: new Descent(parentElement), calls: 0 });
  const entry = shown.get(parentElement),
    call = ++entry.calls;
  entry.app.take(component);
  return () => {
    if (entry.calls !== call) return; // a later call goes on with it
    entry.app.end();
    shown.delete(parentElement);
  };
}
