// Predict, then reveal: what will happen is said before it is seen, and the score is kept as long as the tab is open.

const GUESSES = [
  ["converge", "\u25CF"],
  ["crawl", "\u25BC"],
  ["zigzag", "\u25C6"],
  ["diverge", "\u25B2"],
];
const SCORE = "bearings.sgd.score";

class Guess {
  constructor(words) {
    this.words = words;
    this.score = this.recall();
    this.root = document.createElement("div");
    this.root.className = "guess";
    this.ask = document.createElement("span");
    this.ask.className = "ask";
    this.choices = document.createElement("div");
    this.choices.className = "choices";
    this.choices.setAttribute("role", "group");
    this.choices.setAttribute("aria-label", words.guess_ask);
    this.said = document.createElement("p");
    this.said.className = "said";
    this.said.setAttribute("role", "status");
    this.count = document.createElement("span");
    this.count.className = "score";
    this.buttons = GUESSES.map(([kind, mark]) => {
      const made = document.createElement("button");
      made.type = "button";
      made.dataset.kind = kind;
      made.textContent = `${mark} ${words[`guess_${kind}`]}`;
      made.addEventListener("click", () => this.choose(kind));
      return made;
    });
    this.choices.append(...this.buttons);
    this.root.append(this.ask, this.choices, this.said, this.count);
  }

  recall() {
    try {
      return { right: 0, asked: 0, seen: {}, ...JSON.parse(sessionStorage.getItem(SCORE) ?? "{}") };
    } catch {
      return { right: 0, asked: 0, seen: {} };
    }
  }

  remember() {
    try {
      sessionStorage.setItem(SCORE, JSON.stringify(this.score));
    } catch {
      /* a browser without a memory keeps no score */
    }
  }

  // another set-up: the question is open again, unless its end has been seen
  take(id, run) {
    Object.assign(this, { id, run, chosen: null, shown: false, begun: false });
    this.draw();
  }

  choose(kind) {
    if (this.open()) {
      this.chosen = kind;
      this.draw();
    }
  }

  open() {
    return !this.begun && !this.shown && !this.score.seen[this.id];
  }

  follow(at, steps) {
    const begun = at > 0,
      over = at >= Math.min(steps, this.run.steps);
    if (over && !this.shown) this.reveal();
    else if (begun !== this.begun && !this.shown) {
      this.begun = begun || this.begun;
      this.draw();
    }
  }

  reveal() {
    this.shown = true;
    if (!this.score.seen[this.id]) {
      this.score.seen[this.id] = 1;
      if (this.chosen) {
        this.score.asked += 1;
        this.score.right += this.chosen === this.run.kind ? 1 : 0;
      }
      this.remember();
    }
    this.draw();
  }

  draw() {
    const hit = this.chosen && this.chosen === this.run.kind;
    this.root.dataset.state = this.shown
      ? this.chosen
        ? hit
          ? "right"
          : "missed"
        : "shown"
      : this.open()
        ? "open"
        : "waiting";
    this.root.dataset.kind = this.shown ? this.run.kind : "";
    this.ask.textContent = this.shown
      ? this.chosen
        ? hit
          ? this.words.guess_right
          : this.words.guess_missed
        : ""
      : this.open() || this.chosen
        ? this.words.guess_ask
        : this.words.guess_late;
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.kind === this.chosen));
      button.disabled = !this.open();
    }
    this.choices.hidden = this.shown || !(this.open() || this.chosen);
    this.said.textContent = this.shown ? this.run.said : "";
    this.count.textContent = this.score.asked
      ? this.words.guess_score.replace("{right}", this.score.right).replace("{asked}", this.score.asked)
      : "";
  }
}
