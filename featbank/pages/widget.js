
// What stands between the scatter above and the notebook: anywidget calls render() for each view.
//
// The kernel holds ids, columns and chips. Each view gets coordinates once, a byte of colour code a
// point, and asks for the chip of a point when the pointer rests on it.

const CHIP_DELAY_MS = 60;
const CHIPS_KEPT = 256;
const CHIP_AWAY_PX = 14;

function render({ model, el }) {
  const parts = widgetParts(el, model.get("height"));
  const unwatch = followTheme(parts.root);
  const { x, y } = coordinates(model.get("_xy"));
  const hidden = new Set();
  const scatter = createScatter(parts.plot, { x, y }, {
    onHover: (index, clientX, clientY) => chips.show(index, clientX, clientY),
    onSelect: (indices) => select(indices),
  });
  const chips = chipTip(model, parts);

  function select(indices) {
    const bytes = new Uint32Array(indices);
    model.send({ type: "select" }, undefined, [bytes.buffer]);
  }
  function selected() {
    const view = model.get("_selected");
    return view ? new Uint32Array(aligned(view)) : new Uint32Array();
  }
  function showSelection() {
    const indices = selected();
    scatter.setSelected(indices);
    parts.count.textContent = indices.length
      ? `${indices.length.toLocaleString("en")} selected` : "";
    parts.clear.hidden = !indices.length;
  }
  function recolour() {
    hidden.clear();
    const codes = new Uint8Array(aligned(model.get("_codes")));
    const palette = model.get("_legend").map((each) => parseColour(each.colour));
    const rgb = new Uint8Array(x.length * 3);
    codes.forEach((code, i) => rgb.set(palette[code] || [128, 128, 128], i * 3));
    scatter.setColours(rgb);
    scatter.setVisible(null);
    drawLegend(codes);
    parts.colour.value = model.get("colour");
  }
  function drawLegend(codes) {
    parts.legend.replaceChildren(...model.get("_legend").map((each, code) => {
      const button = legendEntry(each);
      button.addEventListener("click", () => {
        if (!hidden.delete(code)) hidden.add(code);
        button.setAttribute("aria-pressed", String(!hidden.has(code)));
        scatter.setVisible(hidden.size ? codes.map((c) => (hidden.has(c) ? 0 : 1)) : null);
      });
      const emphasise = () => scatter.setEmphasis(codes.map((c) => (c === code ? 1 : 0)));
      for (const name of ["pointerenter", "focus"]) button.addEventListener(name, emphasise);
      for (const name of ["pointerleave", "blur"])
        button.addEventListener(name, () => scatter.setEmphasis(null));
      return button;
    }));
  }

  parts.colour.replaceChildren(...model.get("_columns").map((name) => new Option(name, name)));
  parts.colour.addEventListener("change", () => {
    model.set("colour", parts.colour.value);
    model.save_changes();
  });
  const modes = { pan: parts.pan, lasso: parts.lasso };
  for (const [name, button] of Object.entries(modes))
    button.addEventListener("click", () => {
      scatter.setMode(name);
      for (const [other, each] of Object.entries(modes))
        each.setAttribute("aria-pressed", String(other === name));
    });
  parts.reset.addEventListener("click", () => scatter.resetView());
  parts.clear.addEventListener("click", () => select([]));
  const resized = () => (parts.body.style.height = `${model.get("height")}px`);
  const heard = {
    "change:_legend": recolour, "change:_selected": showSelection, "change:height": resized,
    "msg:custom": chips.receive,
  };
  for (const [name, handler] of Object.entries(heard)) model.on(name, handler);
  recolour();
  showSelection();
  return () => {
    for (const [name, handler] of Object.entries(heard)) model.off(name, handler);
    unwatch();
    chips.destroy();
    scatter.destroy();
  };
}

