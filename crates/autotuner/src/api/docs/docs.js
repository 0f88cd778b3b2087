"use strict";
// Shows the service's OpenAPI document, and lets its reader ask the service. Everything is made of
// nodes and text, so that nothing in the document can become markup.

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
const LONGEST_ANSWER = 200000;
const ERROR = "#/components/schemas/ErrorBody";
const find = (id) => document.getElementById(id);
let api = null;
let token = "";

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

// Text whose `words` are code.
const prose = (text) => (text ?? "").split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
const paragraphs = (text) => (text ?? "").split(/\n\s*\n/).filter(Boolean).map((part) => make("p", {}, prose(part)));

function resolved(value) {
  let steps = 0;
  while (value?.$ref && steps++ < 9) {
    value = value.$ref.slice(2).split("/").reduce((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], api);
  }
  return value ?? {};
}

const partsOf = (schema) => schema.oneOf ?? schema.anyOf ?? schema.allOf;

function typeOf(schema) {
  const name = schema?.$ref?.split("/").pop();
  if (name) return name;
  if (schema?.const !== undefined) return JSON.stringify(schema.const);
  const parts = schema && partsOf(schema);
  if (parts) return [...new Set(parts.map(typeOf))].join(schema.allOf ? " & " : " | ");
  if (schema?.type === "array") return `list of ${typeOf(schema.items)}`;
  return [schema?.type ?? "anything"].flat().join(" | ");
}

function limitsOf(schema) {
  const told = { minimum: "at least", maximum: "at most", minItems: "entries from", maxItems: "entries up to", default: "default" };
  const words = Object.entries(told).filter(([key]) => schema[key] !== undefined).map(([key, word]) => `${word} ${JSON.stringify(schema[key])}`);
  if (schema.format && !schema.format.startsWith("int") && schema.format !== "double") words.unshift(schema.format);
  if (schema.enum) words.push(schema.enum.map((value) => JSON.stringify(value)).join(", "));
  return words.length ? ` · ${words.join(" · ")}` : "";
}

// What a schema has inside, to be opened; nothing where it is plain.
function inside(schema, depth = 0) {
  const full = resolved(schema);
  if (depth > 12) return null;
  if (full.type === "array" || (Array.isArray(full.type) && full.items)) return inside(full.items ?? {}, depth + 1);
  const rows = Object.entries(full.properties ?? {}).map(([name, part]) => property(name, part, full.required?.includes(name)));
  for (const part of partsOf(full) ?? []) {
    const inner = inside(part, depth + 1);
    if (inner) rows.push(...inner.children);
  }
  if (!rows.length && typeof full.additionalProperties === "object") return inside(full.additionalProperties, depth + 1);
  return rows.length ? make("ul", { class: "schema" }, rows) : null;
}

function property(name, schema, isNeeded) {
  const full = resolved(schema);
  const target = [schema, ...(partsOf(schema) ?? []), schema.items].find((part) => part?.$ref) ?? (full.properties ? schema : null);
  const about = schema.description ?? full.description;
  const nested = target && make("details", { ontoggle: (event) => {
    if (event.target.open && event.target.children.length === 1) event.target.append(inside(target) ?? make("p", { class: "type" }, typeOf(resolved(target)), limitsOf(resolved(target))));
  } }, make("summary", {}, "Inside"));
  return make("li", {}, make("b", {}, name), " ", make("span", { class: "type" }, typeOf(schema), limitsOf(full)), " ",
    isNeeded && make("span", { class: "needed" }, "required"), about && make("div", {}, prose(about)), nested);
}

function exampleOf(schema, depth = 0) {
  const full = resolved(schema);
  const given = full.example ?? full.examples?.[0] ?? full.default ?? full.const ?? full.enum?.[0];
  if (given !== undefined) return given;
  if (depth > 5) return null;
  const parts = partsOf(full);
  if (parts && full.allOf) return Object.assign({}, ...parts.map((part) => exampleOf(part, depth + 1)));
  if (parts) return exampleOf(parts.find((part) => part.type !== "null") ?? {}, depth + 1);
  if (full.properties) return Object.fromEntries(Object.entries(full.properties).filter(([name]) => full.required?.includes(name)).map(([name, part]) => [name, exampleOf(part, depth + 1)]));
  return { array: [], object: {}, string: "", integer: 0, number: 0, boolean: false }[[full.type].flat()[0]] ?? null;
}

