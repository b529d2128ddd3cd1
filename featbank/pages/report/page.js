// The report page: sorting, colours, contents, and the map, which scatter.js draws.

const $ = (id) => document.getElementById(id);
const make = (tag, attributes = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
};
const told = (n) => n.toLocaleString("en");

// ---------------------------------------------------------------- tables
function sortBy(table, place) {
  const heads = [...table.tHead.rows[0].cells];
  const before = heads[place].getAttribute("aria-sort");
  const isNumber = heads[place].classList.contains("num");
  // What is best comes first: the greatest number, the first letter.
  const first = isNumber && heads[place].dataset.better !== "-1" ? "descending" : "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  const order = before === first ? other : first;
  const sign = order === "ascending" ? 1 : -1;
  const value = (row) => {
    const cell = row.cells[place];
    return isNumber ? parseFloat(cell.dataset.value) : cell.textContent.trim();
  };
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (!isNumber) return sign * x.localeCompare(y, "en", { numeric: true });
    // Cells without a number stay last either way.
    return isNaN(x) || isNaN(y) ? isNaN(x) - isNaN(y) : sign * (x - y);
  };
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[place].setAttribute("aria-sort", order);
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
}
for (const table of document.querySelectorAll("table.data"))
  [...table.tHead.rows[0].cells].forEach((head, place) =>
    head.firstElementChild.addEventListener("click", () => sortBy(table, place)));

// ---------------------------------------------------------------- colours of the page, contents
const THEMES = ["system", "light", "dark"];
function setTheme(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  $("theme").textContent = `Colours: ${name}`;
  $("theme").dataset.now = name;
  try { localStorage.setItem("featbank-theme", name); } catch { /* no storage for local files */ }
}
$("theme").addEventListener("click", () =>
  setTheme(THEMES[(THEMES.indexOf($("theme").dataset.now) + 1) % THEMES.length]));
let kept = null;
try { kept = localStorage.getItem("featbank-theme"); } catch { /* no storage for local files */ }
setTheme(THEMES.includes(kept) ? kept : "system");

const links = new Map([...document.querySelectorAll(".toc a")].map((a) => [a.hash.slice(1), a]));
const reading = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((each) => each.isIntersecting)) {
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(entry.target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "-10% 0px -75% 0px" });
document.querySelectorAll("main > section").forEach((section) => reading.observe(section));

// ---------------------------------------------------------------- data of the map
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
async function unpack(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const kinds = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };
  const arrays = {};
  for (const [name, { start, length: n, type }] of Object.entries(header.arrays))
    arrays[name] = new kinds[type](buffer, 4 + length + start, n);
  return { ...header, arrays };
}

// A chip's picture: which sheet, where on it. Sheets are decoded when they are first looked at.
function makePictures(data) {
  const texts = [...document.querySelectorAll("script.sheet")].map((each) => each.textContent);
  const sheets = texts.map(() => null);
  const { side, columns, each } = data.sprites;
  const open = (sheet) => (sheets[sheet] ||= createImageBitmap(
    new Blob([bytesOf(texts[sheet])], { type: "image/webp" })));
  async function draw(index, canvas, isWanted = () => true) {
    const place = data.arrays.sprite ? data.arrays.sprite[index] - 1 : -1;
    canvas.hidden = place < 0;
    if (place < 0) return false;
    const sheet = await open(Math.floor(place / each));
    if (!isWanted()) return false;
    const cell = place % each, pen = canvas.getContext("2d");
    const [x, y] = [(cell % columns) * side, Math.floor(cell / columns) * side];
    pen.imageSmoothingQuality = "high";
    pen.drawImage(sheet, x, y, side, side, 0, 0, canvas.width, canvas.height);
    return true;
  }
  return { draw };
}

