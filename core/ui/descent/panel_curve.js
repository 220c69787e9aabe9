// Numbers along the way: the loss or the rate over whatever the steps cost, or over the rate itself.

const COSTS = {
  updates: (run, k) => k,
  epochs: (run, k, data) => (k * run.batch) / data.count,
  samples: (run, k) => k * run.batch,
  seconds: (run, k) => (k * run.step_ms) / 1000,
};

class CurvePanel extends Surface {
  constructor(words, name, title, alt, spec) {
    super(name, title, alt);
    Object.assign(this, { words, spec, kept: [] });
    this.margin = { ...this.margin, left: 44, right: 12 };
  }

  // ranges hang on the points, the start and the number of steps alone, so that two rates can be compared
  settle(state) {
    const { data, view } = state,
      first = data.runs[this.spec.runs[0]];
    if (this.spec.x === "rate") this.xAxis = new Axis(data.limit * 1e-3, data.limit * 10, { log: true });
    else {
      const cost = COSTS[this.spec.x === "cost" ? view.axis : "updates"];
      this.xAxis = new Axis(0, Math.max(1e-9, cost(first, data.steps, data)));
    }
    if (this.spec.y === "loss") this.yAxis = new Axis(data.floor * 0.6, data.first * 12, { log: true });
    else
      this.yAxis = new Axis(
        0,
        1.55 * Math.max(data.limit, ...this.runs(data).map((i) => Math.max(...data.runs[i].rates))),
      );
  }

  // those of its runs that were sent: a path over all points has nothing beside it
  runs(data) {
    return this.spec.runs.filter((index) => index < data.runs.length);
  }

  x(run, k, { data, view }) {
    if (this.spec.x === "rate") return run.rates[Math.min(k, run.rates.length - 1)];
    return COSTS[this.spec.x === "cost" ? view.axis : "updates"](run, k, data);
  }

  y(run, k) {
    return this.spec.y === "loss" ? run.loss[k] : run.rates[Math.min(k, run.rates.length - 1)];
  }

  ground(pen, state) {
    const { data, look, view } = state,
      names = this.words;
    const xLabel =
      this.spec.x === "rate" ? names.axis_rate : names[`axis_${this.spec.x === "cost" ? view.axis : "updates"}`];
    this.axes(pen, look, this.xAxis, this.yAxis, xLabel, this.spec.y === "loss" ? names.axis_loss : names.axis_rate_y);
    const { x, y, w, h } = this.box;
    if (this.spec.y === "loss") {
      pen.strokeStyle = look.training;
      pen.setLineDash([2, 4]);
      pen.lineWidth = 1.5;
      pen.beginPath();
      pen.moveTo(x, this.yAxis.px(data.floor));
      pen.lineTo(x + w, this.yAxis.px(data.floor));
      pen.stroke();
      pen.setLineDash([]);
    }
    if (this.spec.limit) this.limit(pen, look, data.limit, { x, y, w, h });
    if (this.spec.suggested && data.suggested) this.suggested(pen, look, data.suggested, { x, y, w, h });
    this.keep(pen, state);
  }

  limit(pen, look, at, { x, y, w, h }) {
    pen.strokeStyle = look.too_high;
    pen.lineWidth = 2;
    pen.setLineDash([2, 3.5]);
    pen.beginPath();
    const px = this.spec.limit === "x" ? this.xAxis.px(at) : x,
      py = this.spec.limit === "x" ? y : this.yAxis.px(at);
    pen.moveTo(px, py);
    pen.lineTo(this.spec.limit === "x" ? px : x + w, this.spec.limit === "x" ? y + h : py);
    pen.stroke();
    pen.setLineDash([]);
    const text = `\u25B2 ${this.words.limit_short} ${sayRate(at)}`;
    if (this.spec.limit === "x") flag(this, pen, text, px, y + 0.45 * h, look.high_text, look.paper, look.font_px - 1);
    else flag(this, pen, text, x, py + 3, look.high_text, look.paper, look.font_px - 1);
  }

  suggested(pen, look, at, { y, h }) {
    pen.strokeStyle = look.good;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(this.xAxis.px(at), y);
    pen.lineTo(this.xAxis.px(at), y + h);
    pen.stroke();
    flag(
      this,
      pen,
      `\u25CF ${this.words.suggested_short} ${sayRate(at)}`,
      this.xAxis.px(at),
      y + 2,
      look.good_text,
      look.paper,
      look.font_px - 1,
    );
  }

