// The numbers under the figures, and the five lines of code with these numbers in them.

class Readout {
  constructor(words) {
    this.words = words;
    this.root = document.createElement("div");
    this.root.className = "readout";
    this.root.innerHTML = `<dl class="numbers"></dl><pre class="lines" tabindex="-1"></pre>`;
    this.fields = {};
    for (const name of ["step", "a1", "a2", "loss", "slope"]) {
      const item = document.createElement("div"),
        term = document.createElement("dt"),
        value = document.createElement("dd");
      item.className = `number-${name}`;
      term.textContent = words[`number_${name}`];
      this.fields[name] = value;
      item.append(term, value);
      this.root.firstChild.append(item);
    }
    this.code = this.root.querySelector(".lines");
  }

  show({ data, now }) {
    const run = data.runs[0],
      { step, a1, a2, loss, grad } = now[0],
      shown = now[0];
    const exact = [run.a[2 * step], run.a[2 * step + 1]];
    this.put("step", `${step} ${this.words.of} ${data.steps}`);
    this.put("a1", say(exact[0]));
    this.put("a2", say(exact[1]));
    this.put("loss", say(run.loss[step]));
    this.put("slope", say(Math.hypot(...grad)));
    if (this.step !== step || this.run !== run) this.lines(data, run, step, grad, shown);
    this.step = step;
    this.run = run;
  }

  put(name, text) {
    if (this.fields[name].textContent !== text) this.fields[name].textContent = text;
  }

  lines(data, run, step, grad, { rows }) {
    const k = Math.min(step, run.steps - 1),
      from = run.a.slice(2 * k, 2 * k + 2),
      to = run.a.slice(2 * k + 2, 2 * k + 4),
      rate = run.rates[k];
    const pair = (values) => `(${values.map(say).join(", ")})`,
      seen = rows ? "[rows]" : "";
    const error = rows ? lossAt(bowlOf(data.x, data.y, rows), ...from) : run.loss[k];
    const plain = data.rule === "sgd",
      direction = from.map((value, i) => (value - to[i]) / (rate || 1));
    const list = [
      [`y_hat = x${seen} @ a`, `a = ${pair(from)}`],
      [`loss = ((y_hat - y${seen}) ** 2).mean()`, say(error)],
      ["loss.backward()", `a.grad = ${pair(grad)}`],
      [
        plain ? "a.sub_(lr * a.grad)" : `a.sub_(lr * ${data.rule}(a.grad))`,
        `${sayRate(rate)} \u00D7 ${pair(plain ? grad : direction)}  \u2192  a = ${pair(to)}`,
      ],
      ["a.grad.zero_()", "(0, 0)"],
    ];
    this.code.replaceChildren(
      ...list.map(([code, value]) => {
        const line = document.createElement("span"),
          note = document.createElement("i");
        line.textContent = code;
        note.textContent = `# ${value}`;
        line.append(note);
        return line;
      }),
    );
  }
}
