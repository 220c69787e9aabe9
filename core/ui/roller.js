// Balls on a bumpy landscape, in lanes: every step was computed before; here they are played, without asking the server.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".roller"), lanes = root.querySelector(".lanes"), scrub = root.querySelector("input");
  const play = root.querySelector("[data-do=play]"), speeds = root.querySelector("select");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const unpack = (text) => new Uint16Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const probe = root.querySelector("output");  // a colour of the page's style depends on the theme: an element resolves it
  const css = (name) => { probe.style.color = `var(${name})`; const found = getComputedStyle(probe).color; probe.style.color = ""; return found; };
  const last = data.steps, before = root.kept;
  const now = { step: before?.id === data.id ? before.step : 0, playing: false, since: 0 };
  root.kept = { id: data.id, step: now.step };
  lanes.replaceChildren();
  const drawn = data.lanes.map((lane) => {
    const place = document.createElement("figure");
    place.innerHTML = "<figcaption><b></b><span></span></figcaption><canvas role='img'></canvas>";
    place.querySelector("b").textContent = lane.name;
    lanes.append(place);
    const canvas = place.querySelector("canvas");
    canvas.setAttribute("aria-label", lane.alt);
    return { ...lane, places: unpack(lane.at), canvas, said: place.querySelector("span") };
  });
  const heightAt = (place) => {
    let right = data.places.findIndex((edge) => place <= edge);
    right = right < 1 ? (right < 0 ? data.places.length - 1 : 1) : right;
    const part = (place - data.places[right - 1]) / (data.places[right] - data.places[right - 1]);
    const [start, end] = [data.heights[right - 1], data.heights[right]];
    return end + (start - end) * (1 + Math.cos(Math.PI * Math.min(1, Math.max(0, part)))) / 2;
  };
  const fine = Array.from({ length: 401 }, (_, i) => heightAt(i / 400 * data.length));
  const broadAt = (place) => data.broad.some(([start, end]) => place >= start && place <= end);

  const paint = (lane) => {
    const wide = lane.canvas.clientWidth || 500, high = lane.canvas.clientHeight || 260, ratio = devicePixelRatio || 1;
    if (lane.canvas.width !== Math.round(wide * ratio) || lane.canvas.height !== Math.round(high * ratio)) {
      lane.canvas.width = Math.round(wide * ratio); lane.canvas.height = Math.round(high * ratio);
    }
    const pen = lane.canvas.getContext("2d"), land = high - 84;
    const ink = css("--ink"), soft = css("--soft"), good = css("--good"), faint = css("--line"), brand = css("--brand"), track = css("--track");
    const x = (place) => 4 + place / data.length * (wide - 8), y = (height) => 14 + (1 - height) * (land - 24);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.font = "13px sans-serif"; pen.textAlign = "center"; pen.lineWidth = 1;
    for (const [start, end] of data.broad) {
      pen.fillStyle = track; pen.fillRect(x(start), 0, x(end) - x(start), land);
      pen.fillStyle = soft; pen.fillText("broad", (x(start) + x(end)) / 2, 12);
    }
    pen.beginPath();
    fine.forEach((height, i) => pen[i ? "lineTo" : "moveTo"](x(i / 400 * data.length), y(height)));
    pen.strokeStyle = ink; pen.lineWidth = 2; pen.stroke();
    for (let ball = 0; ball < data.balls; ball++) {
      const place = lane.places[now.step * data.balls + ball] / 65535 * data.length, broad = broadAt(place);
      pen.beginPath(); pen.arc(x(place), y(heightAt(place)) - 5, 4.5, 0, 2 * Math.PI);
      pen.fillStyle = broad ? good : css("--card"); pen.strokeStyle = broad ? good : soft; pen.lineWidth = 1.5;
      pen.globalAlpha = 0.85; pen.fill(); pen.stroke(); pen.globalAlpha = 1;
    }
    const base = high - 20, top = land + 12, across = (step) => 4 + step / last * (wide - 8), up = (rate) => base - rate / data.top * (base - top);
    pen.strokeStyle = faint; pen.lineWidth = 1;
    for (let epoch = 0; epoch <= data.epochs; epoch++) { pen.beginPath(); pen.moveTo(across(epoch / data.epochs * last), top); pen.lineTo(across(epoch / data.epochs * last), base); pen.stroke(); }
    pen.beginPath();
    lane.rates.forEach((rate, step) => pen[step ? "lineTo" : "moveTo"](across(step), up(rate)));
    pen.strokeStyle = brand; pen.lineWidth = 2; pen.stroke();
    if (data.limit < data.top) {
      pen.setLineDash([3, 4]); pen.strokeStyle = soft; pen.lineWidth = 1.2; pen.beginPath();
      pen.moveTo(4, up(data.limit)); pen.lineTo(wide - 4, up(data.limit)); pen.stroke(); pen.setLineDash([]);
    }
    pen.beginPath(); pen.arc(across(now.step), up(lane.rates[Math.min(now.step, last - 1)]), 5, 0, 2 * Math.PI); pen.fillStyle = brand; pen.fill();
    pen.fillStyle = soft; pen.textAlign = "left"; pen.fillText("rate, over " + data.epochs + " epochs", 6, high - 5);
    lane.said.textContent = `${lane.counts[now.step]} of ${data.all} over a broad valley`;
  };
  const show = () => {
    root.kept.step = now.step; root.dataset.step = now.step;
    scrub.value = now.step; scrub.setAttribute("aria-valuetext", `step ${now.step} of ${last}`);
    root.querySelector("output").textContent = `step ${now.step} of ${last}`;
    play.textContent = now.playing ? "❚❚ Pause" : "▶ Play"; play.setAttribute("aria-pressed", now.playing);
    drawn.forEach(paint);
  };
  const go = (step) => { now.step = Math.min(last, Math.max(0, step)); show(); };
  const tick = (time) => {
    if (!now.playing || !root.isConnected) return;
    const due = Math.floor((time - now.since) / 1000 * 30 * Number(speeds.value));
    if (due >= 1) { now.since = time; root.dataset.frames = Number(root.dataset.frames ?? 0) + 1; now.step = Math.min(last, now.step + due); if (now.step === last) now.playing = false; show(); }
    requestAnimationFrame(tick);
  };
  const toggle = () => {
    now.playing = !now.playing;
    if (now.playing && now.step === last) now.step = 0;
    now.since = performance.now();
    show();
    if (now.playing) requestAnimationFrame(tick);
  };
  const actions = { play: toggle, back: () => { now.playing = false; go(now.step - 1); }, on: () => { now.playing = false; go(now.step + 1); }, again: () => { now.playing = false; go(0); }, end: () => { now.playing = false; go(last); } };
  for (const button of root.querySelectorAll("button")) button.onclick = () => actions[button.dataset.do]();
  scrub.max = last; scrub.oninput = () => { now.playing = false; go(Number(scrub.value)); };
  root.onkeydown = (event) => {
    if (event.target.tagName === "SELECT") return;
    const name = { " ": "play", ArrowLeft: "back", ArrowRight: "on", r: "again", R: "again" }[event.key];
    if (!name || (event.key === " " && event.target.tagName === "BUTTON") || (event.target === scrub && event.key.startsWith("Arrow"))) return;
    event.preventDefault(); event.stopPropagation(); actions[name]();
  };
  const watcher = new ResizeObserver(() => drawn.forEach(paint));
  watcher.observe(root);
  if (still && before?.id !== data.id) now.step = last;  // nobody who asked for rest is made to watch
  show();
  return () => { now.playing = false; watcher.disconnect(); };
}
