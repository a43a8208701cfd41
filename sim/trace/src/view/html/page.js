"use strict";
// Plays the packets of a recording. All text goes into the page as text, never as markup.
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("recording").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const PACE = 1100;

  const state = { command: 0, packet: 0, step: 0, timer: null };
  let steps = []; // of the chosen packet: { step, hop, spot }

  // ---- small helpers

  function make(tag, props, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "onclick") element.addEventListener("click", value);
      else if (name === "class") element.className = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  function duration(ns) {
    if (ns < 1e3) return `${ns} ns`;
    const [size, name] = ns < 1e6 ? [1e3, "µs"] : ns < 1e9 ? [1e6, "ms"] : [1e9, "s"];
    const value = ns / size;
    return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.floor(value)} ${name}`;
  }

  function ending(end) {
    if (end.kind === "delivered") return { class: "delivered", text: `✓ delivered to ${end.node}` };
    if (end.kind === "dropped") return { class: "dropped", text: `✗ dropped at ${end.node}: ${end.sentence} (${end.reason})` };
    return { class: "pending", text: "… still on its way" };
  }

  const command = () => data.commands[state.command];
  const packet = () => command()?.packets[state.packet];

  // ---- the picture

  const devices = new Map();
  for (const g of document.querySelectorAll("[data-device]")) devices.set(g.dataset.device, g);
  const nodes = new Map();
  for (const g of document.querySelectorAll("[data-node]")) {
    // The box of a host stands for its initial namespace.
    if (!nodes.has(g.dataset.node)) nodes.set(g.dataset.node, g);
  }
  const segments = [...document.querySelectorAll("[data-ports]")].map((g) => ({
    ports: new Set(g.dataset.ports.split(" ")),
    y: Number(g.dataset.y),
  }));
  const deviceNames = new Map();
  for (const host of data.map.hosts)
    for (const ns of host.namespaces)
      for (const dev of ns.devices) {
        const node = ns.id === 0 ? host.name : `${host.name}/${ns.name}`;
        deviceNames.set(dev.id, `${node} ${dev.name}`);
      }

  const point = (g) => ({ x: Number(g.dataset.x), y: Number(g.dataset.y) });

  function flatten(chosen) {
    const flat = [];
    for (const hop of chosen.hops) {
      let spot = null;
      for (const step of hop.steps) {
        const device = step.device_id && devices.get(step.device_id);
        if (device) spot = { device: step.device_id, ...point(device) };
        const node = nodes.get(`${hop.host}/${hop.namespace}`);
        flat.push({ step, hop, spot: spot || (node && { device: null, ...point(node) }) });
      }
    }
    return flat;
  }

  // The line from the first device to that of step `until`, over segments where devices share one.
  function line(until) {
    const points = [];
    let before = null;
    for (const { step, spot } of steps.slice(0, until + 1)) {
      if (!spot || !spot.device || (step.kind !== "receive" && step.kind !== "transmit")) continue;
      if (before && before.device === spot.device) continue;
      const shared = before && segments.find((s) => s.ports.has(before.device) && s.ports.has(spot.device));
      if (shared) points.push(`${before.x},${shared.y}`, `${spot.x},${shared.y}`);
      points.push(`${spot.x},${spot.y}`);
      before = spot;
    }
    return points.join(" ");
  }

  function draw() {
    const dot = $("packet");
    const now = steps[state.step];
    for (const g of devices.values()) g.classList.remove("seen", "here");
    $("way").setAttribute("points", line(steps.length - 1));
    $("walked").setAttribute("points", line(state.step));
    dot.setAttribute("visibility", now && now.spot ? "visible" : "hidden");
    dot.classList.remove("lost", "arrived");
    dot.querySelector("text")?.remove();
    if (!now || !now.spot) return;
    for (const { spot } of steps.slice(0, state.step + 1)) if (spot?.device) devices.get(spot.device).classList.add("seen");
    if (now.spot.device) devices.get(now.spot.device).classList.add("here");
    // At a corner of the device, whose name stays readable.
    const box = now.spot.device && devices.get(now.spot.device).dataset;
    const [x, y] = box ? [box.corner, box.top] : [now.spot.x, now.spot.y];
    dot.style.transform = `translate(${x}px, ${y}px)`;
    const end = now.step.kind === "drop" ? ["lost", "✗"] : now.step.kind === "deliver" ? ["arrived", "✓"] : null;
    if (end) {
      dot.classList.add(end[0]);
      const mark = document.createElementNS(SVG, "text");
      mark.setAttribute("y", "5");
      mark.textContent = end[1];
      dot.append(mark);
    }
    keepInSight(now.spot);
  }

  function keepInSight(spot) {
    const scene = $("scene");
    const picture = $("picture");
    const [seen, frame] = [picture.getBoundingClientRect(), scene.getBoundingClientRect()];
    const scale = seen.width / picture.viewBox.baseVal.width;
    const x = spot.x * scale + seen.left - frame.left + scene.scrollLeft;
    const y = spot.y * scale + seen.top - frame.top + scene.scrollTop;
    if (x < scene.scrollLeft + 90 || x > scene.scrollLeft + scene.clientWidth - 90) scene.scrollLeft = x - scene.clientWidth / 2;
    if (y < scene.scrollTop + 30 || y > scene.scrollTop + scene.clientHeight - 30) scene.scrollTop = y - scene.clientHeight / 2;
  }

  // ---- headers

  // Pairs the layers of two moments from the inside out: tunnels and tags come and go outside.
  function compare(before, after) {
    const rows = [];
    let [i, j] = [before.length - 1, after.length - 1];
    while (i >= 0 || j >= 0) {
      if (i >= 0 && j >= 0 && before[i].name === after[j].name) rows.unshift([before[i--], after[j--]]);
      else if (j >= 0 && j >= i) rows.unshift([null, after[j--]]);
      else rows.unshift([before[i--], null]);
    }
    return rows;
  }

  function showLayer(before, after, isFirstStep) {
    const layer = after || before;
    const status = after ? (before || isFirstStep ? "" : "added") : "removed";
    const title = make("h4", {}, layer.name, status ? make("span", { class: "badge" }, status) : null);
    const box = make("div", { class: `layer ${status}` }, title);
    if (!after) return box;
    const list = make("dl");
    for (const field of after.fields) {
      const old = before?.fields.find((f) => f.name === field.name)?.value;
      const changed = before && old !== field.value;
      const value = changed
        ? make("dd", { class: "changed" }, make("del", {}, old ?? "none"), " ⇒ ", make("ins", {}, field.value), make("span", { class: "badge" }, "changed"))
        : make("dd", {}, field.value);
      list.append(make("dt", {}, field.name), value);
    }
    box.append(list);
    return box;
  }

  function showHeaders() {
    const layersAt = (i) => (steps[i] && steps[i].step.headers !== null ? data.headers[steps[i].step.headers] : []);
    const after = layersAt(state.step);
    const isFirst = state.step === 0;
    const rows = compare(isFirst ? after : layersAt(state.step - 1), after);
    $("headers").replaceChildren(...rows.map(([a, b]) => showLayer(a, b, isFirst)));
    if (rows.length === 0) $("headers").append(make("p", { class: "none" }, "no headers recorded"));
  }

  // ---- rules and connections

  const decisionOf = (step) => step.decided_by || step.rule || step.by?.rule || null;

  function decisionText(decision) {
    if (decision.by === "fabric") return `the segment ${decision.segment}, which bars ${decision.barrier}`;
    return decision.by === "rule"
      ? `${decision.table} ${decision.chains.join(" → ")} #${decision.number}`
      : `${decision.table} ${decision.chain} policy`;
  }

  function showDecision() {
    const decision = steps[state.step] && decisionOf(steps[state.step].step);
    $("decision-panel").hidden = !decision;
    if (!decision) return;
    const parts = [make("p", {}, make("code", {}, decisionText(decision)))];
    const context = decision.context;
    const rows = [];
    if (context) {
      if (context.first > 1) rows.push(make("li", {}, make("span", { class: "number" }, "…"), `${context.first - 1} more before`));
      context.rules.forEach((rule, i) => {
        const number = context.first + i;
        const decided = decision.by === "rule" && number === decision.number;
        rows.push(make("li", { class: decided ? "decided" : null }, make("span", { class: "number" }, `${decided ? "▶" : ""} ${number}`), make("span", {}, rule, decided ? make("span", { class: "badge" }, "decided") : null)));
      });
      const after = context.total - (context.first + context.rules.length - 1);
      if (after > 0) rows.push(make("li", {}, make("span", { class: "number" }, "…"), `${after} more after`));
      if (context.policy) {
        const decided = decision.by === "policy";
        rows.push(make("li", { class: decided ? "decided" : null }, make("span", { class: "number" }, decided ? "▶" : ""), make("span", {}, `policy ${context.policy}`, decided ? make("span", { class: "badge" }, "decided") : null)));
      }
    } else if (decision.by === "rule") {
      rows.push(make("li", { class: "decided" }, make("span", { class: "number" }, `▶ ${decision.number}`), decision.text));
    }
    parts.push(make("ol", { class: "rules" }, ...rows));
    if (decision.nearest) {
      parts.push(make("p", { class: "nearest" }, "The nearest rule, ", make("code", {}, decision.nearest.rule), ", did not match: ", make("code", {}, decision.nearest.failed)));
    }
    $("decision").replaceChildren(...parts);
  }

  function showChains() {
    const items = [];
    steps.slice(0, state.step + 1).forEach(({ step, hop }, index) => {
      if (step.kind !== "chain") return;
      const text = `${hop.node}: ${step.table} ${step.hook} → ${step.verdict} by ${decisionText(step.decided_by)}, ${step.rules_visited} visited`;
      const current = index === state.step ? "step" : null;
      items.push(make("li", {}, make("button", { type: "button", "aria-current": current, onclick: () => go(index) }, text)));
    });
    $("chains").replaceChildren(...(items.length ? items : [make("li", { class: "none" }, "none yet")]));
  }

  function showConntrack() {
    const here = steps[state.step];
    const seen = steps.slice(0, state.step + 1).filter(({ step, hop }) => step.kind === "conntrack" && hop.node === here.hop.node);
    const last = seen[seen.length - 1]?.step;
    $("conntrack").textContent = last ? `${last.state}${last.entry ? `: ${last.entry}` : ""}` : "not looked up in this namespace so far";
  }

  // ---- lists

  const MILESTONES = new Set(["rewrite", "encapsulated", "decapsulated", "deliver", "drop", "crossing"]);

  function showSteps() {
    let index = 0;
    const hops = packet().hops.map((hop, number) => {
      const list = make("ol");
      for (const step of hop.steps) {
        const at = index++;
        const text = `${step.device ? `${step.device}: ` : ""}${step.text}`;
        const props = { type: "button", class: MILESTONES.has(step.kind) ? "milestone" : null, onclick: () => go(at) };
        list.append(make("li", {}, make("button", props, text)));
      }
      return make("div", { class: "hop" }, make("h4", {}, `${number + 1} ${hop.node}`), list);
    });
    $("steps").replaceChildren(...hops);
  }

  function markStep() {
    const list = $("steps");
    list.querySelectorAll("button").forEach((button, index) => {
      if (index !== state.step) return button.removeAttribute("aria-current");
      button.setAttribute("aria-current", "step");
      const top = button.offsetTop - list.offsetTop;
      if (top < list.scrollTop || top + button.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 2;
    });
  }

  function showCommands() {
    const every = $("every").checked;
    const items = [];
    let act = null;
    data.commands.forEach((entry, c) => {
      const item = make("li");
      if (entry.act && entry.act !== act) item.append(make("p", { class: "act" }, entry.act));
      act = entry.act;
      const status = entry.status ? ` [exit ${entry.status}]` : "";
      item.append(make("p", { class: "typed" }, make("b", {}, `${entry.on}$ `), entry.command + status));
      for (const judged of entry.expectations) {
        const text = judged.held ? `✓ ${judged.text}` : `✗ ${judged.text}; instead: ${judged.instead}`;
        item.append(make("p", { class: judged.held ? "judged" : "judged failed" }, text));
      }
      const list = make("ol", { class: "packets" });
      entry.packets.forEach((p, n) => {
        const current = c === state.command && n === state.packet;
        if (!p.subject && !every && !current) return;
        const end = ending(p.disposition);
        const props = { type: "button", "data-at": `${c}.${n}`, "aria-current": current ? "true" : null, onclick: () => choose(c, n, 0) };
        list.append(make("li", {}, make("button", props, p.description, make("span", { class: `end ${end.class}` }, end.text))));
      });
      if (entry.packets_left_out) list.append(make("li", { class: "none" }, `${entry.packets_left_out} more packets are not in this page`));
      if (list.children.length) item.append(list);
      items.push(item);
    });
    $("commands").replaceChildren(...items);
  }

  function showFrames() {
    const all = command()?.frames ?? [];
    const wanted = $("device").value;
    const rows = all.filter((frame) => !wanted || frame.device_id === wanted);
    const start = packet()?.sent_at_ns ?? 0;
    $("frames").replaceChildren(...rows.map((frame) => {
      const at = find(frame);
      const number = at
        ? make("button", { type: "button", "aria-label": `Show packet ${frame.packet} here`, onclick: () => choose(state.command, at.packet, at.step) }, String(frame.packet))
        : String(frame.packet);
      const sign = frame.at_ns < start ? "−" : "+";
      const cells = [`${sign}${duration(Math.abs(frame.at_ns - start))}`, deviceNames.get(frame.device_id) ?? frame.device_id, frame.direction, number, String(frame.bytes), frame.description];
      return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)));
    }));
    const left = command()?.frames_left_out;
    $("frames-note").textContent = `${rows.length} frames, times from the chosen packet's sending${left ? `; ${left} more are not in this page` : ""}`;
  }

  // Where a captured frame is in the packets of this command.
  function find(frame) {
    for (const [n, p] of command().packets.entries()) {
      let index = 0;
      for (const hop of p.hops)
        for (const step of hop.steps) {
          const same = step.packet === frame.packet && step.at_ns === frame.at_ns && step.device_id === frame.device_id;
          if (same && step.kind === (frame.direction === "in" ? "receive" : "transmit")) return { packet: n, step: index };
          index++;
        }
    }
    return null;
  }

  function showDevices() {
    const seen = new Set((command()?.frames ?? []).map((frame) => frame.device_id));
    const options = [make("option", { value: "" }, "all devices")];
    for (const [id, name] of deviceNames) if (seen.has(id)) options.push(make("option", { value: id }, name));
    $("device").replaceChildren(...options);
  }

  // ---- moving

  function show() {
    const now = steps[state.step];
    const last = steps.length - 1;
    $("slider").max = Math.max(last, 0);
    $("slider").value = state.step;
    $("slider").setAttribute("aria-valuetext", now ? `step ${state.step + 1} of ${steps.length}: ${now.step.text}` : "");
    $("slider").disabled = $("play").disabled = last < 1;
    $("count").textContent = steps.length ? `${state.step + 1} of ${steps.length}` : "";
    $("first").disabled = $("back").disabled = state.step <= 0;
    $("last").disabled = $("forward").disabled = state.step >= last;
    draw();
    if (!now) return;
    const { step, hop } = now;
    const time = `+${duration(step.at_ns - packet().sent_at_ns)}`;
    $("where").textContent = [hop.node, step.device, step.function, time].filter(Boolean).join(" · ");
    $("what").textContent = step.text;
    $("now").className = step.kind === "drop" ? "lost" : step.kind === "deliver" ? "arrived" : step.kind === "rewrite" ? "changed" : "";
    showHeaders();
    showDecision();
    showChains();
    showConntrack();
    markStep();
    history.replaceState(null, "", `#${state.command}.${state.packet}.${state.step}`);
  }

  function go(step) {
    state.step = Math.min(Math.max(step, 0), Math.max(steps.length - 1, 0));
    show();
  }

  function choose(c, n, step) {
    pause();
    const other = c !== state.command || steps.length === 0;
    Object.assign(state, { command: c, packet: n });
    const chosen = packet();
    steps = chosen ? flatten(chosen) : [];
    document.querySelectorAll("[data-at]").forEach((button) => {
      if (button.dataset.at === `${c}.${n}`) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
    if (chosen) {
      const end = ending(chosen.disposition);
      $("packet-title").textContent = chosen.description;
      $("packet-end").className = end.class;
      const by = chosen.sender.process ? ` by “${chosen.sender.process}”` : "";
      $("packet-end").textContent = `packet ${chosen.packet}, sent from ${chosen.sender.node}${by}: ${end.text}`;
      showSteps();
    }
    $("output").textContent = command()?.output ?? "";
    $("output-box").hidden = !command()?.output;
    if (other) showDevices();
    if ($("captures").open) showFrames();
    go(step);
  }

  function pause() {
    clearInterval(state.timer);
    state.timer = null;
    $("play").textContent = "Play";
  }

  function play() {
    if (state.timer) return pause();
    if (state.step >= steps.length - 1) go(0);
    $("play").textContent = "Pause";
    state.timer = setInterval(() => {
      go(state.step + 1);
      if (state.step >= steps.length - 1) pause();
    }, PACE);
  }

  // ---- what people do

  $("first").addEventListener("click", () => go(0));
  $("back").addEventListener("click", () => go(state.step - 1));
  $("forward").addEventListener("click", () => go(state.step + 1));
  $("last").addEventListener("click", () => go(steps.length - 1));
  $("play").addEventListener("click", play);
  $("slider").addEventListener("input", () => go(Number($("slider").value)));
  $("every").addEventListener("change", showCommands);
  $("device").addEventListener("change", showFrames);
  $("captures").addEventListener("toggle", showFrames);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || steps.length === 0) return;
    const on = event.target.closest("button, summary, a, select, input");
    const moves = { ArrowLeft: state.step - 1, ArrowRight: state.step + 1, Home: 0, End: steps.length - 1 };
    if (event.key in moves) {
      if (on && (on.tagName === "SELECT" || on.tagName === "INPUT")) return;
      go(moves[event.key]);
    } else if (event.key === " " && !on) {
      play();
    } else {
      return;
    }
    event.preventDefault();
  });

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  function isDark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : prefersDark.matches;
  }
  function nameTheme() {
    $("theme").textContent = isDark() ? "Light colors" : "Dark colors";
  }
  $("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  prefersDark.addEventListener("change", nameTheme);
  nameTheme();

  // ---- where to begin: as the address says, else at the first packet that matters

  const narrow = matchMedia("(max-width: 56rem)").matches;
  const some = data.commands.some((c) => c.packets.some((p) => p.subject));
  const any = data.commands.some((c) => c.packets.length > 0);
  $("every").checked = !some;
  if (narrow && any) $("chooser").open = data.commands.length === 1;
  let [c, n, s] = location.hash.slice(1).split(".").map(Number);
  if (!data.commands[c]?.packets[n]) {
    c = data.commands.findIndex((entry) => entry.packets.some((p) => p.subject || !some));
    n = c < 0 ? 0 : data.commands[c].packets.findIndex((p) => p.subject || !some);
    s = 0;
  }
  Object.assign(state, { command: Math.max(c, 0), packet: n });
  showCommands();
  choose(Math.max(c, 0), n, s || 0);
})();