function row(name, detail, ...about) {
  return make("tr", {}, make("td", {}, name), make("td", {}, detail, ...about));
}

function parameterTable(parameters) {
  return make("table", {}, parameters.map((it) => row(it.name,
    make("span", { class: "type" }, `${it.in} · ${typeOf(it.schema)}${limitsOf(resolved(it.schema))} `),
    it.required && make("span", { class: "needed" }, "required"), make("div", {}, prose(it.description)))));
}

function content(media) {
  return Object.entries(media ?? {}).map(([type, { schema }]) => {
    const inner = inside(schema ?? {});
    return make("div", {}, make("span", { class: "type" }, `${type} · ${typeOf(schema)}`),
      inner && make("details", { class: "more" }, make("summary", {}, "Fields"), inner));
  });
}

function responseTable(responses) {
  const isPlainError = (status, media) => status >= "4" && Object.values(media ?? {}).every(({ schema }) => schema?.$ref === ERROR);
  const rows = Object.entries(responses).map(([status, response]) => {
    const full = resolved(response);
    return row(make("span", { class: `s${status[0]}` }, status), prose(full.description), !isPlainError(status, full.content) && content(full.content),
      Object.keys(full.headers ?? {}).map((name) => make("div", { class: "type" }, "header ", make("code", {}, name))));
  });
  return [make("table", {}, rows), make("details", { class: "more" }, make("summary", {}, "What errors look like"), inside({ $ref: ERROR }))];
}

function requestOf(operation, fields, body) {
  const query = new URLSearchParams();
  let path = operation.path;
  for (const [parameter, input] of fields) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === "query" && input.value !== "") query.set(parameter.name, input.value);
  }
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  if (body) headers["content-type"] = "application/json";
  const search = query.toString();
  return { url: search ? `${path}?${search}` : path, options: { method: operation.method.toUpperCase(), headers, body: body?.value } };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl({ url, options }) {
  const parts = ["curl", options.method === "GET" ? "" : `-X ${options.method}`, quoted(location.origin + url)];
  if (token) parts.push('-H "Authorization: Bearer $AUTOTUNER_TOKEN"');
  if (options.body !== undefined) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(options.body)}`);
  return parts.filter(Boolean).join(" ");
}

// Asks, and shows the answer as it comes, so that streams can be watched.
async function ask(request, output, stop) {
  const begun = performance.now();
  output.replaceChildren("…");
  try {
    const response = await fetch(request.url, { ...request.options, signal: stop });
    const took = Math.round(performance.now() - begun);
    const type = response.headers.get("content-type") ?? "nothing";
    const shown = make("pre", { tabindex: "0" });
    output.replaceChildren(make("p", {}, make("b", { class: `s${String(response.status)[0]}` }, `${response.status} ${response.statusText}`), ` · ${took} ms · ${type}`), shown);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader?.read(); part && !part.done && text.length < LONGEST_ANSWER; part = await reader.read()) {
      text += part.value;
      shown.textContent = text;
    }
    if (text.length >= LONGEST_ANSWER) shown.append("\n… cut off here");
    else if (type.includes("json")) shown.textContent = JSON.stringify(JSON.parse(text), null, 2);
    if (!text) shown.remove();
  } catch (error) {
    output.append(make("p", { class: "s5" }, error.name === "AbortError" ? "Stopped" : `No answer: ${error.message}`));
  }
}

function tryIt(operation) {
  const parameters = operation.parameters.filter((it) => it.in !== "header");
  const fields = parameters.map((it) => [it, make("input", { required: it.required, placeholder: String(it.example ?? it.schema?.example ?? it.schema?.default ?? "") })]);
  const schema = operation.requestBody && resolved(operation.requestBody).content?.["application/json"]?.schema;
  const body = schema && make("textarea", { spellcheck: "false", "aria-label": "Body" });
  if (body) body.value = JSON.stringify(exampleOf(schema), null, 2);
  const output = make("div", { "aria-live": "polite" });
  const line = make("pre", { hidden: true });
  let stopper = null;
  const request = () => requestOf(operation, fields, body);
  const send = (event) => {
    event.preventDefault();
    stopper?.abort();
    stopper = new AbortController();
    ask(request(), output, stopper.signal);
  };
  return make("form", { class: "try", onsubmit: send }, make("h3", {}, "Try it"),
    make("div", { class: "fields" }, fields.map(([it, input]) => make("label", {}, it.name, it.required && " *", input))), body,
    make("div", { class: "actions" },
      make("button", { class: "primary" }, operation.method === "get" ? "Send" : `Send ${operation.method.toUpperCase()}`),
      make("button", { type: "button", onclick: () => stopper?.abort() }, "Stop"),
      make("button", { type: "button", onclick: () => { line.textContent = curl(request()); line.hidden = !line.hidden; } }, "As curl"),
      operation.method !== "get" && make("span", { class: "type" }, "This may change the service that you are looking at")),
    line, output);
}

function details(operation) {
  const body = operation.requestBody && resolved(operation.requestBody);
  return make("div", { class: "body" }, paragraphs(operation.description),
    operation.deprecated && make("p", { class: "needed" }, "Deprecated"),
    JSON.stringify(operation.security) === "[{}]" && make("p", { class: "type" }, "Answers everybody: no token is needed."),
    operation.parameters.length > 0 && [make("h3", {}, "Parameters"), parameterTable(operation.parameters)],
    body && [make("h3", {}, "Body"), content(body.content)],
    make("h3", {}, "Answers"), responseTable(operation.responses), tryIt(operation));
}

function card(operation) {
  const node = make("details", { class: "operation", id: operation.operationId, ontoggle: () => {
    if (node.open && node.children.length === 1) node.append(details(operation));
  } }, make("summary", {}, make("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()),
    make("span", { class: "path" }, operation.path), make("span", { class: "about" }, prose(operation.summary))));
  return node;
}

function operationsOf(tag) {
  return Object.entries(api.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]?.tags?.[0] === tag)
    .map((method) => ({ ...item[method], path, method, parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolved) })));
}

function show() {
  find("version").textContent = api.info.version;
  const sections = [], contents = [];
  for (const tag of api.tags) {
    const operations = operationsOf(tag.name);
    const words = (it) => `${it.method} ${it.path} ${it.summary} ${it.description ?? ""} ${tag.name}`.toLowerCase();
    const links = operations.map((it) => make("a", { href: `#${it.operationId}`, "data-words": words(it), title: `${it.method.toUpperCase()} ${it.path}` },
      make("span", { class: `method ${it.method}` }, it.method.toUpperCase()), make("span", {}, prose(it.summary))));
    const cards = operations.map((it) => { const node = card(it); node.dataset.words = words(it); return node; });
    sections.push(make("section", {}, make("h2", {}, tag.name), make("p", { class: "muted" }, tag.description), cards));
    contents.push(make("div", {}, make("h2", {}, tag.name), links));
  }
  find("operations").replaceChildren(...sections);
  find("contents").replaceChildren(...contents);
  find("status").textContent = "";
  search();
  reveal();
}

