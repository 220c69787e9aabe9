// The points and the line that moves through them; points can be dragged, added and taken away.

class PointsPanel extends Surface {
  constructor(words, change) {
    super("points", words.panel_points, words.alt_points);
    this.words = words;
    this.change = change;
    this.held = null;
    this.margin = { ...this.margin, left: 34 };
    const on = (name, act, options) => this.canvas.addEventListener(name, act, options);
    on("pointerdown", (event) => this.take(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.drop(event));
    on("pointercancel", () => this.forget());
    on("dblclick", (event) => this.remove(event));
    // a finger on a point drags it; anywhere else it scrolls the page
    on(
      "touchstart",
      (event) => {
        if (this.nearest(this.place(event.touches[0]), 22) >= 0) event.preventDefault();
      },
      { passive: false },
    );
  }

  settle({ data }) {
    const x = data.x,
      y = data.y,
      low = Math.min(...y),
      high = Math.max(...y),
      room = Math.max(0.5, 0.12 * (high - low));
    this.xAxis = new Axis(Math.min(-1.1, Math.min(...x) - 0.1), Math.max(1.1, Math.max(...x) + 0.1));
    this.yAxis = new Axis(low - room, high + room);
  }

  ground(pen, { data, look }) {
    this.axes(pen, look, this.xAxis, this.yAxis, "x", "y");
    pen.strokeStyle = look.training;
    pen.lineWidth = 1.5;
    pen.setLineDash([2, 4]);
    this.line(pen, data.best[0], data.best[1]);
    pen.setLineDash([]);
  }

  line(pen, a1, a2) {
    const { lo, hi } = this.xAxis;
    pen.beginPath();
    pen.moveTo(this.xAxis.px(lo), this.yAxis.px(a1 * lo + a2));
    pen.lineTo(this.xAxis.px(hi), this.yAxis.px(a1 * hi + a2));
    pen.stroke();
  }

  live(pen, state) {
    const { data, look, view } = state,
      { a1, a2, rows } = state.now[0],
      used = rows ? new Set(rows) : null;
    if (view.squares) this.squares(pen, state, a1, a2, rows);
    for (let i = 0; i < data.x.length; i++) {
      const px = this.xAxis.px(data.x[i]),
        py = this.yAxis.px(data.y[i]);
      if (!used) disc(pen, px, py, 3.5, look.training, look.paper);
      else if (!used.has(i)) {
        pen.globalAlpha = 0.45;
        disc(pen, px, py, 3, look.training);
        pen.globalAlpha = 1;
      }
    }
    if (used)
      for (const i of used)
        disc(pen, this.xAxis.px(data.x[i]), this.yAxis.px(data.y[i]), 5.5, look.attention, look.ink);
    pen.strokeStyle = look.paper;
    pen.lineWidth = 6;
    this.line(pen, a1, a2);
    pen.strokeStyle = look.brand;
    pen.lineWidth = 3;
    this.line(pen, a1, a2);
    if (this.held)
      disc(pen, this.held.at.x, this.held.at.y, 8, this.holds(this.held.at) ? look.brand : look.too_high, look.paper);
  }

  // every error as a square: its area is what the loss adds up
  squares(pen, { data, look }, a1, a2, rows) {
    const list = rows ?? data.x.map((_, i) => i);
    pen.fillStyle = look.too_high;
    pen.strokeStyle = look.too_high;
    pen.lineWidth = 1;
    for (const i of list) {
      const px = this.xAxis.px(data.x[i]),
        py = this.yAxis.px(data.y[i]),
        end = this.yAxis.px(a1 * data.x[i] + a2),
        side = end - py;
      const left = px > this.box.x + this.box.w / 2 ? px - Math.abs(side) : px; // towards the middle: there it has room
      pen.globalAlpha = list.length > 40 ? 0.07 : 0.14;
      pen.fillRect(left, Math.min(py, end), Math.abs(side), Math.abs(side));
      pen.globalAlpha = 0.4;
      pen.strokeRect(left, Math.min(py, end), Math.abs(side), Math.abs(side));
    }
    pen.globalAlpha = 1;
  }

  nearest(at, within) {
    const { data } = this.state;
    let found = -1,
      best = within * within;
    for (let i = 0; i < data.x.length; i++) {
      const far = (this.xAxis.px(data.x[i]) - at.x) ** 2 + (this.yAxis.px(data.y[i]) - at.y) ** 2;
      if (far < best) {
        best = far;
        found = i;
      }
    }
    return found;
  }

  take(event) {
    if (!this.xAxis || event.button) return;
    const at = this.place(event),
      index = this.nearest(at, event.pointerType === "touch" ? 22 : 10);
    this.canvas.setPointerCapture(event.pointerId);
    this.began = at;
    if (index >= 0) this.held = { index, at, moved: false };
  }

  move(event) {
    if (!this.xAxis) return;
    const at = this.place(event);
    if (!this.held) {
      this.canvas.style.cursor = this.nearest(at, 10) >= 0 ? "grab" : "copy";
      return;
    }
    if (Math.hypot(at.x - this.began.x, at.y - this.began.y) > 3) this.held.moved = true;
    if (!this.held.moved) return;
    this.held.at = at;
    this.change.live(this.held.index, this.xAxis.at(at.x), this.yAxis.at(at.y));
  }

  drop(event) {
    const held = this.held,
      at = this.place(event),
      began = this.began;
    this.forget();
    if (held?.moved && !this.holds(at, 6)) this.change.send({ kind: "delete", index: held.index });
    else if (held?.moved)
      this.change.send({ kind: "move", index: held.index, x: this.xAxis.at(at.x), y: this.yAxis.at(at.y) });
    else if (
      !held &&
      began &&
      this.holds(at) &&
      Math.hypot(at.x - began.x, at.y - began.y) < 4 &&
      event.timeStamp - (this.added ?? -1e9) > 350
    ) {
      this.added = event.timeStamp;
      this.change.send({ kind: "add", x: this.xAxis.at(at.x), y: this.yAxis.at(at.y) });
    }
  }

  remove(event) {
    const index = this.nearest(this.place(event), 10);
    if (index >= 0 && event.timeStamp - (this.added ?? -1e9) > 600) this.change.send({ kind: "delete", index });
  }

  forget() {
    this.held = null;
    this.began = null;
  }
}
