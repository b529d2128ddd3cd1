// A scatter plot of many points: WebGL where there is, Canvas 2D where there is not.
//
// Own code, without dependencies: plotly.js alone weighs 4.8 MB of a page that may weigh 10 MB, and
// most of that page has to be chips. The report page and the notebook widget both use this module.

const SOFT_EDGE_PX = 1.0;
const PICK_RADIUS_PX = 7;
const CLICK_SLACK_PX = 4;
const FADED = 0.13;
const ZOOM_RANGE = [0.4, 4000];
const VISIBLE = 1, EMPHASISED = 2, SELECTED = 4;

const VERTEX = `#version 300 es
in vec2 position; in vec3 colour; in uint state;
uniform vec2 centre, scale; uniform float size; uniform uint pass; uniform bool marks;
out vec4 fill; out float diameter; flat out uint ring;
void main() {
  bool front = (state & 6u) == (marks ? 6u : 2u);
  bool here = (state & 1u) == 1u && front == (pass == 1u);
  float grown = (state & 4u) == 4u ? size * 1.35 : size;
  gl_Position = here ? vec4((position - centre) * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  diameter = here ? grown + ${SOFT_EDGE_PX.toFixed(1)} : 0.0;
  gl_PointSize = diameter;
  fill = vec4(colour, front ? 0.86 : ${FADED});
  ring = state & 4u;
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 fill; in float diameter; flat in uint ring;
uniform vec3 ink; out vec4 colour;
void main() {
  float away = length(gl_PointCoord - 0.5) * diameter;
  float edge = diameter * 0.5;
  float alpha = fill.a * (1.0 - smoothstep(edge - ${(2 * SOFT_EDGE_PX).toFixed(1)}, edge, away));
  if (alpha <= 0.003) discard;
  // Small points have no room for a ring; that the others fade says enough.
  float rim = ring == 0u || diameter < 11.0 ? 0.0 : smoothstep(edge - 3.2, edge - 2.4, away);
  colour = vec4(mix(fill.rgb, ink, rim) * alpha, alpha);
}`;

/**
 * Draw points into an element and let a person look around in them.
 *
 * @param {HTMLElement} element Takes the canvases; its size is the plot's size.
 * @param {{x: Float32Array, y: Float32Array}} points Coordinates, y upwards; NaN is never drawn.
 * @param {object} options `onHover(index or -1, clientX, clientY)`, `onSelect(Uint32Array)`,
 *   `onClick(index or -1)`, `pointSize` (CSS pixels), `label` (what a screen reader says),
 *   `background` (a CSS colour; the theme's own unless given).
 */
