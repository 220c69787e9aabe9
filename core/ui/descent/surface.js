// One figure on a canvas: sharp on every screen, with a layer that is drawn once and what moves above it.

class Surface {
  constructor(name, title, alt) {
    this.figure = document.createElement("figure");
    this.figure.className = ["panel", ...name.split(" ").map((part) => `panel-${part}`)].join(" ");
    this.caption = document.createElement("figcaption");
    this.title = document.createElement("span");
    this.title.textContent = title;
    this.caption.append(this.title);
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", alt);
    this.frame = document.createElement("div");
    this.frame.className = "frame";
    this.frame.append(this.canvas);
    this.figure.append(this.caption, this.frame);
    this.back = document.createElement("canvas");
    this.stale = true;
    this.margin = { left: 40, right: 10, top: 8, bottom: 37 };
  }

  // takes the size that the page gives; true when it has one
  fit() {
    const w = this.frame.clientWidth,
      h = this.frame.clientHeight,
      sharp = Math.min(2, window.devicePixelRatio || 1);
    if (!w || !h) return false;
    if (w !== this.w || h !== this.h || sharp !== this.sharp) {
      Object.assign(this, { w, h, sharp, stale: true });
      for (const canvas of [this.canvas, this.back]) {
        canvas.width = w * sharp;
        canvas.height = h * sharp;
      }
      this.small = w < 230;
      this.pen = this.canvas.getContext("2d");
    }
    const m = this.margin;
    this.box = { x: m.left, y: m.top, w: w - m.left - m.right, h: h - m.top - m.bottom };
    return true;
  }

  draw(state) {
    if (!this.fit()) return;
    if (this.stale) {
      const pen = this.back.getContext("2d");
      pen.setTransform(this.sharp, 0, 0, this.sharp, 0, 0);
      pen.clearRect(0, 0, this.w, this.h);
      this.settle(state);
      this.ground(pen, state);
      this.stale = false;
    }
    this.pen.setTransform(1, 0, 0, 1, 0, 0);
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.pen.drawImage(this.back, 0, 0);
    this.pen.setTransform(this.sharp, 0, 0, this.sharp, 0, 0);
    this.pen.save();
    this.pen.beginPath();
    this.pen.rect(this.box.x, this.box.y, this.box.w, this.box.h);
    this.pen.clip();
    this.live(this.pen, state);
    this.pen.restore();
    this.above(this.pen, state);
  }

  // lets pictures put the axes where the data want them; draw what stands still, what moves, what may leave the frame
  settle() {}
  ground() {}
  live() {}
  above() {}

  axes(pen, look, xAxis, yAxis, xLabel, yLabel) {
    const { x, y, w, h } = this.box,
      size = look.font_px - (this.small ? 3 : 1);
    xAxis.span(x, x + w);
    yAxis.span(y + h, y);
    pen.font = `${size}px "Source Sans", sans-serif`;
    pen.lineWidth = 1;
    pen.strokeStyle = look.faint;
    pen.fillStyle = look.training;
    pen.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const tick of xAxis.ticks(this.small ? 3 : 5))
      pen.fillText(sayTick(tick), this.within(pen, xAxis.px(tick), sayTick(tick)), y + h + 4);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const tick of yAxis.ticks(this.small ? 3 : 5))
      pen.fillText(sayTick(tick), x - 5, Math.max(y + 5, Math.min(y + h - 5, yAxis.px(tick))));
    pen.fillStyle = look.ink;
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    pen.fillText(xLabel, x + w / 2, y + h + this.margin.bottom - 7);
    pen.save();
    pen.translate(size - 2, y + h / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(yLabel, 0, 0);
    pen.restore();
  }

  within(pen, px, text) {
    const half = pen.measureText(text).width / 2;
    return Math.min(this.w - half - 1, Math.max(half + 1, px));
  }

  place(event) {
    const at = this.canvas.getBoundingClientRect();
    return { x: event.clientX - at.left, y: event.clientY - at.top };
  }

  holds({ x, y }, slack = 0) {
    const b = this.box;
    return x >= b.x - slack && x <= b.x + b.w + slack && y >= b.y - slack && y <= b.y + b.h + slack;
  }
}

