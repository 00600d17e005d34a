// Validates KQL with Microsoft's language service, which knows syntax, tables, columns, functions and types.
//
// Standard input: {"tables": {name: "column:type, ..."}, "bag": column, "keys": [...], "queries": {name: text}}.
// Standard output: {name: {"columns": ["name:type"], "findings": [{"code", "severity", "line", "message"}]}}.
// Beyond the service it knows the keys in the one bag: a misspelt key is valid KQL, and its answer an empty column.
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const PACKAGE = '@kusto/language-service-next';
// Functions that hand a bag on as it is.
const PASSES_ON = new Set([
  'todynamic', 'parse_json', 'tostring', 'coalesce', 'iff', 'take_any', 'take_anyif', 'arg_max', 'arg_min',
]);

function load() {
  const folder = path.dirname(require.resolve(`${PACKAGE}/package.json`));
  // The package is written for browsers: its files are scripts that share the global scope, in this order.
  for (const name of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
    const file = path.join(folder, name);
    vm.runInThisContext(fs.readFileSync(file, 'utf8'), { filename: file });
  }
  return globalThis.Kusto.Language;
}

function globalsFor(language, tables) {
  const symbols = language.Symbols;
  const made = Object.entries(tables).map(([name, columns]) => symbols.TableSymbol.From(`(${columns})`).WithName(name));
  return language.GlobalState.Default.WithDatabase(new symbols.DatabaseSymbol.ctor('resource', made));
}

function list(items) {
  if (Array.isArray(items)) return items;
  return Array.from({ length: items.Count }, (_, index) => items.getItem(index));
}

function kindOf(node) {
  return (node.constructor.$$name || '').split('.').pop();
}

function* nodes(node) {
  if (!node) return;
  yield node;
  for (let index = 0; index < node.ChildCount; index++) yield* nodes(node.GetChild(index));
}

function textOf(node) {
  return node.toString().trim();
}

function isBag(node, bags) {
  const kind = kindOf(node);
  if (kind === 'NameReference') return bags.has(textOf(node));
  if (kind === 'ParenthesizedExpression') return isBag(node.Expression, bags);
  if (kind !== 'FunctionCallExpression' || !PASSES_ON.has(textOf(node.Name))) return false;
  return [...nodes(node.ArgumentList)].some(inner => kindOf(inner) === 'NameReference' && bags.has(textOf(inner)));
}

// The bag's own name and every name that a query gives it (`extend d = customDimensions`, in any number of steps).
function bagNames(root, bag) {
  const names = new Set([bag]);
  const given = [...nodes(root)].filter(node => kindOf(node) === 'SimpleNamedExpression');
  for (let before = 0; before !== names.size;) {
    before = names.size;
    for (const node of given) if (isBag(node.Expression, names)) names.add(textOf(node.Name));
  }
  return names;
}

function keyFindings(root, bag, keys) {
  const bags = bagNames(root, bag);
  const findings = [];
  for (const node of nodes(root)) {
    if (!['PathExpression', 'ElementExpression'].includes(kindOf(node)) || !isBag(node.Expression, bags)) continue;
    const written = textOf(node.Selector).replace(/^\[|\]$/g, '').trim();
    const quoted = /^@?(["'])(.*)\1$/.exec(written);
    const key = quoted ? quoted[2] : kindOf(node) === 'PathExpression' ? written : null;
    const found = { severity: 'Error', at: node.TextStart };
    if (key === null) findings.push({ ...found, code: 'KEY002', message: `${written} is no literal key.` });
    else if (!keys.has(key)) findings.push({ ...found, code: 'KEY001', message: `'${key}' is no key of ${bag}.` });
  }
  return findings;
}

function check(language, globals, text, bag, keys) {
  const code = language.KustoCode.ParseAndAnalyze(text, globals);
  const found = list(code.GetDiagnostics())
    .map(finding => ({ code: finding.Code, severity: finding.Severity, at: finding.Start, message: finding.Message }));
  const findings = [...found, ...keyFindings(code.Syntax, bag, keys)]
    .map(({ at, ...finding }) => ({ ...finding, line: text.slice(0, at).split('\n').length }));
  const columns = code.ResultType && code.ResultType.Columns ? list(code.ResultType.Columns) : [];
  return { columns: columns.map(column => `${column.Name}:${column.Type.Name}`), findings };
}

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const language = load();
const globals = globalsFor(language, asked.tables);
const keys = new Set(asked.keys);
const answers = Object.entries(asked.queries)
  .map(([name, text]) => [name, check(language, globals, text, asked.bag, keys)]);
process.stdout.write(JSON.stringify(Object.fromEntries(answers)));
