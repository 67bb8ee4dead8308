"use strict";

// ---- tables: a click on a heading sorts, another one turns the order round

function keyOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.key === undefined ? cell.textContent.trim() : Number(cell.dataset.key);
}

function compareKeys(a, b) {
  const numbers = [a, b].map((key) => typeof key === "number");
  if (numbers[0] && numbers[1]) return a - b;
  if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1; // cells without a value come last
  return a.localeCompare(b, undefined, { numeric: true });
}

function sortBy(heading) {
  const table = heading.closest("table");
  const column = heading.cellIndex;
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const keyed = [...table.tBodies[0].rows].map((row) => [keyOf(row, column), row]);
  keyed.sort(([a], [b]) => {
    const bothNumbers = typeof a === "number" && typeof b === "number";
    const order = compareKeys(a, b);
    return ascending || (typeof a === "number") !== (typeof b === "number") ? order : -order;
  });
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}

for (const heading of document.querySelectorAll(".sortable thead th")) {
  heading.firstElementChild.addEventListener("click", () => sortBy(heading));
}

// ---- error maps: one colour scale for the page

const STOPS = ["#000004", "#1f0c48", "#550f6d", "#88226a", "#ba3655", "#e35933", "#f98c0a", "#f9c932", "#fcffa4"];
const COLORS = Array.from({ length: 256 }, (_, level) => {
  const at = (level / 255) * (STOPS.length - 1);
  const k = Math.min(Math.floor(at), STOPS.length - 2);
  const channel = (stop, i) => parseInt(stop.slice(1 + 2 * i, 3 + 2 * i), 16);
  return [0, 1, 2].map((i) => {
    const [a, b] = [channel(STOPS[k], i), channel(STOPS[k + 1], i)];
    return Math.round(a + (b - a) * (at - k));
  });
});

function errorMap(pixels, reference, largest) {
  const map = new ImageData(pixels.width, pixels.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const error = Math.abs(pixels.data[i] - reference.data[i]);
    map.data.set(COLORS[Math.min(255, Math.round((255 * error) / largest))], i);
    map.data[i + 3] = 255;
  }
  return map;
}

// ---- pictures: two beside a slider and all of them below, moved and enlarged together

function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

class Viewer {
  constructor(root, largest) {
    this.root = root;
    this.slices = Number(root.dataset.slices);
    this.aspect = Number(root.dataset.aspect);
    const images = [...root.querySelectorAll(".sources img")];
    this.width = images[0].naturalWidth;
    this.height = images[0].naturalHeight / this.slices;
    this.layers = images.map((image) => this.layer(image));
    for (const layer of this.layers) layer.error = this.errorLayer(layer, largest);
    this.addControls();
    this.addPictures();
    this.draw();
  }

  control(name) {
    return this.root.querySelector(`.${name}`);
  }

  layer(image) {
    const picture = canvasOf(image.naturalWidth, image.naturalHeight);
    const context = picture.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return { name: image.alt, picture, pixels: context.getImageData(0, 0, picture.width, picture.height) };
  }

  errorLayer(layer, largest) {
    const canvas = canvasOf(layer.picture.width, layer.picture.height);
    canvas.getContext("2d").putImageData(errorMap(layer.pixels, this.layers[0].pixels, largest), 0, 0);
    return canvas;
  }

  addControls() {
    for (const [name, chosen] of [["left", 1], ["right", this.layers.length - 1]]) {
      const select = this.control(name);
      select.append(...this.layers.map((layer, k) => new Option(layer.name, k)));
      select.value = chosen;
    }
    for (const control of this.root.querySelectorAll(".controls select, .controls input")) {
      control.addEventListener("input", () => this.draw());
    }
  }

  addPictures() {
    this.compare = this.root.querySelector(".compare canvas");
    this.setSize(this.compare);
    this.drag(this.compare);
    for (const layer of this.layers) {
      layer.canvas = canvasOf(1, 1);
      this.setSize(layer.canvas);
      layer.canvas.setAttribute("role", "img");
      layer.canvas.setAttribute("aria-label", layer.name);
      this.drag(layer.canvas);
      const caption = Object.assign(document.createElement("figcaption"), { textContent: layer.name });
      const figure = document.createElement("figure");
      figure.append(layer.canvas, caption);
      this.control("all").append(figure);
    }
  }

  setSize(canvas) {
    const enlarged = Math.max(3, Math.ceil(540 / this.width)); // smooth moves, a thin slider
    canvas.width = enlarged * this.width;
    canvas.height = enlarged * this.height;
    canvas.style.aspectRatio = `${this.width} / ${this.height * this.aspect}`;
  }

  drag(canvas) {
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      last = event;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointerup", () => (last = null));
    canvas.addEventListener("pointermove", (event) => {
      const hidden = Number(this.control("zoom").value) - 1;
      if (last === null || hidden === 0) return;
      const box = canvas.getBoundingClientRect();
      for (const [name, moved, size] of [
        ["across", event.clientX - last.clientX, box.width],
        ["down", event.clientY - last.clientY, box.height],
      ]) {
        this.control(name).value -= (100 * moved) / size / hidden;
      }
      last = event;
      this.draw();
    });
  }

  view() {
    const zoom = Number(this.control("zoom").value);
    const [width, height] = [this.width / zoom, this.height / zoom];
    const slice = this.slices > 1 ? Number(this.control("slice").value) - 1 : 0;
    const x = ((this.width - width) * this.control("across").value) / 100;
    const y = ((this.height - height) * this.control("down").value) / 100;
    return [x, y + slice * this.height, width, height];
  }

  draw() {
    const [x, y, width, height] = this.view();
    const errors = this.control("errors").checked;
    const put = (canvas, layer, from, to) => {
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      const source = errors ? layer.error : layer.picture;
      const share = to - from;
      context.drawImage(
        source, x + from * width, y, share * width, height,
        from * canvas.width, 0, share * canvas.width, canvas.height,
      );
    };
    for (const layer of this.layers) put(layer.canvas, layer, 0, 1);
    const split = this.control("split").value / 100;
    const [left, right] = ["left", "right"].map((side) => this.layers[this.control(side).value]);
    if (split > 0) put(this.compare, left, 0, split);
    if (split < 1) put(this.compare, right, split, 1);
    const context = this.compare.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(split * this.compare.width - 1, 0, 2, this.compare.height);
    if (this.slices > 1) this.control("slice-number").value = this.control("slice").value;
  }
}

async function start() {
  const bar = document.querySelector(".bar");
  if (bar === null) return;
  bar.style.background = `linear-gradient(to right, ${STOPS.join(", ")})`;
  for (const root of document.querySelectorAll(".viewer")) {
    await Promise.all([...root.querySelectorAll(".sources img")].map((image) => image.decode()));
    new Viewer(root, Number(bar.dataset.largest));
  }
  document.documentElement.dataset.ready = "";
}

start();
