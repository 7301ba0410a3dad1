import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';

const text = readFileSync('docs/threat-model.md', 'utf8');
const named = [...new Set([...text.matchAll(/`([\w./-]+spec\.ts)`/g)].map(([, path]) => path as string))];

test('every test that the threat model names exists', () => {
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});

test('each attacker has tests against what he tries, and what is not stopped is said', () => {
  const attackers = text.split(/^## /m).slice(2);
  expect(attackers).toHaveLength(5);
  for (const attacker of attackers) {
    const rows = attacker.split('\n').filter((line) => /^\| (?!-)/.test(line));
    expect(rows.length).toBeGreaterThan(4);
    for (const row of rows.slice(1)) expect(row).toMatch(/`[\w./-]+spec\.ts` *\|$/);
    expect(attacker).toContain('**Not stopped.**');
  }
});
