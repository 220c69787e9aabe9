// Saves the addresses of the pictures on this page as urls.txt, the largest first.
(() => {
  const found = new Map(), photo = /\/[^/:]+\.(jpe?g|png|gif|webp|bmp)$/i, packed = /^(img_?url|mediaurl|murl|url|u)$/i;
  const clean = (text) => { try {
    const url = new URL(text || "none:", document.baseURI);
    const inside = [...url.searchParams].find(([name, value]) => packed.test(name) && /^https?:/i.test(value));
    return inside ? clean(inside[1]) : (url.hash = "", /^http/.test(url.protocol) ? url : null);
  } catch { return null; } };
  const add = (url, size) => url && found.set(url.href, Math.max(size, found.get(url.href) ?? 0));
  const linked = (a) => (photo.test(clean(a?.href)?.pathname) || /[?&](img_?url|mediaurl|murl)=/i.test(a?.search)) && clean(a.href);
  for (const a of document.links) add(linked(a), Infinity);
  for (const img of document.images) {
    const width = Math.max(img.naturalWidth, img.width), height = Math.max(img.naturalHeight, img.height);
    const lazy = [...img.attributes].filter(({ name }) => /^data-.*(src|original|lazy|url)$/.test(name));
    const sets = [img, ...(img.closest("picture")?.querySelectorAll("source:not([type*=avif])") ?? [])];
    const all = lazy.map(({ value }) => [clean(value), width]);
    all.push([clean(img.src), img.currentSrc === img.src ? width : 1]);
    for (const text of sets.flatMap((part) => [part.srcset, part.dataset.srcset ?? ""]))
      for (const [, url, count = 1, unit] of text.matchAll(/([^\s,]\S*[^\s,])(?:\s+([\d.]+)([wx]))?\s*(?:,|$)/g))
        all.push([clean(url), unit === "w" ? +count : count * img.width]);
    const best = all.filter(([url]) => url).sort((one, two) => two[1] - one[1])[0];
    if (best && (Math.min(width, height) >= 64 || lazy.length) && !linked(img.closest("a"))) add(...best);
  }
  for (const { style, offsetWidth: width } of document.querySelectorAll("[style*='url(']"))
    if (width >= 64) add(clean(/url\("(.*)"\)/.exec(style.backgroundImage)?.[1]), width);
  const list = [...found].sort((one, two) => two[1] - one[1]).map(([url]) => `${url}\n`), file = new Blob(list);
  Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "urls.txt" }).click();
  return `${list.length} addresses saved in urls.txt`;
})();