export function createScatter(element, { x, y }, options = {}) {
  const count = x.length;
  const space = unitSpace(x, y);
  const grid = pickingGrid(space);
  const stage = makeStage(element, count, options);
  const state = new Uint8Array(count).fill(VISIBLE | EMPHASISED);
  const colours = new Uint8Array(count * 3).fill(110);
  const view = { x: 0, y: 0, scale: 1, width: 1, height: 1, ratio: 1, fit: 1 };
  const baseSize = options.pointSize || Math.max(3.2, Math.min(9, 260 / Math.sqrt(count + 1)));
  let painter = makePainter(stage, space, count, (lost) => fallBack(lost));
  let mode = "pan", marks = false, fades = false, hovered = -1, lasso = null, frame = 0, frames = 0;
  let pending = null, isDestroyed = false;
  for (let i = 0; i < count; i++) if (!space.isDrawn[i]) state[i] = 0;

  // ------------------------------------------------------------------ drawing
  function redraw() {
    if (!frame && !isDestroyed) frame = requestAnimationFrame(draw);
  }
  function draw() {
    frame = 0;
    frames += 1;
    if (pending) hover(pending);
    const zoom = view.scale / view.fit;
    const size = baseSize * Math.min(2.2, Math.max(0.8, Math.pow(zoom, 0.22)));
    // Without faded points one pass draws all.
    const passes = marks || fades ? [0, 1] : [1];
    painter.paint({ view, size, marks, passes, state, colours, ink: stage.ink() });
    drawOverlay(size);
  }
  function drawOverlay(size) {
    const pen = stage.overlay.getContext("2d");
    pen.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    pen.clearRect(0, 0, view.width, view.height);
    pen.strokeStyle = pen.fillStyle = stage.inkCss();
    if (hovered >= 0) {
      const at = toElement(hovered);
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(at.x, at.y, size / 2 + 3, 0, 2 * Math.PI);
      pen.stroke();
    }
    if (lasso && lasso.length > 1) {
      pen.lineWidth = 1.5;
      pen.setLineDash([5, 4]);
      pen.beginPath();
      lasso.forEach((at, i) => (i ? pen.lineTo(at.x, at.y) : pen.moveTo(at.x, at.y)));
      pen.closePath();
      pen.stroke();
      pen.setLineDash([]);
      pen.globalAlpha = 0.07;
      pen.fill();
      pen.globalAlpha = 1;
    }
  }
  function fallBack() {
    painter = canvasPainter(stage, space, count);
    painter.resize(view);
    redraw();
  }

  // ------------------------------------------------------------------ the view
  function resize() {
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || isDestroyed) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    const zoom = view.scale / view.fit;
    Object.assign(view, { width: box.width, height: box.height, ratio });
    view.fit = Math.min(box.width / space.spanX, box.height / space.spanY) * 0.92;
    view.scale = view.fit * zoom;
    for (const canvas of [stage.canvas, stage.overlay]) {
      canvas.width = Math.round(box.width * ratio);
      canvas.height = Math.round(box.height * ratio);
    }
    painter.resize(view);
    redraw();
  }
  function resetView() {
    Object.assign(view, { x: 0, y: 0, scale: view.fit });
    redraw();
  }
  function zoomAt(factor, at) {
    const wanted = view.scale * factor;
    const next = Math.min(view.fit * ZOOM_RANGE[1], Math.max(view.fit * ZOOM_RANGE[0], wanted));
    const before = toUnit(at);
    view.scale = next;
    const after = toUnit(at);
    view.x += before.x - after.x;
    view.y += before.y - after.y;
    redraw();
  }
  function panBy(dx, dy) {
    view.x -= dx / view.scale;
    view.y += dy / view.scale;
    redraw();
  }
  const toUnit = (at) => ({
    x: view.x + (at.x - view.width / 2) / view.scale,
    y: view.y - (at.y - view.height / 2) / view.scale,
  });
  const toElement = (index) => ({
    x: view.width / 2 + (space.x[index] - view.x) * view.scale,
    y: view.height / 2 - (space.y[index] - view.y) * view.scale,
  });
  const within = (event) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  // ------------------------------------------------------------------ picking
  function pointAt(clientX, clientY) {
    const at = toUnit(within({ clientX, clientY }));
    const reach = Math.max(PICK_RADIUS_PX, baseSize / 2 + 2) / view.scale;
    return grid.nearest(at, reach, (index) => (state[index] & VISIBLE) === VISIBLE);
  }
  function hover({ clientX, clientY }) {
    pending = null;
    const found = pointAt(clientX, clientY);
    if (found === hovered && found < 0) return;
    hovered = found;
    stage.overlay.style.cursor = cursor();
    if (options.onHover) options.onHover(found, clientX, clientY);
  }
  function leave() {
    pending = null;
    if (hovered < 0) return;
    hovered = -1;
    if (options.onHover) options.onHover(-1, 0, 0);
    redraw();
  }
  const cursor = () => (mode === "lasso" ? "crosshair" : hovered >= 0 ? "pointer" : "grab");
  function isInPolygon(index, corners) {
    let inside = false;
    const px = space.x[index], py = space.y[index];
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
      const a = corners[i], b = corners[j];
      if (a.y > py !== b.y > py && px < ((b.x - a.x) * (py - a.y)) / (b.y - a.y) + a.x)
        inside = !inside;
    }
    return inside;
  }
  function inside(path) {
    const corners = path.map(toUnit);
    const found = [];
    for (let i = 0; i < count; i++)
      if (state[i] & VISIBLE && isInPolygon(i, corners)) found.push(i);
    return Uint32Array.from(found);
  }
  function choose(indices) {
    setSelected(indices);
    if (options.onSelect) options.onSelect(Uint32Array.from(indices));
  }

  // ------------------------------------------------------------------ pointers and keys
  const pointers = new Map();
  let moved = 0;
  function down(event) {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    stage.overlay.setPointerCapture?.(event.pointerId);
    pointers.set(event.pointerId, within(event));
    moved = 0;
    lasso = pointers.size === 1 && (mode === "lasso" || event.shiftKey) ? [within(event)] : null;
    if (!lasso) stage.overlay.style.cursor = "grabbing";
  }
  function move(event) {
    const before = pointers.get(event.pointerId);
    if (!before) {
      pending = { clientX: event.clientX, clientY: event.clientY };
      return redraw();
    }
    const at = within(event);
    moved += Math.hypot(at.x - before.x, at.y - before.y);
    if (pointers.size === 2) pinch(event.pointerId, before, at);
    else if (lasso) lasso.push(at), redraw();
    else if (moved > CLICK_SLACK_PX) leave(), panBy(at.x - before.x, at.y - before.y);
    if (lasso || pointers.size === 2 || moved > CLICK_SLACK_PX)
      pointers.set(event.pointerId, at);
  }
  function pinch(moving, before, at) {
    const [other] = [...pointers].filter(([id]) => id !== moving).map(([, where]) => where);
    const ratio = Math.hypot(at.x - other.x, at.y - other.y) /
      Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    zoomAt(ratio, middle);
    panBy((at.x - before.x) / 2, (at.y - before.y) / 2);
  }
  function up(event) {
    if (!pointers.delete(event.pointerId)) return;
    const path = lasso;
    lasso = null;
    if (event.type === "pointerup" && moved <= CLICK_SLACK_PX) click(event);
    else if (event.type === "pointerup" && path && path.length > 2) choose(inside(path));
    stage.overlay.style.cursor = cursor();
    redraw();
  }
  function click(event) {
    hover(event);
    if (options.onClick) options.onClick(hovered);
  }
  function wheel(event) {
    event.preventDefault();
    // Lines (1) and pages (2) as Firefox tells them, in pixels.
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    zoomAt(Math.exp(-Math.max(-240, Math.min(240, pixels)) * 0.0022), within(event));
  }
  const middle = () => ({ x: view.width / 2, y: view.height / 2 });
  const everything = () => {
    const { width: w, height: h } = view;
    choose(inside([{ x: 0, y: 0 }, { x: w, y: 0 }, { x: w, y: h }, { x: 0, y: h }]));
  };
  const keys = {
    ArrowLeft: () => panBy(view.width / 10, 0), ArrowRight: () => panBy(-view.width / 10, 0),
    ArrowUp: () => panBy(0, view.height / 10), ArrowDown: () => panBy(0, -view.height / 10),
    "+": () => zoomAt(1.3, middle()), "=": () => zoomAt(1.3, middle()),
    "-": () => zoomAt(1 / 1.3, middle()), 0: resetView, Home: resetView,
    Enter: everything, Escape: () => choose([]),
  };
  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  // ------------------------------------------------------------------ what the caller may do
  function setColours(rgb) {
    colours.set(rgb);
    painter.recolour(colours);
    redraw();
  }
  function setFlag(flag, holds) {
    for (let i = 0; i < count; i++) {
      if (holds(i)) state[i] |= flag;
      else state[i] &= ~flag;
    }
    painter.restate(state);
    redraw();
  }
  function setVisible(visible) {
    setFlag(VISIBLE, (i) => (!visible || visible[i]) && space.isDrawn[i]);
    if (hovered >= 0 && !(state[hovered] & VISIBLE)) leave();
  }
  // Emphasis: 1 for points in full colour, 0 for faded ones; null lifts it.
  function setEmphasis(strong) {
    fades = Boolean(strong);
    setFlag(EMPHASISED, (i) => !strong || strong[i]);
  }
  function setSelected(indices) {
    const chosen = new Uint8Array(count);
    for (const index of indices) chosen[index] = 1;
    marks = indices.length > 0;
    setFlag(SELECTED, (i) => chosen[i]);
  }
  function setMode(next) {
    mode = next;
    stage.overlay.style.cursor = cursor();
  }
  function screenOf(index) {
    const box = element.getBoundingClientRect();
    const at = toElement(index);
    return { x: box.left + at.x, y: box.top + at.y };
  }

  const listeners = [
    ["pointerdown", down], ["pointermove", move], ["pointerup", up], ["pointercancel", up],
    ["pointerleave", leave], ["wheel", wheel, { passive: false }], ["keydown", key],
  ];
  for (const [name, handler, how] of listeners)
    stage.overlay.addEventListener(name, handler, how);
  const observer = new ResizeObserver(resize);
  observer.observe(element);
  const unwatch = stage.watchTheme(redraw);
  function destroy() {
    isDestroyed = true;
    cancelAnimationFrame(frame);
    observer.disconnect();
    unwatch();
    for (const [name, handler] of listeners) stage.overlay.removeEventListener(name, handler);
    painter.destroy();
    stage.canvas.remove();
    stage.overlay.remove();
  }
  painter.recolour(colours);
  painter.restate(state);
  resize();
  return {
    setColours, setVisible, setSelected, setEmphasis, setMode, resetView, resize, destroy, pointAt,
    screenOf, zoomBy: (factor) => zoomAt(factor, middle()), panBy,
    get frames() { return frames; },
    get renderer() { return painter.name; },
    get mode() { return mode; },
  };
}