  // curves that were kept, each with its letter
  keep(pen, state) {
    this.kept.forEach((run, i) => {
      const style = this.keptStyle(i, state.look),
        last = run.loss.length - 1;
      pen.save();
      pen.beginPath();
      pen.rect(this.box.x, this.box.y, this.box.w, this.box.h);
      pen.clip();
      pen.strokeStyle = style.colour;
      pen.lineWidth = 2;
      pen.setLineDash(style.dash);
      this.trace(pen, state, run, last, null);
      pen.setLineDash([]);
      pen.restore();
      let k = last;
      while (k > 0 && this.x(run, k, state) > this.xAxis.hi) k--;
      flag(
        this,
        pen,
        "ABC"[i],
        this.xAxis.px(this.x(run, k, state)) - 8,
        this.yAxis.px(run.loss[k]) - 20,
        style.colour,
        state.look.paper,
        state.look.font_px,
      );
    });
  }

  trace(pen, state, run, step, now) {
    pen.beginPath();
    for (let k = 0; k <= step; k++)
      pen[k ? "lineTo" : "moveTo"](this.xAxis.px(this.x(run, k, state)), this.yAxis.px(this.y(run, k)));
    if (now) pen.lineTo(this.xAxis.px(now.x), this.yAxis.px(now.y));
    pen.stroke();
  }

  // where a run stands: by its own steps, or, where the axis is a cost, by what the first one has cost so far
  reach(state, index) {
    const run = state.data.runs[index],
      lead = state.now[this.spec.runs[0]],
      most = run.loss.length - 1;
    let step = state.now[index].step,
      rest = state.now[index].rest;
    if (this.spec.x === "cost" && index !== this.spec.runs[0]) {
      const cost = COSTS[state.view.axis],
        spent = cost(state.data.runs[this.spec.runs[0]], lead.step + lead.rest, state.data);
      const at = Math.min(most, spent / Math.max(1e-12, cost(run, 1, state.data)));
      step = Math.floor(at);
      rest = at - step;
    }
    step = Math.min(step, most);
    const next = Math.min(step + 1, most),
      between = (one, two, log) =>
        log ? Math.exp(Math.log(one) + rest * Math.log(two / one)) : one + rest * (two - one);
    const x = between(this.x(run, step, state), this.x(run, next, state), this.spec.x === "rate");
    const y0 = this.y(run, step),
      y1 = this.y(run, next),
      y = between(y0, y1, this.spec.y === "loss" && y0 > 0 && y1 > 0);
    return { step, x, y };
  }

  live(pen, state) {
    const { data, look } = state;
    for (const index of this.runs(data).reverse()) {
      const run = data.runs[index],
        main = index === this.spec.runs[0],
        at = this.reach(state, index);
      const style = toneOf(look, run.tone ?? (main ? "" : "other"));
      pen.strokeStyle = run.tone ? style.colour : main ? look.brand : style.colour;
      pen.lineWidth = main ? 3 : 2;
      pen.setLineDash(style.dash);
      this.trace(pen, state, run, at.step, at);
      pen.setLineDash([]);
      const px = this.xAxis.px(at.x),
        py = this.yAxis.px(at.y),
        b = this.box;
      if (py < b.y)
        flag(
          this,
          pen,
          `\u25B2 ${this.words.off_scale}`,
          px,
          b.y + (this.spec.suggested ? 22 : 0),
          look.high_text,
          look.paper,
          look.font_px - 1,
        );
      else disc(pen, Math.min(b.x + b.w, px), py, main ? 5.5 : 4.5, pen.strokeStyle, look.paper);
    }
    const names = this.runs(data);
    if (names.length > 1 || this.kept.length)
      legend(
        this,
        pen,
        {
          list: [
            ...names.map((i) => this.entry(data.runs[i], i, look)),
            ...this.kept.map((run, i) => ({
              text: `${"ABC"[i]}: ${run.name}, ${sayRate(Math.max(...run.rates))}`,
              ...this.keptStyle(i, look),
            })),
          ],
        },
        look,
      );
  }

  entry(run, index, look) {
    const main = index === this.spec.runs[0],
      style = toneOf(look, run.tone ?? (main ? "" : "other"));
    return { text: run.name, colour: main && !run.tone ? look.brand : style.colour, dash: style.dash };
  }

  keptStyle(i, look) {
    return {
      colour: look.slots[(i + 1) % look.slots.length],
      dash: [
        [9, 4],
        [2, 3],
        [9, 3, 2, 3],
      ][i % 3],
    };
  }
}