// Ways to colour the points: a column, or one label of several against the rest.
function makeSchemes(data) {
  const schemes = new Map();
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const outcome = ["#0072b2", "#d55e00", "#9aa0a8"];
  const add = (key, title, values, codes, colours, group) => {
    const counts = new Uint32Array(values.length);
    for (const code of codes) counts[code]++;
    schemes.set(key, { key, title, values, codes, counts, colours: colours.map(rgb), group });
  };
  const grey = new Set(["unknown", "not scored", "unlabelled"]);
  const palette = (values) =>
    values.map((v, k) => (grey.has(v) ? "#9aa0a8" : data.colours[k % data.colours.length]));
  for (const column of data.columns) {
    const codes = data.arrays[column.key];
    if (column.kind === "one") {
      const colours = column.role === "outcome" ? outcome : palette(column.values);
      if (column.values.length <= data.legend_values)
        add(column.key, column.title, column.values, codes, colours, "");
      continue;
    }
    if (column.role !== "labels") continue;
    column.values.forEach((label, k) => {
      const bits = bitsOf(codes, column.values.length, k, data.n);
      const ours = Uint8Array.from(bits, (bit) => 1 - bit);
      add(`labels:${k}`, label, [label, "others"], ours, ["#d55e00", "#b4bac2"], column.title);
    });
  }
  return schemes;
}
function bitsOf(codes, labels, k, n) {
  const stride = Math.ceil(labels / 8), byte = k >> 3, bit = k & 7;
  return Uint8Array.from({ length: n }, (_, i) => (codes[i * stride + byte] >> bit) & 1);
}