function disc(pen, x, y, radius, fill, edge) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = fill;
  pen.fill();
  if (edge) {
    pen.lineWidth = 1.5;
    pen.strokeStyle = edge;
    pen.stroke();
  }
}

// the part of a line inside a box with some room around it; null: none. Dashes that lead far out are slow to draw
function clipped(x0, y0, x1, y1, box, room = 12) {
  let from = 0,
    to = 1;
  const ways = [
    [x0 - x1, x0 - box.x + room],
    [x1 - x0, box.x + box.w + room - x0],
    [y0 - y1, y0 - box.y + room],
    [y1 - y0, box.y + box.h + room - y0],
  ];
  for (const [slope, gap] of ways) {
    if (slope === 0 && gap < 0) return null;
    if (slope < 0) from = Math.max(from, gap / slope);
    if (slope > 0) to = Math.min(to, gap / slope);
  }
  if (!(from <= to)) return null;
  const at = (part) => [x0 + part * (x1 - x0), y0 + part * (y1 - y0)];
  return { from: at(from), to: at(to), cut: from > 0 };
}

function arrow(pen, x, y, dx, dy, colour, casing, dash = []) {
  const length = Math.hypot(dx, dy);
  if (length < 3) return;
  const ux = dx / length,
    uy = dy / length,
    head = Math.min(9, length * 0.6),
    tipX = x + dx,
    tipY = y + dy;
  for (const [style, width] of [
    [casing, 5.5],
    [colour, 2.75],
  ]) {
    pen.strokeStyle = style;
    pen.fillStyle = style;
    pen.lineWidth = width;
    pen.lineCap = "butt";
    pen.setLineDash(style === colour ? dash : []);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(tipX - ux * head * 0.8, tipY - uy * head * 0.8);
    pen.stroke();
    pen.setLineDash([]);
    const wing = style === casing ? head * 0.75 : head * 0.55,
      back = style === casing ? head + 2 : head;
    pen.beginPath();
    pen.moveTo(tipX + (style === casing ? ux * 2 : 0), tipY + (style === casing ? uy * 2 : 0));
    pen.lineTo(tipX - ux * back - uy * wing, tipY - uy * back + ux * wing);
    pen.lineTo(tipX - ux * back + uy * wing, tipY - uy * back - ux * wing);
    pen.closePath();
    pen.fill();
  }
}

// what the lines mean, in the corner where the least goes on
function legend(surface, pen, entries, look) {
  const size = look.font_px - (surface.small ? 3 : 1),
    b = surface.box,
    dark = entries.dark;
  pen.font = `${size}px "Source Sans", sans-serif`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  const wide = Math.max(...entries.list.map(({ text }) => pen.measureText(text).width)) + 38,
    tall = entries.list.length * (size + 4) + 4;
  const left = Math.max(b.x + 2, b.x + b.w - wide - 4),
    top = entries.low ? b.y + b.h - tall - 4 : b.y + 4;
  pen.globalAlpha = 0.8;
  pen.fillStyle = dark ? look.night : look.paper;
  pen.fillRect(left, top, wide, tall);
  pen.globalAlpha = 1;
  entries.list.forEach(({ text, colour, dash }, i) => {
    const y = top + 2 + (i + 0.5) * (size + 4);
    pen.strokeStyle = colour;
    pen.lineWidth = 2.5;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(left + 5, y);
    pen.lineTo(left + 28, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = dark ? "#ffffff" : look.ink;
    pen.fillText(text, left + 33, y + 1);
  });
}

// a small flag of words on paper, kept inside the figure
function flag(surface, pen, text, x, y, colour, paper, size) {
  pen.font = `600 ${size}px "Source Sans", sans-serif`;
  const w = pen.measureText(text).width + 8,
    b = surface.box;
  const left = Math.max(b.x + 2, Math.min(b.x + b.w - w - 2, x - w / 2)),
    top = Math.max(b.y + 2, Math.min(b.y + b.h - size - 8, y));
  pen.globalAlpha = 0.88;
  pen.fillStyle = paper;
  pen.fillRect(left, top, w, size + 6);
  pen.globalAlpha = 1;
  pen.fillStyle = colour;
  pen.textAlign = "left";
  pen.textBaseline = "top";
  pen.fillText(text, left + 4, top + 3);
}