// Coordinates centred and scaled to the longer side, so that float32 loses nothing by an offset.
function unitSpace(x, y) {
  const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  const isDrawn = new Uint8Array(x.length);
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) continue;
    isDrawn[i] = 1;
    low[0] = Math.min(low[0], x[i]), high[0] = Math.max(high[0], x[i]);
    low[1] = Math.min(low[1], y[i]), high[1] = Math.max(high[1], y[i]);
  }
  const longer = Math.max(high[0] - low[0], high[1] - low[1]);
  const step = longer > 0 && Number.isFinite(longer) ? 2 / longer : 1;
  const middle = [0, 1].map((d) => (Number.isFinite(low[d]) ? (low[d] + high[d]) / 2 : 0));
  const scaled = (values, d) => Float32Array.from(values, (v) => (v - middle[d]) * step || 0);
  const span = (d) => Math.max(0.2, (high[d] - low[d]) * step || 0);
  return { x: scaled(x, 0), y: scaled(y, 1), isDrawn, spanX: span(0), spanY: span(1) };
}

// Points by cell of a uniform grid: a mouse move looks at a few cells, never at all points.
function pickingGrid({ x, y, isDrawn }) {
  const side = Math.max(1, Math.min(512, Math.ceil(Math.sqrt(x.length / 4))));
  const cell = (v) => Math.max(0, Math.min(side - 1, Math.floor(((v + 1) / 2) * side)));
  const starts = new Uint32Array(side * side + 1);
  const cells = Uint32Array.from(x, (_, i) => cell(y[i]) * side + cell(x[i]));
  for (let i = 0; i < x.length; i++) if (isDrawn[i]) starts[cells[i] + 1]++;
  for (let c = 0; c < side * side; c++) starts[c + 1] += starts[c];
  const filled = starts.slice(), members = new Uint32Array(starts[side * side]);
  for (let i = 0; i < x.length; i++) if (isDrawn[i]) members[filled[cells[i]]++] = i;
  function nearest(at, reach, isPickable) {
    let best = -1, least = reach * reach;
    const last = cell(at.x + reach);
    for (let row = cell(at.y - reach); row <= cell(at.y + reach); row++)
      for (let column = cell(at.x - reach); column <= last; column++)
        for (let m = starts[row * side + column]; m < starts[row * side + column + 1]; m++) {
          const i = members[m], away = (x[i] - at.x) ** 2 + (y[i] - at.y) ** 2;
          if (away <= least && isPickable(i)) (best = i), (least = away);
        }
    return best;
  }
  return { nearest };
}

