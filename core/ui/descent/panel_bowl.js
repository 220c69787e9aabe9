// The loss over the line's two numbers: the deeper, the darker; the path over it, and a batch's own bowl as a ghost.

class BowlPanel extends Surface {
  constructor(words, title, { runs = [0], bar = true, pick = null, name = "bowl" } = {}) {
    super(name, title, words.alt_bowl);
    Object.assign(this, { words, runs, bar, pick });
    this.margin = { ...this.margin, left: 34, right: bar ? 44 : 8 };
    if (!pick) return;
    this.canvas.style.cursor = "crosshair";
    this.canvas.addEventListener("click", (event) => {
      const at = this.place(event);
      if (this.box && this.holds(at)) pick(this.xAxis.at(at.x), this.yAxis.at(at.y));
    });
  }

  // one unit is as long both ways, so that downhill is square to the lines; the frame depends on the points and the
  // start alone: another rate does not move it
  settle({ data, bowl }) {
    const [b1, b2] = data.best,
      { w, h } = this.box;
    const wide = Math.max(1.25 * Math.abs(data.start[0] - b1), 2),
      tall = Math.max(1.3 * Math.abs(data.start[1] - b2), 1.4);
    const unit = Math.min(w / (2 * wide), h / (2 * tall));
    this.xAxis = new Axis(b1 - w / 2 / unit, b1 + w / 2 / unit);
    this.yAxis = new Axis(b2 - h / 2 / unit, b2 + h / 2 / unit);
    const corners = [this.xAxis.lo, this.xAxis.hi].flatMap((a1) =>
      [this.yAxis.lo, this.yAxis.hi].map((a2) => lossAt(bowl, a1, a2)),
    );
    this.high = Math.max(...corners);
    this.low = Math.min(Math.max(data.floor, this.high * 1e-4), this.high / 10);
  }

  ground(pen, state) {
    const { bowl, look } = state,
      box = this.box;
    this.grid = gridOf(bowl, this.xAxis, this.yAxis, 72, 56);
    this.heat(pen, this.grid, look);
    this.axes(pen, look, this.xAxis, this.yAxis, "a\u2081", "a\u2082");
    pen.strokeStyle = "#ffffff";
    pen.globalAlpha = 0.35;
    pen.lineWidth = 1;
    traceLevels(pen, this.grid, levelsBetween(this.low, this.high), box);
    pen.globalAlpha = 1;
    if (this.bar) this.scale(pen, look);
  }

  heat(pen, grid, look) {
    const small = document.createElement("canvas"),
      wide = grid.columns + 1,
      tall = grid.rows + 1;
    small.width = wide;
    small.height = tall;
    const brush = small.getContext("2d"),
      image = brush.createImageData(wide, tall),
      colours = look.sequential.map(channels);
    const range = Math.log(this.high / this.low);
    for (let i = 0; i < wide * tall; i++) {
      const [r, g, b] = mix(colours, Math.log(grid.values[i] / this.low) / range);
      image.data.set([r, g, b, 255], 4 * i);
    }
    brush.putImageData(image, 0, 0);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(small, 0.5, 0.5, wide - 1, tall - 1, this.box.x, this.box.y, this.box.w, this.box.h);
  }

  scale(pen, look) {
    const { x, y, w, h } = this.box,
      left = x + w + 8,
      axis = new Axis(this.low, this.high, { log: true }).span(y + h, y);
    const colours = look.sequential.map(channels);
    for (let row = 0; row < h; row++) {
      pen.fillStyle = `rgb(${mix(colours, 1 - row / h).map(Math.round)})`;
      pen.fillRect(left, y + row, 9, 1.5);
    }
    pen.fillStyle = look.training;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.font = `${look.font_px - 2}px "Source Sans", sans-serif`;
    for (const tick of axis.ticks(4))
      pen.fillText(sayTick(tick), left + 12, Math.max(y + 5, Math.min(y + h - 5, axis.px(tick))));
  }

  live(pen, state) {
    const { data, look, view } = state;
    this.cross(pen, data.best, look);
    const first = state.now[this.runs[0]];
    if (view.batch && first.rows) this.ghost(pen, state, first);
    for (const index of [...this.runs].reverse()) this.path(pen, state, index);
    if (view.batch && this.runs[0] === 0 && first.full) this.slopes(pen, state, first);
    for (const index of [...this.runs].reverse()) this.dot(pen, state, index);
    const lines = [
      { text: this.words.of_all, colour: "#ffffff", dash: [] },
      { text: this.words.of_batch, colour: look.attention, dash: [5, 3] },
    ];
    if (view.batch && first.full) legend(this, pen, { list: lines, dark: true, low: true }, look);
    else if (this.runs.length > 1)
      legend(
        this,
        pen,
        {
          list: this.runs.map((i) => ({
            text: data.runs[i].name,
            colour: data.runs[i].tone ? toneOf(look, data.runs[i].tone).colour : "#ffffff",
            dash: toneOf(look, data.runs[i].tone).dash,
          })),
          dark: true,
          low: true,
        },
        look,
      );
  }

