// A canvas that pans and zooms: what the page of a lineage needs of vis-network, under a strict
// content security policy. While it moves, the picture is moved by the compositor alone (it has a
// margin for that); at rest it is drawn anew. Offers the same calls, so the page's scripts are one.
"use strict";

const MARGIN = 300; // pixels drawn around what is seen
const REST = 90; // ms without movement until it is drawn anew
const ZOOM = 1.0015; // per pixel of the wheel
const LIMITS = [0.005, 4];

class DataSet {
  constructor() { this.items = []; }
  clear() { this.items = []; }
  add(items) { this.items.push(...items); }
}

class Network {
  constructor(container, { nodes }) {
    this.data = nodes;
    this.heard = new Map();
    this.frame = document.createElement("div");
    this.frame.className = "vis-network";
    this.frame.tabIndex = 0;
    this.canvas = document.createElement("canvas");
    this.frame.append(this.canvas);
    container.append(this.frame);
    this.at = { x: 0, y: 0, scale: 1 }; // what is at the middle of the frame
    this.drawn = { ...this.at };
    this.hurried = false; // drawn while it moves: what is slow is left out until it rests
    this.pointers = new Map();
    this.hovered = null;
    this.catchers = []; // of a click before a node gets it: given the place, they say if it was theirs
    this.listen();
    new ResizeObserver(() => this.redraw()).observe(this.frame);
  }

  on(name, heard) {
    if (!this.heard.has(name)) this.heard.set(name, []);
    this.heard.get(name).push(heard);
  }

  tell(name, what) { for (const heard of this.heard.get(name) ?? []) heard(what); }

  getScale() { return this.at.scale; }
  getViewPosition() { return { x: this.at.x, y: this.at.y }; }

  canvasToDOM({ x, y }) {
    const { clientWidth: w, clientHeight: h } = this.frame;
    return { x: (x - this.at.x) * this.at.scale + w / 2, y: (y - this.at.y) * this.at.scale + h / 2 };
  }

  toCanvas(x, y) {
    const { clientWidth: w, clientHeight: h } = this.frame;
    return { x: (x - w / 2) / this.at.scale + this.at.x, y: (y - h / 2) / this.at.scale + this.at.y };
  }

  moveTo({ position = this.at, scale = this.at.scale }) {
    this.at = { x: position.x, y: position.y, scale: Math.min(LIMITS[1], Math.max(LIMITS[0], scale)) };
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.paint();
    });
  }

  paint() {
    const { clientWidth: w, clientHeight: h } = this.frame;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [w + 2 * MARGIN, h + 2 * MARGIN];
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      this.canvas.style.left = this.canvas.style.top = `${-MARGIN}px`;
    }
    this.canvas.style.transform = "";
    this.drawn = { ...this.at };
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    ctx.translate(width / 2, height / 2);
    ctx.scale(this.at.scale, this.at.scale);
    ctx.translate(-this.at.x, -this.at.y);
    this.tell("beforeDrawing", ctx);
    const halfX = width / 2 / this.at.scale, halfY = height / 2 / this.at.scale;
    for (const node of this.data.items) {
      node.made ??= node.ctxRenderer({ ctx });
      const { width: nw, height: nh } = node.made.nodeDimensions;
      if (Math.abs(node.x - this.at.x) < halfX + nw && Math.abs(node.y - this.at.y) < halfY + nh) {
        node.ctxRenderer({ ctx }).drawNode();
      }
    }
    this.tell("afterDrawing", ctx);
  }

  // Shows the picture as it was drawn, moved to where it is now; draws it once it rests.
  slide() {
    const k = this.at.scale / this.drawn.scale;
    const dx = (this.drawn.x - this.at.x) * this.at.scale, dy = (this.drawn.y - this.at.y) * this.at.scale;
    this.canvas.style.transform = `translate(${dx}px, ${dy}px) scale(${k})`;
    clearTimeout(this.resting);
    this.tell("moved", {});
    const far = Math.abs(dx) > MARGIN || Math.abs(dy) > MARGIN || k < 0.8 || k > 1.6;
    if (far) {
      this.hurried = true;
      this.redraw();
    }
    this.resting = setTimeout(() => {
      this.hurried = false;
      this.redraw();
    }, REST);
  }

  placeOf(event) {
    const box = this.frame.getBoundingClientRect();
    return this.toCanvas(event.clientX - box.left, event.clientY - box.top);
  }

  under(event) {
    const { x, y } = this.placeOf(event);
    for (let i = this.data.items.length - 1; i >= 0; i -= 1) {
      const node = this.data.items[i];
      const size = node.made?.nodeDimensions;
      if (size && Math.abs(node.x - x) <= size.width / 2 && Math.abs(node.y - y) <= size.height / 2) return node.id;
    }
    return undefined;
  }

  zoomAt(event, factor) {
    const box = this.frame.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const before = this.toCanvas(px, py);
    this.at.scale = Math.min(LIMITS[1], Math.max(LIMITS[0], this.at.scale * factor));
    const after = this.toCanvas(px, py);
    this.at.x += before.x - after.x;
    this.at.y += before.y - after.y;
    this.tell("zoom", {});
    this.slide();
  }

  listen() {
    const { frame } = this;
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.zoomAt(event, ZOOM ** (-event.deltaY * lines));
    }, { passive: false });
    frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      frame.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      this.pressed = { x: event.clientX, y: event.clientY, moved: this.pointers.size > 1 };
    });
    frame.addEventListener("pointermove", (event) => this.moved(event));
    frame.addEventListener("pointerup", (event) => this.released(event));
    frame.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    frame.addEventListener("pointerleave", () => this.hover(undefined));
  }

  moved(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.hover(this.under(event), event);
      return;
    }
    const now = { x: event.clientX, y: event.clientY };
    if (!this.pressed.moved && Math.hypot(now.x - this.pressed.x, now.y - this.pressed.y) < 4) return;
    if (!this.pressed.moved) this.tell("dragStart", {});
    this.pressed.moved = true;
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    else {
      this.at.x -= (now.x - before.x) / this.at.scale;
      this.at.y -= (now.y - before.y) / this.at.scale;
      this.slide();
    }
    this.pointers.set(event.pointerId, now);
  }

  pinch(id, before, now) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(now.x - other.x, now.y - other.y);
    const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
    if (was > 0) this.zoomAt(middle, is / was);
  }

  released(event) {
    const pressed = this.pointers.delete(event.pointerId);
    if (!pressed || this.pressed.moved) return;
    frameFocus(this.frame);
    const place = this.placeOf(event);
    if (this.catchers.some((caught) => caught(place))) return;
    const id = this.under(event);
    this.tell("click", { nodes: id === undefined ? [] : [id] });
  }

  hover(id, event) {
    if (id === this.hovered) return;
    if (this.hovered !== undefined && this.hovered !== null) this.tell("blurNode", { node: this.hovered });
    this.hovered = id;
    if (id !== undefined) this.tell("hoverNode", { node: id, event });
  }
}

function frameFocus(frame) { frame.focus({ preventScroll: true }); }

Network.prototype.setSize = function setSize() { this.redraw(); };

window.vis = { DataSet, Network };