// ---------------------------------------------------------------- the map
function explore(data) {
  const schemes = makeSchemes(data), pictures = makePictures(data);
  const byKey = new Map(data.columns.map((column) => [column.key, column]));
  const lower = data.ids.map((id) => id.toLowerCase());
  const filters = new Map();
  const visible = new Uint8Array(data.n).fill(1);
  let scheme = null, chosen = [], pinned = -1, hovered = -1;
  const x = new Float32Array(data.n), y = new Float32Array(data.n);
  for (let i = 0; i < data.n; i++) [x[i], y[i]] = [data.arrays.xy[2 * i], data.arrays.xy[2 * i + 1]];
  const scatter = createScatter($("plot"), { x, y }, {
    onHover: (index, px, py) => (hovered = index, show(index < 0 ? pinned : index, px, py)),
    onClick: (index) => (pinned = index === pinned ? -1 : index, show(pinned)),
    onSelect: (indices) => select([...indices]),
  });

  // -- colours and legend
  function colour(key) {
    scheme = schemes.get(key);
    if (!scheme) return;
    const rgb = new Uint8Array(data.n * 3);
    for (let i = 0; i < data.n; i++) rgb.set(scheme.colours[scheme.codes[i]], i * 3);
    scatter.setColours(rgb);
    scatter.setEmphasis(null);
    drawLegend();
  }
  function drawLegend() {
    $("legend-title").textContent = scheme.group ? `${scheme.group}, one against the rest`
      : scheme.title;
    $("legend").replaceChildren(...scheme.values.map((value, code) => {
      const dot = make("span", { className: "dot" });
      dot.style.background = `rgb(${scheme.colours[code].join(" ")})`;
      const button = make("button", { type: "button", className: "others" }, dot,
        make("span", { textContent: value }),
        make("span", { className: "n", textContent: told(scheme.counts[code]) }));
      button.addEventListener("click", () => toggle(scheme.key, code));
      const strong = (on) => scatter.setEmphasis(
        on ? Uint8Array.from(scheme.codes, (each) => (each === code ? 1 : 0)) : null);
      button.addEventListener("pointerenter", () => strong(true));
      button.addEventListener("pointerleave", () => strong(false));
      return make("li", {}, button);
    }));
    markLegend();
  }
  function markLegend() {
    const kept = filters.get(scheme.key);
    [...$("legend").querySelectorAll("button")].forEach((button, code) => {
      button.setAttribute("aria-pressed", Boolean(kept?.has(code)));
      button.classList.toggle("others", Boolean(kept?.size));
    });
  }

  // -- filters
  function toggle(key, code) {
    const kept = filters.get(key) || new Set();
    if (!kept.delete(code)) kept.add(code);
    if (kept.size) filters.set(key, kept);
    else filters.delete(key);
    filter();
  }
  function filter() {
    const wanted = $("search").value.trim().toLowerCase();
    const active = [...filters].map(([key, kept]) => [schemes.get(key).codes, kept]);
    let shown = 0;
    for (let i = 0; i < data.n; i++) {
      const passes = active.every(([codes, kept]) => kept.has(codes[i]));
      visible[i] = passes && (!wanted || lower[i].includes(wanted)) ? 1 : 0;
      shown += visible[i];
    }
    scatter.setVisible(visible);
    $("shown").value = `${told(shown)} of ${told(data.n)} points shown`;
    $("clear").hidden = !filters.size && !wanted;
    markLegend();
    reflect();
    if (pinned >= 0 && !visible[pinned]) pinned = -1, show(-1);
  }
  // Both selects say what the legend has filtered, and the other way round.
  function reflect() {
    for (const [select, keys] of menus) {
      const kept = keys.flatMap((key) => [...(filters.get(key) || [])].map((c) => `${key}|${c}`));
      select.querySelector("[value=several]")?.remove();
      if (kept.length > 1 || (kept[0] && ![...select.options].some((o) => o.value === kept[0])))
        select.append(new Option("Several", "several"));
      select.value = !kept.length ? "" : kept.length === 1 &&
        [...select.options].some((o) => o.value === kept[0]) ? kept[0] : "several";
    }
  }
  const menus = new Map();
  function menu(id, title, options) {
    const select = $(id);
    $(`${id}-box`).hidden = !options.length;
    select.append(new Option(title, ""), ...options.map(([text, value]) => new Option(text, value)));
    const keys = [...new Set(options.map(([, value]) => value.split("|")[0]))];
    menus.set(select, keys);
    select.addEventListener("change", () => {
      if (select.value === "several") return;
      keys.forEach((key) => filters.delete(key));
      const [key, code] = select.value.split("|");
      if (key) filters.set(key, new Set([Number(code)]));
      filter();
    });
  }
  const labels = byKey.get("labels"), split = byKey.get("split");
  const classes = !labels ? [] : labels.values.map((label, k) =>
    [label, labels.kind === "one" ? `labels|${k}` : `labels:${k}|0`]);
  menu("filter-labels", "All", classes);
  menu("filter-split", "All", split ? split.values.map((name, k) => [name, `split|${k}`]) : []);

  // -- what is told of a point
  const namesOf = (column, i) => {
    const codes = data.arrays[column.key];
    if (column.kind === "one") return [column.values[codes[i]]];
    const stride = Math.ceil(column.values.length / 8);
    return column.values.filter((_, k) => (codes[i * stride + (k >> 3)] >> (k & 7)) & 1);
  };
  function factsOf(i) {
    const result = $("result").value, facts = [];
    if (labels) facts.push(["Labels", namesOf(labels, i).join("; ") || "none"]);
    const outcome = byKey.get(`outcome-${result}`);
    const isScored = outcome && namesOf(outcome, i)[0] !== "not scored";
    if (isScored) {
      const names = namesOf(byKey.get(`predicted-${result}`), i).join("; ") || "none";
      facts.push([`Predicted (${namesOf(outcome, i)[0]})`, names]);
    }
    if (split) facts.push(["Split", namesOf(split, i)[0]]);
    for (const column of data.columns.filter((each) => each.role === "column").slice(0, 4))
      if (!/^split_/.test(column.title)) facts.push([column.title, namesOf(column, i)[0]]);
    return facts;
  }
  function show(index, px, py) {
    const card = $("card");
    card.hidden = index < 0;
    card.dataset.index = index;
    if (index < 0) return;
    const at = px === undefined || index !== hovered ? scatter.screenOf(index) : { x: px, y: py };
    $("card-id").textContent = data.ids[index];
    $("card-facts").replaceChildren(...factsOf(index).map(([name, value]) =>
      make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))));
    const box = $("plot").parentElement.getBoundingClientRect();
    const width = card.offsetWidth, height = card.offsetHeight;
    const left = at.x - box.left + 16 + width > box.width ? at.x - box.left - width - 16
      : at.x - box.left + 16;
    card.style.left = `${Math.max(4, left)}px`;
    card.style.top = `${Math.max(4, Math.min(box.height - height - 4, at.y - box.top - height / 2))}px`;
    const canvas = $("thumbnail");
    card.dataset.drawn = "";
    pictures.draw(index, canvas, () => card.dataset.index === String(index))
      .then((isDrawn) => { if (isDrawn) card.dataset.drawn = index; });
  }

  // -- selection
  const SHOWN_IDS = 5000, SHOWN_CHIPS = 24;
  function select(indices) {
    chosen = indices;
    const ids = chosen.map((i) => data.ids[i]);
    $("selected").value = chosen.length
      ? `${told(chosen.length)} ${chosen.length > 1 ? "samples" : "sample"} selected`
      : "Nothing selected. Press Lasso, or hold Shift, and draw around points.";
    $("copy").disabled = $("download").disabled = $("ids").hidden = !chosen.length;
    $("ids").value = ids.slice(0, SHOWN_IDS).join("\n") +
      (ids.length > SHOWN_IDS ? `\n… and ${told(ids.length - SHOWN_IDS)} more` : "");
    $("strip").replaceChildren(...chosen.slice(0, SHOWN_CHIPS).map((i) => {
      const canvas = make("canvas", { width: 64, height: 64, title: data.ids[i] });
      pictures.draw(i, canvas);
      return canvas;
    }));
  }
  async function copy() {
    const text = chosen.map((i) => data.ids[i]).join("\n") + "\n";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Files opened from disk may be kept from the clipboard: the old way, through a text field.
      const field = make("textarea", { value: text });
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    $("copy").textContent = "Copied";
    setTimeout(() => ($("copy").textContent = "Copy ids"), 1500);
  }
  function download() {
    const text = chosen.map((i) => data.ids[i]).join("\n") + "\n";
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })),
      download: "sample_ids.txt" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // -- controls
  const groups = new Map();
  for (const { key, title, group } of schemes.values()) {
    const option = new Option(title, key);
    if (!group) { $("colour").append(option); continue; }
    if (!groups.has(group)) groups.set(group, make("optgroup", { label: group }));
    groups.get(group).append(option);
  }
  $("colour").prepend(...groups.values());
  const outcomes = data.columns.filter((column) => column.role === "outcome");
  $("result").append(...outcomes.map((column) =>
    new Option(column.title.replace(/^Right or wrong: /, ""), column.result)));
  $("result-box").hidden = !outcomes.length;
  $("result").addEventListener("change", () => show(pinned));
  $("colour").addEventListener("change", () => colour($("colour").value));
  let waiting = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  $("clear").addEventListener("click", () => {
    filters.clear();
    $("search").value = "";
    filter();
  });
  $("lasso").addEventListener("click", () => {
    scatter.setMode(scatter.mode === "lasso" ? "pan" : "lasso");
    $("lasso").setAttribute("aria-pressed", scatter.mode === "lasso");
  });
  $("zoom-in").addEventListener("click", () => scatter.zoomBy(1.5));
  $("zoom-out").addEventListener("click", () => scatter.zoomBy(1 / 1.5));
  $("reset").addEventListener("click", () => scatter.resetView());
  $("copy").addEventListener("click", copy);
  $("download").addEventListener("click", download);

  const frequent = labels?.kind === "many"
    ? [...schemes.values()].filter((s) => s.key.startsWith("labels:"))
      .reduce((a, b) => (b.counts[0] > a.counts[0] ? b : a), { counts: [-1] }).key
    : data.first;
  const first = schemes.has(data.first) ? data.first
    : data.first === "labels" && schemes.has(frequent) ? frequent : schemes.keys().next().value;
  if (first !== undefined) $("colour").value = first, colour(first), filter();
  else $("shown").value = `${told(data.n)} points shown`;
  $("explorer").featbank = { scatter, data, visible };
  $("explorer").dataset.ready = scatter.renderer;
}

if ($("map-data")) {
  if (typeof DecompressionStream === "undefined") {
    $("explorer").replaceChildren(make("p", { className: "note",
      textContent: "This browser is too old for the map (no DecompressionStream)." }));
  } else explore(await unpack($("map-data").textContent));
}
