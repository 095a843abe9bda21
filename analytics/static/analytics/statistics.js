// Charts that answer to the pointer, in place of the drawings that come with the page; and pictures to take along.

import { make } from "../labeling/elements.js";

const charts = JSON.parse(document.getElementById("charts").textContent) || {};
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const SIZES = { rows: (chart) => (chart.labels.length * chart.series.length > 18 ? "large" : chart.labels.length > 3 ? "middle" : "small") };
const shown = new Map();

const style = () => getComputedStyle(document.querySelector(".statistics"));
const color = (name) => style().getPropertyValue(name).trim();

// A line at the threshold, and one from corner to corner where both axes say the same.
const lines = {
  id: "lines",
  afterDatasetsDraw({ ctx, chartArea: area, options }) {
    const { mark, name, diagonal } = options.plugins.lines;
    if (mark === null && !diagonal) return;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = options.color;
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    if (diagonal) {
      ctx.moveTo(area.left, area.bottom);
      ctx.lineTo(area.right, area.top);
    } else {
      const x = area.left + area.width * mark;
      ctx.moveTo(x, area.top);
      ctx.lineTo(x, area.bottom);
      ctx.textAlign = mark > 0.5 ? "end" : "start";
      ctx.fillText(name, x + (mark > 0.5 ? -6 : 6), area.top + 12);
    }
    ctx.stroke();
    ctx.restore();
  },
};

// The ends of intervals, where a series has them.
const intervals = {
  id: "intervals",
  afterDatasetsDraw(chart) {
    const { ctx, options, data } = chart;
    ctx.save();
    ctx.strokeStyle = options.color;
    ctx.lineWidth = 1.5;
    data.datasets.forEach((set, number) => {
      const isAcross = options.indexAxis === "y";
      chart.getDatasetMeta(number).data.forEach((bar, place) => {
        if (set.low?.[place] == null) return;
        const scale = isAcross ? chart.scales.x : chart.scales.y;
        const [low, high] = [scale.getPixelForValue(set.low[place]), scale.getPixelForValue(set.high[place])];
        ctx.beginPath();
        ctx.moveTo(isAcross ? low : bar.x, isAcross ? bar.y : low);
        ctx.lineTo(isAcross ? high : bar.x, isAcross ? bar.y : high);
        ctx.stroke();
      });
    });
    ctx.restore();
  },
};

const value = (chart, number) => (number == null ? "-" : chart.is_share ? percent.format(number) : plain.format(number));

function dataset(chart, one, number) {
  const ink = color(`--chart-${1 + (number % 8)}`);
  const data = chart.kind === "points" ? chart.xs.map((x, place) => ({ x, y: one.values[place] })) : one.values;
  return { label: one.name, data, low: one.low, high: one.high, backgroundColor: ink, borderColor: ink, pointRadius: 4, pointHoverRadius: 6, tension: 0, maxBarThickness: 36 };
}

function axis(chart, isOfValues, title) {
  const shared = { grid: { color: color("--page-line") }, ticks: { color: color("--page-soft") }, title: { display: Boolean(title), text: title, color: color("--page-soft") } };
  if (!isOfValues) return { ...shared, stacked: chart.kind === "stacked", offset: true, grid: { display: false }, ticks: { ...shared.ticks, autoSkip: chart.kind !== "rows", maxRotation: 45 } };
  return { ...shared, stacked: chart.kind === "stacked", beginAtZero: true, max: chart.is_share ? chart.end : undefined, ticks: { ...shared.ticks, maxTicksLimit: 6, callback: (number) => value(chart, number) } };
}

function said(chart) {
  return (item) => {
    const one = chart.series[item.datasetIndex];
    const ends = one.low[item.dataIndex] == null ? "" : ` (${value(chart, one.low[item.dataIndex])} to ${value(chart, one.high[item.dataIndex])})`;
    return `${one.name}: ${value(chart, one.values[item.dataIndex])}${ends}`;
  };
}

function settings(chart) {
  const isAcross = chart.kind === "rows";
  const isOfPoints = chart.kind === "points";
  return {
    type: isOfPoints ? "scatter" : chart.kind === "lines" ? "line" : "bar",
    data: { labels: chart.labels, datasets: chart.series.map((one, number) => dataset(chart, one, number)) },
    options: {
      animation: false,
      maintainAspectRatio: false,
      indexAxis: isAcross ? "y" : "x",
      color: color("--page-ink"),
      scales: {
        x: axis(chart, isAcross || isOfPoints, chart.x_title),
        y: axis(chart, !isAcross, chart.y_title),
      },
      plugins: {
        legend: { display: chart.series.length > 1, labels: { boxWidth: 12 } },
        tooltip: { callbacks: { label: said(chart), title: ([item]) => chart.labels[item.dataIndex] } },
        lines: { mark: chart.mark === null ? null : chart.mark / chart.labels.length, name: chart.mark_name, diagonal: isOfPoints },
      },
    },
    plugins: [lines, intervals],
  };
}

function draw(place) {
  const name = place.dataset.chart;
  const chart = charts[name];
  shown.get(name)?.destroy();
  const canvas = make("canvas", { role: "img", "aria-labelledby": `${name}-title ${name}-summary` });
  place.dataset.size = (SIZES[chart.kind] || (() => "middle"))(chart);
  place.replaceChildren(canvas);
  shown.set(name, new Chart(canvas, settings(chart)));
}

// A picture of the drawing that the server makes, so that both files show the same.
async function download(address, name) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const scale = 2;
  const canvas = make("canvas", {});
  canvas.width = scale * picture.naturalWidth;
  canvas.height = scale * picture.naturalHeight;
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const link = make("a", { href: URL.createObjectURL(blob), download: `${name}.png` });
  link.click();
  URL.revokeObjectURL(link.href);
}

for (const link of document.querySelectorAll('.statistics-files a[href*=".svg"]')) {
  const name = link.closest("section").id;
  const button = make("button", { type: "button", className: "record-link", text: "PNG" });
  button.append(make("span", { className: "page-hidden", text: ` of ${document.getElementById(`${name}-title`).textContent}` }));
  button.addEventListener("click", () => download(link.href, name));
  link.after(button);
}

const places = [...document.querySelectorAll("[data-chart]")].filter((place) => place.dataset.chart in charts);
const drawAll = () => places.forEach(draw);
drawAll();
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
