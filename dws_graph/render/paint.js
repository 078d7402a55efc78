// Paints a drawing on a canvas whose units are the layout's pixels: nodes in the shapes and
// states of the visual language, edges along their routes. Knows nothing of mouse or page.
"use strict";

const FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif';
const FAR = 0.34; // below this scale labels are no longer read: leave them out
const FADED = 0.16, QUIET = 0.45; // opacity of what is not connected with the focus, of its words
const DASHES = {
  flow: [], code: [5, 3], imported: [2, 3], contains: [2, 3], via: [1, 4], added: [], dropped: [6, 3],
};
const CHANGES = { // width, dash
  added: [3, []], dropped: [1.8, [6, 3]], changed: [2.4, []],
};
const BADGES = { failed: "✕", stale: "!", retracted: "?", added: "+", dropped: "\u2212", changed: "\u0394", current: "\u2713" };

function outlinePath(shape, x, y, w, h) {
  const path = new Path2D();
  const left = x - w / 2, right = x + w / 2, top = y - h / 2, foot = y + h / 2;
  const inset = Math.min(10, h / 3);
  if (shape === "code") {
    for (const [px, py] of [[left, y], [left + inset, top], [right - inset, top],
      [right, y], [right - inset, foot], [left + inset, foot]]) path.lineTo(px, py);
    path.closePath();
  } else if (shape === "snapshot") {
    for (const [px, py] of [[left, top], [right - inset, top], [right, top + inset],
      [right, foot], [left, foot]]) path.lineTo(px, py);
    path.closePath();
  } else {
    path.roundRect(left, top, w, h, shape === "step" ? 4 : h / 2);
  }
  return path;
}

function legPath(path, [x1, y1, x2, y2, curved]) {
  const middle = (x1 + x2) / 2;
  path.moveTo(x1, y1);
  if (curved) path.bezierCurveTo(middle, y1, middle, y2, x2, y2);
  else path.lineTo(x2, y2);
}

// The part of the layout that a canvas shows, with some room for what is wide.
function boxOf(ctx) {
  const back = ctx.getTransform().inverse();
  const { x: left, y: top } = back.transformPoint({ x: 0, y: 0 });
  const { x: right, y: foot } = back.transformPoint({ x: ctx.canvas.width, y: ctx.canvas.height });
  return { left: left - 20, top: top - 20, right: right + 20, foot: foot + 20 };
}

// Of a leg what lies in a box: dashes are slow, and a leg may be a hundred times as long as is seen.
function legWithin(path, leg, { left, top, right, foot }) {
  const [x1, y1, x2, y2, curved] = leg;
  if (Math.max(x1, x2) < left || Math.min(x1, x2) > right) return;
  if (Math.max(y1, y2) < top || Math.min(y1, y2) > foot) return;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  if (!curved) {
    path.moveTo(clamp(x1, left, right), y1);
    path.lineTo(clamp(x2, left, right), y2);
    return;
  }
  const [from, to] = [clamp(y1, top, foot), clamp(y2, top, foot)];
  if (from === y1 && to === y2) {
    legPath(path, leg);
    return;
  }
  // y goes as 3t² - 2t³ from one end to the other: where it is between `from` and `to`.
  const turn = (y) => 0.5 - Math.sin(Math.asin(1 - (2 * (y - y1)) / (y2 - y1)) / 3);
  const [a, b] = [turn(from), turn(to)], middle = (x1 + x2) / 2;
  const mix = (p, q, t) => p + (q - p) * t;
  const point = (p, q, r, s, t, u, v) => {
    const [pq, qr, rs] = [mix(p, q, t), mix(q, r, t), mix(r, s, t)];
    return mix(mix(pq, qr, u), mix(qr, rs, u), v);
  };
  const at = (t, u, v) => [point(x1, middle, middle, x2, t, u, v), point(y1, y1, y2, y2, t, u, v)];
  path.moveTo(...at(a, a, a));
  path.bezierCurveTo(...at(a, a, b), ...at(a, b, b), ...at(b, b, b));
}

function arrowPath(path, [x1, , x2, y2], size) {
  const back = x2 >= x1 ? -7 * size : 7 * size;
  path.moveTo(x2, y2);
  path.lineTo(x2 + back, y2 - 3.2 * size);
  path.lineTo(x2 + back, y2 + 3.2 * size);
  path.closePath();
}