// Points in the order of a store hide whole classes under the last one: draw them shuffled.
function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let seed = 42;
  for (let i = count - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = seed % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function makeStage(element, count, options) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => {
    const theme = element.closest("[data-theme]")?.dataset.theme;
    return theme ? theme === "dark" : dark.matches;
  };
  if (getComputedStyle(element).position === "static") element.style.position = "relative";
  const [canvas, overlay] = ["canvas", "canvas"].map((tag) => document.createElement(tag));
  for (const each of [canvas, overlay])
    Object.assign(each.style, { position: "absolute", inset: "0", width: "100%", height: "100%" });
  Object.assign(overlay.style, { touchAction: "none", cursor: "grab" });
  overlay.tabIndex = 0;
  overlay.setAttribute("role", "application");
  overlay.setAttribute("aria-label", options.label || `Map of ${count.toLocaleString("en")} ` +
    "points. Arrows move, plus and minus zoom, 0 shows all, Enter selects what is in view, " +
    "Escape clears the selection.");
  canvas.setAttribute("aria-hidden", "true");
  element.append(canvas, overlay);
  const paper = () => {
    element.style.background = options.background || (isDark() ? "#15181c" : "#ffffff");
  };
  const watchTheme = (onChange) => {
    const changed = () => (paper(), onChange());
    const observer = new MutationObserver(changed);
    for (let each = element; each; each = each.parentElement)
      observer.observe(each, { attributes: true, attributeFilter: ["data-theme"] });
    dark.addEventListener("change", changed);
    return () => (observer.disconnect(), dark.removeEventListener("change", changed));
  };
  paper();
  return {
    canvas, overlay, watchTheme,
    ink: () => (isDark() ? [1, 1, 1] : [0.07, 0.07, 0.09]),
    inkCss: () => (isDark() ? "#ffffff" : "#121217"),
  };
}

function makePainter(stage, space, count, onLost) {
  const gl = stage.canvas.getContext("webgl2", { premultipliedAlpha: true, antialias: false,
    // Printing reads the canvas after the frame.
    preserveDrawingBuffer: true });
  return gl ? glPainter(gl, stage, space, count, onLost) : canvasPainter(stage, space, count);
}