  cross(pen, [a1, a2], look) {
    const x = this.xAxis.px(a1),
      y = this.yAxis.px(a2);
    for (const [colour, width] of [
      [look.night, 4.5],
      ["#ffffff", 2],
    ]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(x - 5, y - 5);
      pen.lineTo(x + 5, y + 5);
      pen.moveTo(x - 5, y + 5);
      pen.lineTo(x + 5, y - 5);
      pen.stroke();
    }
  }

  ghost(pen, { data, look }, now) {
    if (this.ghostRows !== now.rows) {
      this.ghostRows = now.rows;
      this.ghostGrid = gridOf(bowlOf(data.x, data.y, now.rows), this.xAxis, this.yAxis, 56, 42);
    }
    pen.strokeStyle = look.attention;
    pen.lineWidth = 1.75;
    const levels = levelsBetween(this.low, this.high);
    traceLevels(
      pen,
      this.ghostGrid,
      levels.filter((_, i) => i % 2 === levels.length % 2),
      this.box,
    );
  }

  path(pen, state, index) {
    const run = state.data.runs[index],
      now = state.now[index],
      style = toneOf(state.look, run.tone),
      plain = !run.tone;
    const places = [];
    for (let k = 0; k <= now.step; k++) places.push([this.xAxis.px(run.a[2 * k]), this.yAxis.px(run.a[2 * k + 1])]);
    const casing = [plain ? state.look.night : "#ffffff", plain ? 4.5 : 5.5, []];
    const line = [plain ? "#ffffff" : style.colour, 2.25, plain ? [] : style.dash];
    pen.lineJoin = "round";
    for (const [colour, width, dash] of [casing, line]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.setLineDash(dash);
      this.trace(pen, [...places, [this.xAxis.px(now.a1), this.yAxis.px(now.a2)]]);
    }
    pen.setLineDash([]);
    if (now.step > 80) return; // so many dots would hide the line
    for (const place of places)
      if (this.holds({ x: place[0], y: place[1] })) disc(pen, ...place, 2.4, line[0], state.look.night);
  }

  trace(pen, places) {
    let joined = false;
    pen.beginPath();
    for (let k = 1; k < places.length; k++) {
      const piece = clipped(...places[k - 1], ...places[k], this.box);
      if (piece && (!joined || piece.cut)) pen.moveTo(...piece.from);
      if (piece) pen.lineTo(...piece.to);
      joined = Boolean(piece);
    }
    pen.stroke();
  }

  // both slopes at the same place, downhill: of all points (ink) and of the batch (amber, dashed)
  slopes(pen, state, now) {
    const x = this.xAxis.px(now.a1),
      y = this.yAxis.px(now.a2),
      most = Math.hypot(...state.slope0) || 1;
    for (const [[g1, g2], colour, dash] of [
      [now.full, "#ffffff", []],
      [now.grad, state.look.attention, [5, 3]],
    ]) {
      const size = Math.hypot(g1, g2) || 1e-12,
        length = Math.min(95, Math.max(22, 70 * Math.sqrt(size / most)));
      arrow(pen, x, y, (-g1 / size) * length, (g2 / size) * length, colour, state.look.night, dash);
    }
  }

  dot(pen, state, index) {
    const now = state.now[index],
      run = state.data.runs[index],
      style = toneOf(state.look, run.tone);
    const b = this.box,
      x = this.xAxis.px(now.a1),
      y = this.yAxis.px(now.a2);
    if (this.holds({ x, y })) {
      disc(pen, x, y, 6.5, run.tone ? style.colour : state.look.brand, "#ffffff");
      return;
    }
    const cx = Math.max(b.x + 10, Math.min(b.x + b.w - 10, x)),
      cy = Math.max(b.y + 10, Math.min(b.y + b.h - 10, y));
    disc(pen, cx, cy, 8, state.look.too_high, "#ffffff");
    flag(
      this,
      pen,
      this.words.out_of_picture,
      cx,
      cy < b.y + b.h / 2 ? cy + 14 : cy - 32,
      state.look.high_text,
      state.look.paper,
      state.look.font_px - 1,
    );
  }
}
