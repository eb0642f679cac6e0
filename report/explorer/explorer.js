"use strict";
// What is shown is in the fragment of the address, and nowhere else: every choice writes it, and
// whenever it changes the page is drawn anew. Words of a configuration become text, never HTML.
const explorer = { experiments: [] };

(() => {
  const SMALL = 64; // pixels a side, up to which each pixel is drawn as a square, as in the figures
  const WIDE = 1000; // pixels that the pictures of a panel take side by side, to have a row of it
  const at = (id) => document.getElementById(id);
  const loading = new Map();
  let state;

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children.filter((child) => child !== null));
    return made;
  };

  // The address -------------------------------------------------------------------------------

  const named = (list, name, key = "name") =>
    list.find((one) => [one[key]].flat().map(String).includes(name));

  // Return what an address asks for, and in `missing` what of that there is not.
  const read = (fragment) => {
    const asked = new URLSearchParams(fragment.replace(/^#/, ""));
    const missing = [];
    const find = (what, list, key) => {
      const found = asked.has(what) ? named(list, asked.get(what), key) : undefined;
      if (asked.has(what) && !found) missing.push(`${what} ${asked.get(what)}`);
      return found;
    };
    const choose = (what, list, key) => find(what, list, key) || list[0];
    const network = choose("network", explorer.experiments);
    const projection = find("projection", network.projections);
    for (const [what, value] of projection?.opens ?? []) asked.set(what, value);
    const look = choose("look", possible(network).map((name) => ({ name }))).name;
    const layer = choose("layer", network.stages, "layers");
    const unit = layer && choose("unit", layer.units, "number");
    const image = choose("image", network.images);
    return { network, projection, look, layer, unit, image, missing };
  };

  const possible = (network) => [
    ...(network.stages.length ? ["unit"] : []),
    ...(network.images.length ? ["image"] : []),
    "network",
  ];

  const written = ({ network, look, layer, unit, image }) => {
    const fields = { network: network.name, look };
    if (look === "unit") {
      fields.layer = layer.name;
      if (unit) fields.unit = unit.number;
    }
    if (look === "image") fields.image = image.name;
    return `#${new URLSearchParams(fields)}`;
  };

  const go = (change) => {
    location.hash = written({ ...state, ...change });
  };

  // Pictures ----------------------------------------------------------------------------------

  const sheet = (file) => {
    if (!loading.has(file)) {
      const image = new Image();
      loading.set(file, new Promise((done, failed) => {
        image.onload = () => done(image);
        image.onerror = () => failed(new Error(`${file} cannot be read`));
      }));
      image.src = file;
    }
    return loading.get(file);
  };

  // Show a picture, without a size as wide as there is room; with a way to what its words name,
  // these lead there.
  const picture = ([file, left, top, width, height, caption, alt], size, href) => {
    const canvas = element("canvas", { width, height });
    canvas.setAttribute("aria-busy", "true");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", alt);
    canvas.classList.toggle("sharp", Math.max(width, height) <= SMALL);
    if (size) {
      const scale = size / Math.max(width, height);
      canvas.style.width = `${Math.max(width * scale, 8)}px`;
      canvas.style.height = `${Math.max(height * scale, 8)}px`;
    }
    sheet(state.network.sheets[file])
      .then((image) => {
        canvas.getContext("2d").drawImage(image, left, top, width, height, 0, 0, width, height);
        canvas.removeAttribute("aria-busy");
      })
      .catch((error) => say(error.message));
    return element("figure", {}, canvas, caption ? element("figcaption", {},
      href ? element("a", { href, textContent: caption }) : caption) : null);
  };

  const sizeOf = (pictures) => {
    const largest = Math.max(...pictures.map((one) => Math.max(one[3], one[4])));
    if (pictures.length === 1) return Math.min(Math.max(192, largest), 320);
    return largest <= SMALL ? 88 : 128;
  };

  // Panels ------------------------------------------------------------------------------------

  const facts = (found) => found.length === 0 ? null : element("dl", {},
    ...found.flatMap(([name, value]) => [
      element("dt", { textContent: name }), element("dd", { textContent: value })]));

  const chart = ([title, bars]) => {
    const values = bars.map(([, value]) => value);
    const lowest = Math.min(0, ...values);
    const largest = Math.max(0, ...values) || (lowest < 0 ? 0 : 1);
    const zero = (-100 * lowest) / (largest - lowest);
    return element("table", {}, element("caption", { textContent: title }),
      element("tbody", {}, ...bars.map(([name, value, words]) => {
        const bar = element("span", { className: value < 0 ? "bar below" : "bar" });
        const share = (100 * Math.abs(value)) / (largest - lowest);
        bar.style.inlineSize = `${share}%`;
        bar.style.marginInlineStart = `${zero - (value < 0 ? share : 0)}%`;
        return element("tr", {},
          element("th", { scope: "row", textContent: name }),
          element("td", { textContent: words }),
          element("td", { className: "room" }, bar));
      })));
  };

  const legend = ([colours, low, high]) => element("p", { className: "scale" },
    element("span", { textContent: low }), element("span", { className: colours }),
    element("span", { textContent: high }));

  const toUnit = (name, number) => {
    const layer = named(state.network.stages, name, "layers");
    const unit = layer && named(layer.units, String(number), "number");
    return unit ? written({ ...state, look: "unit", layer, unit }) : undefined;
  };

  const toImage = (place) => {
    const image = named(state.network.images, place);
    return image ? element("p", {}, "of ", element("a", {
      href: written({ ...state, look: "image", image }),
      textContent: `${image.name}, ${image.label}` })) : null;
  };

  // Pictures side by side, or each at its row and column.
  const pictures = (shown, size) => {
    const map = shown.fields.length > 0;
    const list = element("ul", { className: map ? "map" : "pictures" },
      ...shown.pictures.map((one) =>
        element("li", {}, picture(one, map ? 0 : size, toUnit(shown.layer, one[7])))));
    shown.fields.forEach(([row, column], order) => {
      list.children[order].style.gridArea = `${row} / ${column}`;
    });
    return list;
  };

  const panel = (shown) => {
    const title = element("h3", { textContent: shown.title });
    if (shown.layer) title.append(" ", element("code", { textContent: shown.layer }));
    const size = sizeOf(shown.pictures);
    const made = element("article", {
      className: shown.pictures.length * size > WIDE ? "panel wide" : "panel" },
      title,
      shown.pictures.length ? pictures(shown, size) : null,
      ...shown.scales.map(legend),
      toImage(shown.place),
      facts(shown.facts),
      ...shown.bars.map(chart),
      ...shown.notes.map((note) => element("p", { textContent: note })));
    made.dataset.projection = shown.projection;
    return made;
  };

  const numbers = (title, measures) => {
    if (measures.length === 0) return [];
    return [element("h2", { textContent: title }), ...measures.map(([measure, rows]) =>
      element("details", { open: measures.length === 1 && rows.length < 40 },
        element("summary", {
          textContent: `${measure.replaceAll("_", " ") || "training and data"} (${rows.length})` }),
        element("table", {}, element("tbody", {}, ...rows.map(([name, value, spread]) =>
          element("tr", {},
            element("th", { scope: "row", textContent: name.replaceAll("_", " ") }),
            element("td", { textContent: value }),
            element("td", { textContent: spread })))))))];
  };

  const panels = (title, found) => found.length === 0 ? [] : [
    element("h2", { textContent: title }),
    element("div", { className: "panels" }, ...found.map(panel))];

  // A row of small pictures to choose from.
  const strip = (label, key, list, chosen, pictureOf, wordsOf) => {
    const buttons = list.map((one) => {
      const button = element("button", { type: "button" });
      const shown = pictureOf(one);
      if (shown) {
        button.append(picture([...shown.slice(0, 5), "", ""], 48));
        button.querySelector("canvas").setAttribute("aria-hidden", "true");
      }
      button.append(element("span", { textContent: wordsOf(one) }));
      button.addEventListener("click", () => go({ [key]: one }));
      if (one === chosen) button.setAttribute("aria-current", "true");
      return element("li", {}, button);
    });
    const row = element("ul", { className: "strip" }, ...buttons);
    row.setAttribute("aria-label", label);
    return list.length ? [row] : [];
  };

  const lacks = (layer) => layer.weighted ? [] : [element("p", {
    className: "quiet",
    textContent: "There can be no weights of this unit: no layer up to it has any." })];

  const others = (network) => network.numbers.length === 0 ? [] : [element("p", { className: "quiet" },
    element("a", {
      href: written({ network, look: "network" }),
      textContent: `All measures of ${network.name}` }),
    " are with what is of the whole network.")];

  const alone = (image) => image.tested ? [] : [element("p", {
    className: "quiet",
    textContent: "There is no more of this image: it is larger than those that the network is " +
      "tested on, and kept to dream on." })];

  const figures = (title, found) => found.length === 0 ? [] : [
    element("h2", { textContent: title }),
    element("div", { className: "panels" }, ...found.map(({ name, file, alt, width, height }) =>
      element("article", { className: "panel wide" },
        element("h3", { textContent: name }),
        element("img", { loading: "lazy", src: file, alt, width, height }),
        element("p", {}, element("a", { href: file, textContent: `${name} by itself` })))))];

  const views = {
    unit: ({ network, layer, unit }) => [
      ...strip("Units", "unit", layer.units, unit, (one) => one.emblem, (one) => one.name),
      ...(unit ? panels(`Unit ${unit.name} of ${layer.layers.join(", ")}`, unit.panels) : []),
      ...(unit ? lacks(layer) : []),
      ...(unit ? numbers("Measures of the unit", unit.numbers) : []),
      ...panels(`All of ${layer.layers.join(", ")}`, layer.panels),
      ...numbers("Measures of the layer", layer.numbers),
      ...others(network),
    ],
    image: ({ network, image }) => [
      ...strip("Images", "image", network.images, image, (one) => one.picture,
        (one) => `${one.name}, ${one.label}`),
      element("h2", { textContent: `${image.name}, ${image.label}` }),
      picture(image.picture, 192),
      ...panels("What methods show of it", image.panels),
      ...alone(image),
      ...numbers("Measures of these methods of attribution", image.numbers),
    ],
    network: ({ network }) => [
      ...panels(`All of ${network.name}`, network.panels),
      ...figures(`Figures of ${network.name}`, network.figures),
      ...numbers(`Measures of ${network.name}`, network.numbers),
    ],
  };

  // The page ----------------------------------------------------------------------------------

  const say = (words) => { at("said").textContent = words; };

  const fill = (id, values, chosen) => {
    at(id).replaceChildren(...values.map(([value, words]) =>
      element("option", { value, textContent: words, selected: value === chosen })));
    at(id).parentElement.hidden = values.length === 0;
  };

  const draw = () => {
    state = read(location.hash);
    const { network, projection, look, layer, unit, image, missing } = state;
    const text = (value) => [String(value), String(value)];
    fill("network", explorer.experiments.map(({ name }) => text(name)), network.name);
    for (const option of at("look").options) option.hidden = !possible(network).includes(option.value);
    at("look").value = look;
    at("which").textContent = `${network.name}: ${network.which}.`;
    fill("layer", look === "unit" ? network.stages.map(({ name, layers }) =>
      [name, layers.join(", ")]) : [], layer?.name);
    fill("unit", look === "unit" ? layer.units.map(({ number, name }) =>
      [String(number), name]) : [], String(unit?.number));
    fill("image", look === "image" ? network.images.map(({ name, label }) =>
      [name, `${name}, ${label}`]) : [], image?.name);
    for (const [id, step] of [["before", -1], ["after", 1]]) {
      at(id).hidden = look === "network";
      // Not `disabled`: at the end of a row the button would lose the keyboard's focus.
      at(id).setAttribute("aria-disabled", String(!neighbour(step)));
    }
    const within = at("shown").contains(document.activeElement);
    at("shown").replaceChildren(...views[look](state));
    const current = at("shown").querySelector("[aria-current]");
    if (current) {
      const row = current.closest("ul");
      row.scrollLeft = current.offsetLeft - row.offsetLeft - row.clientWidth / 2;
      if (within) current.focus();
    }
    if (projection) {
      [...at("shown").querySelectorAll("article")]
        .find(({ dataset }) => dataset.projection === projection.name)
        ?.scrollIntoView({ block: "nearest" });
    }
    say(missing.length ? `There is no ${missing.join(" and no ")} here.` : "");
    const title = at("shown").querySelector("h2")?.textContent ?? network.name;
    document.title = title;
    at("heading").textContent = title;
  };

  const beside = (list, one, step) => list[list.indexOf(one) + step];

  // Return the change that leads to the unit or image before or after, if there is one.
  const neighbour = (step) => {
    if (state.look === "unit") {
      const unit = beside(state.layer.units, state.unit, step);
      return unit && { unit };
    }
    const image = state.look === "image" && beside(state.network.images, state.image, step);
    return image && { image };
  };

  const onKey = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const busy = event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select");
    if (!step || busy) return;
    const layer = beside(state.network.stages, state.layer, step);
    const change = event.shiftKey
      ? state.look === "unit" && layer && { layer, unit: layer.units[0] }
      : neighbour(step);
    if (!change) return;
    event.preventDefault();
    go(change);
  };

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      say("The link is copied.");
    } catch {
      say("Copy the link from the address bar.");
    }
  };

  explorer.start = () => {
    const choices = {
      network: (name) => {
        const looks = possible(named(explorer.experiments, name));
        const look = looks.includes(state.look) ? state.look : looks[0];
        location.hash = `#${new URLSearchParams({ network: name, look })}`;
      },
      look: (look) => go({ look }),
      layer: (name) => {
        const layer = named(state.network.stages, name);
        go({ layer, unit: layer.units[0] });
      },
      unit: (number) => go({ unit: named(state.layer.units, number, "number") }),
      image: (name) => go({ image: named(state.network.images, name) }),
    };
    for (const [id, change] of Object.entries(choices)) {
      at(id).addEventListener("change", (event) => change(event.target.value));
    }
    at("before").addEventListener("click", () => go(neighbour(-1) || {}));
    at("after").addEventListener("click", () => go(neighbour(1) || {}));
    at("link").addEventListener("click", copy);
    at("choice").addEventListener("submit", (event) => event.preventDefault());
    at("skip").addEventListener("click", (event) => {
      event.preventDefault();
      at("shown").focus();
    });
    addEventListener("hashchange", draw);
    addEventListener("keydown", onKey);
    draw();
  };
})();