function glPainter(gl, stage, space, count, onLost) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS))
    return replaced(stage, space, count);
  gl.useProgram(program);
  const at = (name) => gl.getUniformLocation(program, name);
  const places = Object.fromEntries(
    ["centre", "scale", "size", "pass", "marks", "ink"].map((name) => [name, at(name)]));
  const positions = new Float32Array(count * 2);
  for (let i = 0; i < count; i++) positions.set([space.x[i], space.y[i]], i * 2);
  const attribute = (name, data, point) => {
    const buffer = gl.createBuffer(), place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(place);
    point(place);
    return buffer;
  };
  attribute("position", positions, (p) => gl.vertexAttribPointer(p, 2, gl.FLOAT, false, 0, 0));
  const colour = attribute("colour", new Uint8Array(count * 3),
    (p) => gl.vertexAttribPointer(p, 3, gl.UNSIGNED_BYTE, true, 0, 0));
  const flags = attribute("state", new Uint8Array(count),
    (p) => gl.vertexAttribIPointer(p, 1, gl.UNSIGNED_BYTE, 0, 0));
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, shuffled(count), gl.STATIC_DRAW);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  let isLost = false;
  const lost = (event) => {
    event.preventDefault();
    if (isLost) return;
    isLost = true;
    replace(stage);
    onLost();
  };
  stage.canvas.addEventListener("webglcontextlost", lost);
  const upload = (buffer, data) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, data);
  };
  function paint({ view, size, marks, passes, ink }) {
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(places.centre, view.x, view.y);
    gl.uniform2f(places.scale, (2 * view.scale) / view.width, (2 * view.scale) / view.height);
    gl.uniform1f(places.size, size * view.ratio);
    gl.uniform1i(places.marks, marks ? 1 : 0);
    gl.uniform3fv(places.ink, ink);
    // Faded points first, so that they never hide what is chosen.
    for (const pass of passes) {
      gl.uniform1ui(places.pass, pass);
      gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, 0);
    }
  }
  return {
    name: "webgl", paint,
    recolour: (data) => upload(colour, data), restate: (data) => upload(flags, data),
    resize: () => gl.viewport(0, 0, stage.canvas.width, stage.canvas.height),
    destroy: () => (isLost = true, gl.getExtension("WEBGL_lose_context")?.loseContext()),
  };
}

// A canvas that has given a WebGL context gives no other: put a fresh one in its place.
function replace(stage) {
  const fresh = stage.canvas.cloneNode();
  stage.canvas.replaceWith(fresh);
  stage.canvas = fresh;
}
function replaced(stage, space, count) {
  replace(stage);
  return canvasPainter(stage, space, count);
}

function canvasPainter(stage, space, count) {
  const pen = stage.canvas.getContext("2d");
  const order = shuffled(count);
  let picture = null;
  function disc(diameter) {
    const reach = Math.max(0, Math.floor(diameter / 2)), steps = [];
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++)
        if (Math.hypot(dx, dy) <= diameter / 2) steps.push([dx, dy]);
    return steps;
  }
  function paint({ view, size, marks, passes, state, colours }) {
    const { width, height } = stage.canvas;
    if (!picture || picture.width !== width || picture.height !== height)
      picture = pen.createImageData(Math.max(1, width), Math.max(1, height));
    const pixels = new Uint32Array(picture.data.buffer).fill(0);
    const steps = disc(size * view.ratio), scale = view.scale * view.ratio;
    const front = marks ? EMPHASISED | SELECTED : EMPHASISED;
    for (const pass of passes)
      for (const i of order) {
        const isFront = (state[i] & (marks ? 6 : 2)) === front;
        if (!(state[i] & VISIBLE) || isFront !== (pass === 1)) continue;
        const px = Math.round(width / 2 + (space.x[i] - view.x) * scale);
        const py = Math.round(height / 2 - (space.y[i] - view.y) * scale);
        const alpha = isFront ? 235 : Math.round(255 * FADED);
        const c = i * 3;
        // Bytes are red, green, blue, alpha on every machine that browsers run on.
        const value = (alpha << 24) | (colours[c + 2] << 16) | (colours[c + 1] << 8) | colours[c];
        for (const [dx, dy] of steps) {
          const column = px + dx, row = py + dy;
          if (column >= 0 && row >= 0 && column < width && row < height)
            pixels[row * width + column] = value;
        }
      }
    pen.putImageData(picture, 0, 0);
  }
  const nothing = () => {};
  return { name: "canvas", paint, recolour: nothing, restate: nothing, resize: nothing,
    destroy: nothing };
}
