// Draws each figure[data-chart] from the JSON beside its table, in the colours of the page.
"use strict";

(() => {
  const root = document.documentElement;
  const { locale, currency } = root.dataset;
  const minorUnits = Number(root.dataset.minorUnits) || 1;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const drawn = new Map();

  const writers = {
    count: { long: new Intl.NumberFormat(locale), short: new Intl.NumberFormat(locale, { notation: "compact" }) },
    number: {
      long: new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }),
      short: new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 3 }),
    },
    share: {
      long: new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }),
      short: new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }),
    },
    money: {
      long: new Intl.NumberFormat(locale, { style: "currency", currency, minimumFractionDigits: 0 }),
      short: new Intl.NumberFormat(locale, { style: "currency", currency, notation: "compact", maximumFractionDigits: 1 }),
    },
  };

  function write(value, unit, length) {
    if (value === null || value === undefined) return "–";
    return writers[unit][length].format(unit === "money" ? value / minorUnits : value);
  }

  function colours() {
    const style = getComputedStyle(root);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      text: of("text"), quiet: of("quiet"), line: of("line"), surface: of("surface"),
      series: [of("chart-1"), of("chart-2"), of("chart-3"), of("chart-4"), of("chart-5")],
    };
  }

  // Values of a day or week that is not over: the line to or from them is dashed, a bar is pale.
  function drawnParts(one, colour) {
    const partial = new Set(one.partial);
    if (!partial.size) return [seriesOf(one, colour)];
    if (one.kind === "bar") {
      const values = one.values.map((value, place) => partial.has(place)
        ? { value, itemStyle: { color: colour, opacity: 0.45, borderColor: colour, borderType: "dashed" } } : value);
      return [seriesOf({ ...one, values }, colour)];
    }
    const isNear = (place) => partial.has(place) || partial.has(place - 1) || partial.has(place + 1);
    const whole = one.values.map((value, place) => (partial.has(place) ? null : value));
    const rest = one.values.map((value, place) => (isNear(place) ? value : null));
    const dashed = seriesOf({ ...one, values: rest, kind: "line" }, colour);
    dashed.lineStyle = { width: one.reference ? 1.5 : 2.5, type: [2, 4] };
    dashed.connectNulls = false;
    dashed.isPartial = true;
    return [seriesOf({ ...one, values: whole }, colour), dashed];
  }

  function seriesOf(one, colour) {
    const isBar = one.kind === "bar";
    return {
      name: one.name, type: isBar ? "bar" : "line", data: one.values, color: colour,
      connectNulls: true, showSymbol: one.values.filter((value) => value !== null).length < 3, symbolSize: 6,
      barMaxWidth: 28, barCategoryGap: "25%", itemStyle: isBar ? { borderRadius: [3, 3, 0, 0] } : {},
      lineStyle: isBar ? undefined : { width: one.reference ? 1.5 : 2.5, type: one.reference ? [5, 4] : "solid" },
      areaStyle: one.kind === "area" ? { opacity: 0.12 } : undefined,
      z: one.reference ? 2 : 3, emphasis: { disabled: true },
    };
  }

  function marksOf(marks, look) {
    if (!marks.length) return undefined;
    return {
      symbol: "none", silent: true, animation: false,
      lineStyle: { color: look.quiet, type: "dashed", width: 1 },
      label: { color: look.quiet, position: "insideEndTop", fontSize: 12 },
      data: marks.map((mark) => ({
        name: mark.name, label: { formatter: mark.name },
        ...(mark.at === null ? { yAxis: mark.level } : { xAxis: mark.at }),
      })),
    };
  }

  // Names that do not fit beside each other take further lines above the chart.
  function legendHeight(data, width) {
    if (data.series.length < 2) return 14;
    const needed = data.series.reduce((sum, one) => sum + 36 + 7 * one.name.length, 0);
    return 14 + 22 * Math.ceil(needed / width);
  }

  // A line in two parts has one name, and is told once.
  function told(points, data) {
    const values = new Map();
    points.forEach((point) => {
      const value = point.value;
      if (!values.has(point.seriesName) || values.get(point.seriesName) === null) values.set(point.seriesName, value ?? null);
    });
    const lines = [...values].map(([name, value]) => `${name}: ${write(value, data.unit, "long")}`);
    return [points.length ? points[0].name : "", ...lines].join("\n");
  }

  function option(data, width) {
    const look = colours();
    const font = getComputedStyle(document.body).fontFamily;
    let own = 0;
    const series = data.series.flatMap((one) => {
      const colour = one.reference && data.series.length === 2 ? look.quiet : look.series[own++ % look.series.length];
      return drawnParts(one, colour);
    });
    if (series.length) series[0].markLine = marksOf(data.marks, look);
    const levels = data.marks.filter((mark) => mark.level !== null).map((mark) => mark.level);
    return {
      animation: !still.matches, animationDuration: 300, textStyle: { fontFamily: font, color: look.text },
      grid: { left: 4, right: 12, top: legendHeight(data, width), bottom: 4, outerBoundsMode: "same", containLabel: true },
      legend: data.series.length > 1
        ? { top: 0, left: 0, itemWidth: 18, itemHeight: 8, icon: "roundRect", textStyle: { color: look.text } } : undefined,
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true, backgroundColor: look.surface, borderColor: look.line,
        textStyle: { color: look.text, fontFamily: font }, axisPointer: { lineStyle: { color: look.quiet } },
        formatter: (points) => told(points, data),
      },
      xAxis: {
        type: "category", data: data.labels, boundaryGap: data.series.some((one) => one.kind === "bar"),
        axisLine: { lineStyle: { color: look.line } }, axisTick: { show: false },
        axisLabel: {
          color: look.quiet, hideOverlap: true, margin: 10,
          interval: data.every ? (_place, label) => Number(label) % data.every === 0 : "auto",
        },
      },
      yAxis: {
        type: "value", minInterval: data.unit === "count" ? 1 : undefined, splitNumber: 4,
        scale: data.unit === "share",
        max: data.unit === "share" ? 1 : levels.length ? (range) => Math.max(range.max, ...levels) : undefined,
        splitLine: { lineStyle: { color: look.line } },
        axisLabel: { color: look.quiet, formatter: (value) => write(value, data.unit, "short") },
      },
      series,
    };
  }

  function draw(figure) {
    const place = figure.querySelector(".chart-place");
    const source = figure.querySelector('script[type="application/json"]');
    if (!source) return;
    const data = JSON.parse(source.textContent);
    place.hidden = !data.series.some((one) => one.values.some(Boolean));
    figure.dataset.drawn = "yes";
    if (place.hidden || !place.clientWidth) return;
    let chart = drawn.get(figure);
    if (!chart) {
      chart = echarts.init(place, null, { renderer: "canvas" });
      drawn.set(figure, chart);
      new ResizeObserver(() => chart.resize()).observe(place);
    }
    chart.setOption(option(data, place.clientWidth), { notMerge: true });
  }

  const drawAll = () => document.querySelectorAll("figure[data-chart]").forEach(draw);
  drawAll();
  document.querySelectorAll("figure[data-chart]").forEach((figure) => {
    figure.addEventListener("new-data", () => draw(figure));
  });
  dark.addEventListener("change", drawAll);
})();
