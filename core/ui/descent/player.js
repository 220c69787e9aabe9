// The clock: plays, pauses, steps and jumps along the path. It knows positions only; what is drawn is not its business.

const SPEEDS = [4, 12, 40, 120]; // steps a second

class Player {
  constructor(words, changed) {
    this.words = words;
    this.changed = changed;
    this.at = 0;
    this.steps = 1;
    this.playing = false;
    this.speed = 12;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.root = document.createElement("div");
    this.root.className = "player";
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", words.player);
    this.play = this.button("play", () => this.toggle());
    this.back = this.button("back", () => this.step(-1), words.step_back, "M14 4 6 12l8 8");
    this.next = this.button("next", () => this.step(1), words.step_on, "M10 4l8 8-8 8");
    this.again = this.button("reset", () => this.reset(), words.reset, "M5 4v6h6M5.5 15a7.5 7.5 0 1 0 1-7L5 10");
    this.scrub = document.createElement("input");
    Object.assign(this.scrub, { type: "range", min: 0, value: 0, step: 1, className: "scrub" });
    this.scrub.setAttribute("aria-label", words.scrub);
    this.scrub.addEventListener("input", () => {
      this.halt();
      this.go(Number(this.scrub.value));
    });
    this.pace = document.createElement("select");
    this.pace.className = "pace";
    this.pace.setAttribute("aria-label", words.speed);
    for (const speed of SPEEDS)
      this.pace.add(new Option(`${speed} ${words.steps_a_second}`, speed, speed === 12, speed === 12));
    this.pace.addEventListener("change", () => {
      this.speed = Number(this.pace.value);
    });
    this.root.append(this.play, this.back, this.next, this.again, this.scrub, this.pace);
    this.mark();
  }

  button(name, act, label = "", lines = "") {
    const made = document.createElement("button");
    made.type = "button";
    made.className = `do-${name}`;
    if (lines) made.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${lines}"/></svg>`;
    if (label) {
      made.setAttribute("aria-label", label);
      made.title = label;
    }
    made.addEventListener("click", act);
    return made;
  }

  toggle() {
    if (this.playing) return this.stop();
    if (this.at >= this.steps) this.go(0);
    if (this.calm.matches) return this.go(this.steps); // no motion was asked for: show where it ends
    this.playing = true;
    this.frames = 0;
    this.since = this.last = performance.now();
    this.mark();
    this.tick = requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    if (!this.playing) return;
    const passed = Math.min(0.25, (now - this.last) / 1000);
    this.last = now;
    this.frames += 1;
    if (now - this.since > 500) {
      this.fps = (1000 * this.frames) / (now - this.since);
      this.frames = 0;
      this.since = now;
    }
    this.at = Math.min(this.steps, this.at + Math.max(0, passed) * this.speed);
    if (this.at >= this.steps) this.stop();
    this.show();
    if (this.playing) this.tick = requestAnimationFrame((next) => this.frame(next));
  }

  halt() {
    this.playing = false;
    cancelAnimationFrame(this.tick);
    this.mark();
  }

  stop() {
    this.halt();
    this.show();
  }

  step(by) {
    this.stop();
    this.go(by > 0 ? Math.floor(this.at + 1e-9) + 1 : Math.ceil(this.at - 1e-9) - 1);
  }

  reset() {
    this.stop();
    this.go(0);
  }

  go(at) {
    this.at = Math.min(this.steps, Math.max(0, at));
    this.show();
  }

  take(steps) {
    this.steps = steps;
    this.scrub.max = steps;
  }

  show() {
    this.scrub.value = this.at;
    this.scrub.style.setProperty("--part", `${(100 * this.at) / this.steps}%`);
    this.scrub.setAttribute("aria-valuetext", `${Math.floor(this.at)} ${this.words.of} ${this.steps}`);
    this.changed();
  }

  mark() {
    this.play.textContent = this.playing
      ? `\u2759\u2759 ${this.words.pause}`
      : `\u25B6\uFE0E ${this.calm.matches ? this.words.play_calm : this.words.play}`;
  }

  // space, arrows and R, wherever on the page, but never those that a field or a slider needs
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      " ": () => this.toggle(),
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      r: () => this.reset(),
      R: () => this.reset(),
    }[event.key];
    if (!act || this.needed(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  }

  // whether what has the focus has a use of its own for this key
  needed(event) {
    const at = event.composedPath()[0],
      own = event.composedPath().includes(this.root.getRootNode());
    if (!at?.closest || at.closest(".scrub")) return false;
    if (at.closest("input[type=range]")) return event.key.startsWith("Arrow");
    if (at.closest("input, textarea, select, [contenteditable=true]")) return true;
    if (own) return event.key === " " && Boolean(at.closest("button"));
    return (
      event.key.toLowerCase() !== "r" &&
      Boolean(
        at.closest(
          "button, a, summary, [role=slider], [role=combobox], [role=listbox], [role=radio], [role=tab], [role=dialog]",
        ),
      )
    );
  }
}
