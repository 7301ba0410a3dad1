// Which tests show which product rule: docs/rules.md, written from a test run, or checked against one.
//   node test/rules.mjs RESULTS.json [--check]      RESULTS.json: npm test -- --json --outputFile=RESULTS.json
import { parse } from 'csv-parse/sync';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs/rules.md');
/** More tests of one rule in one group than this are counted under the group's name. */
const NAMED_MAX = 12;

/** A test shows the rules whose numbers its own name, or that of a group around it, begins with: `P06, P11: …`. */
const NUMBERS = /^P\d\d(?:, P\d\d)*(?=:)/;
const rulesOf = (titles) => [...new Set(titles.flatMap((title) => title.match(NUMBERS)?.[0].split(', ') ?? []))];
const bare = (title) => title.replace(NUMBERS, '').replace(/^: /, '');

function testsByRule({ testResults }) {
  const byRule = new Map();
  for (const file of testResults) {
    for (const { ancestorTitles, title, status } of file.assertionResults) {
      const titles = [...ancestorTitles, title];
      for (const rule of rulesOf(titles)) {
        if (!byRule.has(rule)) byRule.set(rule, []);
        const group = ancestorTitles
          .filter((each) => each !== '')
          .map(bare)
          .join(' › ');
        byRule.get(rule).push({ file: relative(root, file.name), group, title: bare(title), status });
      }
    }
  }
  return byRule;
}

const escape = (text) => text.replaceAll(/([\\|<>*_`[\]])/g, '\\$1');

/** What the tests of one file show: each by its name, below that of the group that it stands in. */
function linesOf(tests) {
  const groups = [...Map.groupBy(tests, ({ group }) => group)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return groups.flatMap(([group, all]) => {
    const names = namesOf(all);
    if (group === '') return names.map((name) => `  - ${name}`);
    if (all.length > NAMED_MAX) return [`  - ${escape(group)}: ${all.length} tests`];
    return [`  - ${escape(group)}`, ...names.map((name) => `    - ${name}`)];
  });
}

/** A name that stands twice is one sentence about two tests. */
const namesOf = (tests) =>
  [...Map.groupBy(tests, ({ title }) => title)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([title, { length }]) => (length === 1 ? escape(title) : `${escape(title)} (${length} tests)`));

function render(rules, byRule) {
  const shown = rules.filter(({ number }) => byRule.get(number)?.every(({ status }) => status === 'passed'));
  const row = ({ number, titleZh, titleEn, law }) => {
    const tests = byRule.get(number) ?? [];
    const failed = tests.filter(({ status }) => status !== 'passed').length;
    const result = tests.length === 0 ? 'no test' : failed > 0 ? `${failed} of ${tests.length} failed` : 'passed';
    return `| [${number}](#${number.toLowerCase()}) | ${titleZh} ${titleEn} | ${law} | ${tests.length} | ${result} |`;
  };
  const section = ({ number, titleZh, titleEn }) => {
    const files = Map.groupBy(byRule.get(number) ?? [], ({ file }) => file);
    const lines = [...files]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([file, tests]) => [`- \`${file}\``, ...linesOf(tests)].join('\n'));
    return `## <a id="${number.toLowerCase()}"></a>${number} ${titleZh} ${titleEn}\n\n${lines.join('\n')}\n`;
  };
  return `# 规则与测试 The rules and what shows them

Written from a test run by \`npm run rules\`; \`docs/rules.csv\` holds the rules' names and laws. Whether a law is rightly
applied is for counsel to say: these are rules of the product.
由测试结果生成（\`npm run rules\`）。

${shown.length} of ${rules.length} rules hold.

| Rule | Name | Law | Tests | Result |
| --- | --- | --- | --- | --- |
${rules.map(row).join('\n')}

${rules.map(section).join('\n')}`;
}

const [results, flag] = process.argv.slice(2);
if (results === undefined) {
  console.error('Usage: node test/rules.mjs RESULTS.json [--check]');
  process.exit(2);
}
const rules = parse(readFileSync(join(root, 'docs/rules.csv')), { columns: true });
const run = JSON.parse(readFileSync(results, 'utf8'));
// The page names files as this checkout has them: a run of another one would write down its folders.
const foreign = run.testResults.find(({ name }) => relative(root, name).startsWith('..'));
if (foreign !== undefined) {
  console.error(`${results} is of a run in another folder (${foreign.name}). Run the tests in ${root}.`);
  process.exit(2);
}
const byRule = testsByRule(run);
const untested = rules.filter(({ number }) => !byRule.has(number)).map(({ number }) => number);
const text = await format(render(rules, byRule), { ...(await resolveConfig(page)), filepath: page });
if (untested.length > 0) console.error(`No test shows ${untested.join(', ')}.`);
if (flag !== '--check') {
  writeFileSync(page, text);
  console.log(`docs/rules.md: ${rules.length - untested.length} of ${rules.length} rules have tests.`);
} else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/rules.md is not what the tests say: run "npm run rules".');
  process.exitCode = 1;
}
if (untested.length > 0) process.exitCode = 1;