// A chip beside the pointer: asked for once the pointer rests, kept for the next time.
function chipTip(model, parts) {
  const kept = new Map();
  let wanted = -1, timer = 0;
  function show(index, clientX, clientY) {
    clearTimeout(timer);
    wanted = index;
    parts.chip.hidden = index < 0 || !kept.has(index);
    if (index < 0) return;
    place(clientX, clientY);
    if (kept.has(index)) return fill(kept.get(index));
    timer = setTimeout(() => model.send({ type: "chip", index }), CHIP_DELAY_MS);
  }
  function place(clientX, clientY) {
    const box = parts.root.getBoundingClientRect();
    const isRight = clientX - box.left > box.width / 2;
    const isLow = clientY - box.top > box.height / 2;
    Object.assign(parts.chip.style, {
      left: isRight ? "" : `${clientX - box.left + CHIP_AWAY_PX}px`,
      right: isRight ? `${box.right - clientX + CHIP_AWAY_PX}px` : "",
      top: isLow ? "" : `${clientY - box.top + CHIP_AWAY_PX}px`,
      bottom: isLow ? `${box.bottom - clientY + CHIP_AWAY_PX}px` : "",
    });
  }
  function receive(message, buffers) {
    if (message.type !== "chip") return;
    const picture = buffers && buffers.length
      ? URL.createObjectURL(new Blob([buffers[0]], { type: "image/png" })) : "";
    forget(message.index);
    kept.set(message.index, { ...message, picture });
    if (kept.size > CHIPS_KEPT) forget(kept.keys().next().value);
    if (message.index === wanted) fill(kept.get(wanted));
  }
  function forget(index) {
    if (kept.get(index)?.picture) URL.revokeObjectURL(kept.get(index).picture);
    kept.delete(index);
  }
  function fill({ lines, picture, trouble }) {
    const image = document.createElement("img");
    Object.assign(image, { src: picture, alt: lines[0] });
    const texts = [...lines, ...(trouble ? [trouble] : [])].map((line, i) => {
      const row = document.createElement("div");
      row.textContent = line;
      if (i === 0) row.style.fontWeight = "bold";
      if (i >= lines.length) row.className = "trouble";
      return row;
    });
    parts.chip.replaceChildren(...(picture ? [image] : []), ...texts);
    parts.chip.hidden = false;
  }
  // What a chip says of its column is old once the colours change.
  const outdated = () => [...kept.keys()].forEach(forget);
  model.on("change:colour", outdated);
  const destroy = () => {
    clearTimeout(timer);
    model.off("change:colour", outdated);
    outdated();
  };
  return { show, receive, destroy };
}

function widgetParts(el, height) {
  const make = (tag, name, text = "") => {
    const each = document.createElement(tag);
    each.className = name;
    each.textContent = text;
    return each;
  };
  const root = make("div", "featbank-scatter");
  const bar = make("div", "bar"), body = make("div", "body");
  const label = make("label", "", "colour by "), colour = make("select", "");
  label.append(colour);
  const [pan, lasso, reset, clear] = [
    ["pan", "Move"], ["lasso", "Lasso"], ["reset", "Show all"], ["clear", "Clear selection"],
  ].map(([name, text]) => Object.assign(make("button", name, text), { type: "button" }));
  pan.setAttribute("aria-pressed", "true");
  lasso.setAttribute("aria-pressed", "false");
  lasso.title = "or hold Shift";
  const count = make("span", "count"), plot = make("div", "plot");
  count.setAttribute("aria-live", "polite");
  const legend = make("div", "legend"), chip = make("div", "chip");
  chip.hidden = true;
  body.style.height = `${height}px`;
  bar.append(label, pan, lasso, reset, count, clear);
  body.append(plot, legend);
  root.append(bar, body, chip);
  el.append(root);
  return { root, body, plot, legend, chip, colour, pan, lasso, reset, clear, count };
}

function legendEntry({ name, colour, count }) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  const [dot, text, number] = ["i", "span", "small"].map((tag) => document.createElement(tag));
  dot.style.background = colour;
  text.textContent = name;
  number.textContent = count.toLocaleString("en");
  button.append(dot, text, number);
  return button;
}

// The scatter looks for data-theme; notebooks say their theme in other ways.
function followTheme(root) {
  const body = document.body;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    const jupyter = body.dataset.jpThemeLight, code = body.dataset.vscodeThemeKind;
    const isDark = jupyter ? jupyter === "false" : code ? code.includes("dark") : system.matches;
    root.dataset.theme = isDark ? "dark" : "light";
  };
  const observer = new MutationObserver(follow);
  observer.observe(body, { attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  system.addEventListener("change", follow);
  follow();
  return () => (observer.disconnect(), system.removeEventListener("change", follow));
}

// A buffer of the comm is a view into a larger one, at any offset.
function aligned(view) {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}
function coordinates(view) {
  const pairs = new Float32Array(aligned(view)), count = pairs.length / 2;
  const x = new Float32Array(count), y = new Float32Array(count);
  for (let i = 0; i < count; i++) (x[i] = pairs[2 * i]), (y[i] = pairs[2 * i + 1]);
  return { x, y };
}
function parseColour(hex) {
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

export default { render };
