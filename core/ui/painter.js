// Knots to drag: a schedule between them is half a cosine wave from each to the next, as core.train.schedules has it.
export default function ({ data, parentElement, setTriggerValue }) {
  const W = 720, H = 340, LEFT = 84, RIGHT = 18, TOP = 16, BOTTOM = 66, NS = "http://www.w3.org/2000/svg";
  const svg = parentElement.querySelector("svg"), said = parentElement.querySelector("output");
  const places = [...data.places], heights = [...data.heights], last = places.length - 1;
  const x = (place) => LEFT + place * (W - LEFT - RIGHT), y = (height) => TOP + (1 - height) * (H - TOP - BOTTOM);
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const rate = (value) => value === 0 ? "0" : value >= 1 ? String(+value.toPrecision(3)) : value.toExponential(1).replace(".0e", "e");
  const make = (name, attributes, text) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    svg.append(made);
    return made;
  };
  const focused = svg.getRootNode().activeElement?.dataset?.knot;
  svg.replaceChildren();
  for (const [height, text] of [[0, "0"], [0.5, rate(data.lr / 2)], [1, rate(data.lr)]]) {
    make("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: y(height), y2: y(height) });
    make("text", { x: LEFT - 8, y: y(height) + 5, "text-anchor": "end" }, text);
  }
  const every = Math.max(1, Math.ceil(data.epochs / 10));
  for (let epoch = 0; epoch <= data.epochs; epoch += every) {
    make("line", { class: "grid", x1: x(epoch / data.epochs), x2: x(epoch / data.epochs), y1: TOP, y2: H - BOTTOM });
    make("text", { x: x(epoch / data.epochs), y: H - BOTTOM + 32, "text-anchor": "middle" }, epoch);
  }
  make("text", { x: (LEFT + W - RIGHT) / 2, y: H - 6, "text-anchor": "middle" }, "epochs");
  const under = make("polygon", { class: "under" }), curve = make("polyline", { class: "curve" });
  const at = (pos) => {
    const right = Math.max(1, places.findIndex((place) => pos <= place)), left = right - 1;
    const part = (pos - places[left]) / (places[right] - places[left]);
    return heights[right] + (heights[left] - heights[right]) * (1 + Math.cos(Math.PI * clamp(part, 0, 1))) / 2;
  };
  const words = (knot) => `${(places[knot] * data.epochs).toFixed(1)} epochs: ${rate(heights[knot] * data.lr)}`;
  const knots = places.map((_, knot) => {
    const group = make("g", { class: "knot", tabindex: 0, role: "slider", "data-knot": knot, "aria-valuemin": 0, "aria-valuemax": 100 });
    for (const [name, r] of [["reach", 24], ["dot", 10]]) {
      const circle = document.createElementNS(NS, "circle");
      circle.setAttribute("class", name); circle.setAttribute("r", r); group.append(circle);
    }
    return group;
  });
  const draw = (knot) => {
    const points = Array.from({ length: 201 }, (_, i) => `${x(i / 200).toFixed(1)},${y(at(i / 200)).toFixed(1)}`).join(" ");
    curve.setAttribute("points", points);
    under.setAttribute("points", `${x(0)},${y(0)} ${points} ${x(1)},${y(0)}`);
    knots.forEach((group, i) => {
      group.setAttribute("transform", `translate(${x(places[i])} ${y(heights[i])})`);
      group.setAttribute("aria-label", `Knot ${i + 1} of ${knots.length}, ${words(i)}`);
      group.setAttribute("aria-valuenow", Math.round(100 * heights[i]));
      group.setAttribute("aria-valuetext", words(i));
    });
    if (knot !== undefined) said.textContent = `Knot ${knot + 1} at ${words(knot)}`;
  };
  const move = (knot, place, height) => {
    if (knot > 0 && knot < last) places[knot] = clamp(Math.round(place * 100) / 100, places[knot - 1] + 0.02, places[knot + 1] - 0.02);
    heights[knot] = clamp(Math.round(height * 100) / 100, 0, 1);
    draw(knot);
  };
  let timer;
  const tell = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(() => setTriggerValue("knots", { places: places.map((p) => +p.toFixed(2)), heights }), wait);
  };
  knots.forEach((group, knot) => {
    group.onpointerdown = (event) => { event.preventDefault(); group.setPointerCapture(event.pointerId); group.focus(); group.classList.add("held"); };
    group.onpointermove = (event) => {
      if (!group.classList.contains("held")) return;
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      move(knot, (point.x - LEFT) / (W - LEFT - RIGHT), 1 - (point.y - TOP) / (H - TOP - BOTTOM));
    };
    group.onpointerup = group.onpointercancel = () => { if (group.classList.contains("held")) { group.classList.remove("held"); tell(0); } };
    group.onkeydown = (event) => {
      const step = event.shiftKey ? 0.01 : 0.05;
      const [right, up] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key] ?? [0, 0];
      if (!right && !up) return;
      event.preventDefault(); event.stopPropagation();
      move(knot, places[knot] + right, heights[knot] + up);
      tell(600);
    };
  });
  draw();
  if (focused !== undefined) knots[focused]?.focus();
  return () => clearTimeout(timer);
}