// legs: [x1, y1, x2, y2, curved, stroke]; edges: {from, to, stroke, legs: [index of a leg]}; an
// edge for which `passes` is true goes on behind its target, and has no arrow.
// `view` of the functions it gives: {tone, scale, hurried, selected, hovered, lit, up, down}, where
// `tone` gives a colour by name, `lit` is null or the set of nodes that are not faded, and
// `up` and `down` are the sets of edges that lead to and from the selected node.
function makePainter(legs, edges, passes) {
  const whole = {}; // by stroke; from afar all is seen, and nothing is dashed
  const head = (e) => (e.legs.length && !passes(e) ? e.legs[e.legs.length - 1] : null);
  const ends = new Set(edges.map(head).filter((end) => end !== null));
  for (const leg of legs) legPath((whole[leg[5]] ??= new Path2D()), leg);
  const fitted = new Map();

  function within(box) {
    const lines = {}, heads = {};
    for (const leg of legs) legWithin((lines[leg[5]] ??= new Path2D()), leg, box);
    for (const end of ends) {
      const [, , x, y, , stroke] = legs[end];
      const seen = x > box.left && x < box.right && y > box.top && y < box.foot;
      if (seen) arrowPath((heads[stroke] ??= new Path2D()), legs[end], 1);
    }
    return [lines, heads];
  }

  function paintEdges(ctx, view) {
    const box = boxOf(ctx);
    const [lines, heads] = view.scale < FAR ? [whole, {}] : within(box);
    ctx.save();
    const crowded = view.scale < FAR && edges.length > 800;
    ctx.globalAlpha = view.lit ? FADED : crowded ? 0.6 : 1;
    ctx.strokeStyle = ctx.fillStyle = view.tone("edge");
    ctx.lineWidth = Math.max(1.2, 0.6 / view.scale);
    for (const [stroke, path] of Object.entries(lines)) {
      ctx.setLineDash(view.scale < FAR || view.hurried ? [] : DASHES[stroke]);
      ctx.strokeStyle = ctx.fillStyle = view.tone(stroke in CHANGES ? stroke : "edge");
      ctx.lineWidth = Math.max(stroke === "added" ? 2.4 : 1.2, 0.6 / view.scale);
      ctx.stroke(path);
      if (heads[stroke]) ctx.fill(heads[stroke]);
    }
    ctx.globalAlpha = 1;
    paintLit(ctx, view, view.up, "selected", box);
    paintLit(ctx, view, view.down, "downstream", box);
    ctx.restore();
  }

  function paintLit(ctx, view, lit, tone, box) {
    const byStroke = {};
    const tips = new Path2D();
    for (const edge of lit) {
      const path = (byStroke[edge.stroke] ??= new Path2D());
      for (const leg of edge.legs) legWithin(path, legs[leg], box);
      if (head(edge) !== null) arrowPath(tips, legs[head(edge)], 1.15);
    }
    ctx.strokeStyle = ctx.fillStyle = view.tone(tone);
    ctx.lineWidth = Math.max(2, 1.2 / view.scale);
    for (const [stroke, path] of Object.entries(byStroke)) {
      ctx.setLineDash(DASHES[stroke]);
      ctx.stroke(path);
    }
    ctx.fill(tips);
  }

  function paintNode(ctx, node, view) {
    const { x, y, w, h, shape } = node;
    const has = (state) => node.states.includes(state);
    const far = view.scale < FAR;
    const failed = has("failed"), stale = has("stale");
    if (shape === "between") {
      paintBetween(ctx, node, view, far);
      return;
    }
    const path = (node.path ??= outlinePath(shape, x, y, w, h));
    let line = view.tone(shape), fill = view.tone(shape + "-fill"), wide = 1.4, dash = [];
    const whole = !has("several"); // a group is only marked with what some of it are
    const change = whole ? Object.keys(CHANGES).find(has) : undefined;
    if (failed && whole) [line, fill, wide] = [view.tone("failed"), view.tone("page"), 2.4];
    else if (stale && whole) [line, wide] = [view.tone("stale"), 2.4];
    if (change) {
      [line, wide, dash] = [view.tone(change), ...CHANGES[change]];
      if (shape === "step") fill = view.tone("page");
    }
    if (has("not_kept")) [fill, dash] = [view.tone("page"), [5, 3]];
    else if (has("pending")) dash = [1.5, 2.5];
    if (far && whole && (failed || stale || change)) fill = line;
    const faded = view.lit && !view.lit.has(node.id);
    ctx.globalAlpha = faded ? FADED : 1;
    if (node.id === view.selected) {
      ring(ctx, node, 7, 3 / Math.min(1, view.scale * 1.5), view.tone("selected"));
    } else if (has("root")) {
      ring(ctx, node, 8, Math.max(1.2, 1.4 / view.scale), view.tone("text"));
    } else if (node.id === view.hovered) {
      ring(ctx, node, 7, 1.5, view.tone("edge"));
    }
    ctx.fillStyle = fill;
    ctx.strokeStyle = line;
    ctx.lineWidth = Math.max(wide, 0.8 / view.scale);
    ctx.setLineDash(far ? [] : dash);
    for (const behind of has("several") ? [3, 0] : [0]) {
      ctx.translate(behind, behind);
      ctx.fill(path);
      if (!whole && !behind && shape === "step") ctx.strokeStyle = view.tone("page"); // sets it off
      ctx.stroke(path);
      ctx.translate(-behind, -behind);
    }
    ctx.setLineDash([]);
    if (far && whole) paintSign(ctx, node, view);
    if (faded) ctx.globalAlpha = QUIET;
    if (!far) paintWords(ctx, node, view, failed && whole, change || faded);
    if (!far) paintBadges(ctx, node, view);
    ctx.globalAlpha = 1;
  }

  // Data between steps: its name on their line, no shape around it.
  function paintBetween(ctx, node, view, far) {
    const { x, y, w, h } = node;
    const trouble = Object.keys(BADGES).find((state) => node.states.includes(state));
    const chosen = node.id === view.selected;
    const faded = view.lit && !view.lit.has(node.id);
    ctx.globalAlpha = faded ? FADED : 1;
    if (chosen) ring(ctx, node, 4, 3 / Math.min(1, view.scale * 1.5), view.tone("selected"));
    else if (node.id === view.hovered) ring(ctx, node, 4, 1.5, view.tone("edge"));
    if (far) {
      ctx.fillStyle = view.tone(trouble ?? "edge");
      ctx.fillRect(x - w / 2, y - h / 6, w, trouble ? h / 2 : h / 3);
    } else {
      ctx.textAlign = "center";
      ctx.fillStyle = view.tone("text");
      ctx.font = `10.5px ${FONT}`;
      if (faded) ctx.globalAlpha = QUIET;
      const signs = 15 * Object.keys(BADGES).filter((state) => node.states.includes(state)).length;
      ctx.fillText(fit(ctx, node.label, w - 8 - signs), x - signs / 2, y + 3.5);
      paintBadges(ctx, node, view);
    }
    ctx.globalAlpha = 1;
  }

  // The room in which the members of an opened group stand.
  function paintFrames(ctx, frames, view) {
    for (const { x, y, w, h, id } of frames) {
      const path = new Path2D();
      path.roundRect(x - w / 2, y - h / 2, w, h, 8);
      ctx.globalAlpha = view.lit && !view.lit.has(id) ? 0.3 : 1;
      ctx.fillStyle = view.tone("panel");
      ctx.fill(path);
      ctx.strokeStyle = view.tone("edge");
      ctx.lineWidth = Math.max(1.2, 0.8 / view.scale);
      ctx.setLineDash([6, 4]);
      ctx.stroke(path);
      ctx.setLineDash([]);
    }
    ctx.globalAlpha = 1;
  }

  function ring(ctx, { x, y, w, h, shape }, out, width, colour) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke(outlinePath(shape, x, y, w + out, h + out));
  }

  function paintWords(ctx, node, view, failed, hollow) {
    const step = node.shape === "step", filled = step && !failed && !hollow;
    const room = node.w - (step ? 14 : 22);
    ctx.textAlign = "center";
    ctx.textBaseline = "alphabetic";
    ctx.fillStyle = view.tone(filled ? "step-text" : "text");
    ctx.font = `${step ? "600 " : ""}12px ${FONT}`;
    ctx.fillText(fit(ctx, node.label, room), node.x, node.y + (node.second ? -2 : 4.5));
    if (!node.second) return;
    ctx.fillStyle = view.tone(failed ? "failed" : filled ? "step-second" : "second");
    ctx.font = `10px ${FONT}`;
    ctx.fillText(fit(ctx, node.second, room), node.x, node.y + 11);
  }

  // From far, the sign of what is the matter with a node in the place of its words.
  function paintSign(ctx, node, view) {
    const state = Object.keys(BADGES).find((one) => node.states.includes(one));
    if (!state || view.scale < FAR / 3) return;
    ctx.textAlign = "center";
    ctx.fillStyle = view.tone(state === "retracted" ? "retracted" : "page");
    ctx.font = `700 32px ${FONT}`;
    ctx.fillText(BADGES[state], node.x, node.y + 11.5);
  }

  function paintBadges(ctx, node, view) {
    const beside = node.shape === "between"; // there is no outline for them to sit on
    let at = node.x + node.w / 2 - (beside ? 8 : 4);
    const y = beside ? node.y : node.y - node.h / 2;
    for (const [state, sign] of Object.entries(BADGES)) {
      if (!node.states.includes(state)) continue;
      const disc = new Path2D();
      disc.arc(at, y, 6.5, 0, 2 * Math.PI);
      ctx.fillStyle = view.tone(state);
      ctx.fill(disc);
      ctx.strokeStyle = view.tone("page");
      ctx.lineWidth = 1;
      ctx.stroke(disc);
      ctx.fillStyle = view.tone("panel");
      ctx.font = `700 9.5px ${FONT}`;
      ctx.fillText(sign, at, y + 3.5);
      at -= 15;
    }
  }

  // The text was cut by estimated widths; here the face is known: cut again if it is wider.
  function fit(ctx, text, room) {
    const key = `${ctx.font}|${room}|${text}`;
    if (fitted.has(key)) return fitted.get(key);
    let out = text;
    const signs = [...text];
    for (let keep = signs.length - 1; keep > 2 && ctx.measureText(out).width > room; keep -= 1) {
      const head = keep >> 1;
      out = signs.slice(0, head).join("") + "…" + signs.slice(signs.length - (keep - head)).join("");
    }
    fitted.set(key, out);
    return out;
  }

  return { paintEdges, paintFrames, paintNode };
}