function search() {
  const wanted = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const group of [...find("operations").children, ...find("contents").children]) {
    const entries = [...group.querySelectorAll("[data-words]")];
    for (const entry of entries) entry.hidden = !wanted.every((word) => entry.dataset.words.includes(word));
    group.hidden = entries.every((entry) => entry.hidden);
    count += entries.filter((entry) => !entry.hidden).length;
  }
  if (api) find("status").textContent = count ? "" : "No operation has all of these words.";
}

function reveal() {
  const node = find(decodeURIComponent(location.hash.slice(1)));
  if (!node?.classList.contains("operation")) return;
  node.open = true;
  node.scrollIntoView();
}

async function load() {
  try {
    const response = await fetch("/api/openapi.json", { headers: token ? { authorization: `Bearer ${token}` } : {} });
    if (response.status === 401) {
      find("status").textContent = "This service asks who you are: enter a token above. It is forgotten when you leave this page.";
      find("token").focus();
      return;
    }
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    api = await response.json();
    show();
  } catch (error) {
    find("status").textContent = `The document could not be read: ${error.message}`;
  }
}

const THEMES = { auto: "◐", light: "☀", dark: "☾" };

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  find("theme").textContent = THEMES[theme];
  find("theme").title = `Appearance: ${theme}`;
  localStorage.setItem("docs-theme", theme);
}

find("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  dress(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]);
});
find("search").addEventListener("input", search);
find("access").addEventListener("submit", (event) => { event.preventDefault(); token = find("token").value.trim(); load(); });
addEventListener("hashchange", reveal);
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, textarea")) return;
  event.preventDefault();
  find("search").focus();
});
dress(THEMES[localStorage.getItem("docs-theme")] ? localStorage.getItem("docs-theme") : "auto");
load();
