// Hinges to drag: each is a line that max(x, 0) bends; below their lines, above their sum over the target.
export default function ({ data, parentElement, setTriggerValue }) {
  const W = 760, TOP = [10, 210], BELOW = [236, 390], LEFT = 34, RIGHT = 14, HIGH = 1.6, NS = "http://www.w3.org/2000/svg";
  const svg = parentElement.querySelector("svg"), said = parentElement.querySelector("output");
  const hinges = data.hinges.map((hinge) => ({ ...hinge })), span = Math.max(1.6, ...hinges.map(({ at, weight, side }) => Math.abs(weight) * Math.max(side * (1 - at), side * (-1 - at))));
  const low = Math.min(span, 6);
  const x = (value) => LEFT + (value + 1) / 2 * (W - LEFT - RIGHT);
  const scale = ([top, bottom], high) => (value) => (top + bottom) / 2 - Math.max(-high, Math.min(high, value)) / high * (bottom - top) / 2;
  const y = scale(TOP, HIGH), below = scale(BELOW, low);
  const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
  const bend = (value) => data.bent ? Math.max(0, value) : value;
  const unit = ({ at, weight, side }, place) => weight * bend(side * (place - at));
  const grid = Array.from({ length: 161 }, (_, i) => -1 + i / 80);
  const sum = (place) => data.level + hinges.reduce((total, hinge) => total + unit(hinge, place), 0);
  const make = (name, attributes, text, parent = svg) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const path = (of, to) => grid.map((place) => `${x(place).toFixed(1)},${to(of(place)).toFixed(1)}`).join(" ");
  const focused = svg.getRootNode().activeElement?.dataset?.grip;
  svg.replaceChildren();
  for (const [box, to, high] of [[TOP, y, HIGH], [BELOW, below, low]]) {
    make("rect", { class: "box", x: LEFT, y: box[0], width: W - LEFT - RIGHT, height: box[1] - box[0] });
    make("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: to(0), y2: to(0) });
    make("text", { x: LEFT - 6, y: to(0) + 5, "text-anchor": "end" }, "0");
  }
  make("polyline", { class: "target", points: grid.map((place, i) => `${x(place).toFixed(1)},${y(data.target[i]).toFixed(1)}`).join(" ") });
  const total = make("polyline", { class: "sum" });
  const lines = hinges.map((_, i) => make("polyline", { class: `unit unit-${i % 4}` }));
  make("text", { x: LEFT + 8, y: TOP[0] + 20 }, "the sum, over the target");
  make("text", { x: LEFT + 8, y: BELOW[0] + 20 }, data.bent ? "what is added up: hinges" : "what is added up: lines");
  const draw = () => {
    total.setAttribute("points", path(sum, y));
    lines.forEach((line, i) => line.setAttribute("points", path((place) => unit(hinges[i], place), below)));
    const miss = grid.reduce((all, place, i) => all + (sum(place) - data.target[i]) ** 2, 0) / grid.length;
    said.textContent = `loss ${miss.toPrecision(2)}: the mean squared distance from the target`;
    svg.dataset.loss = miss;
    grips.forEach(({ group, kind, i }) => {
      const hinge = hinges[i], place = kind === "at" ? hinge.at : hinge.side > 0 ? 1 : -1;
      group.setAttribute("transform", `translate(${x(clamp(place, -1, 1))} ${below(kind === "at" ? 0 : unit(hinge, place))})`);
      const words = kind === "at" ? `bends at ${hinge.at.toFixed(2)}` : `slope ${hinge.weight.toFixed(2)}`;
      group.setAttribute("aria-label", `Hinge ${i + 1} ${words}`);
      group.setAttribute("aria-valuenow", kind === "at" ? hinge.at : hinge.weight);
    });
  };
  let timer;
  const tell = (wait) => { clearTimeout(timer); timer = setTimeout(() => setTriggerValue("hinges", hinges.map(({ at, weight }) => [+at.toFixed(2), +weight.toFixed(2)])), wait); };
  const grips = !data.free ? [] : hinges.flatMap((_, i) => ["slope", "at"].map((kind) => {
    const group = make("g", { class: `grip ${kind}`, tabindex: 0, role: "slider", "data-grip": `${kind}${i}`, "aria-valuemin": kind === "at" ? -1 : -6, "aria-valuemax": kind === "at" ? 1 : 6 });
    make("circle", { class: "reach", r: 22 }, undefined, group);
    kind === "at" ? make("circle", { class: `dot unit-${i % 4}`, r: 9 }, undefined, group) : make("rect", { class: `dot unit-${i % 4}`, x: -8, y: -8, width: 16, height: 16 }, undefined, group);
    const move = (place, slope) => {
      if (kind === "at") hinges[i].at = clamp(Math.round(place * 100) / 100, -1, 0.95);
      else hinges[i].weight = clamp(Math.round(slope * 100) / 100, -6, 6);
      draw();
    };
    group.onpointerdown = (event) => { event.preventDefault(); group.setPointerCapture(event.pointerId); group.focus(); group.classList.add("held"); };
    group.onpointermove = (event) => {
      if (!group.classList.contains("held")) return;
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const height = ((BELOW[0] + BELOW[1]) / 2 - point.y) / (BELOW[1] - BELOW[0]) * 2 * low;
      move((point.x - LEFT) / (W - LEFT - RIGHT) * 2 - 1, height / Math.max(0.05, 1 - hinges[i].at));
    };
    group.onpointerup = group.onpointercancel = () => { if (group.classList.contains("held")) { group.classList.remove("held"); tell(0); } };
    group.onkeydown = (event) => {
      const sign = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!sign) return;
      event.preventDefault(); event.stopPropagation();
      const step = event.shiftKey ? 0.01 : 0.05;
      move(hinges[i].at + sign * step, hinges[i].weight + 2 * sign * step);
      tell(600);
    };
    return { group, kind, i };
  }));
  draw();
  if (focused !== undefined) grips.find(({ group }) => group.dataset.grip === focused)?.group.focus();
  return () => clearTimeout(timer);
}
