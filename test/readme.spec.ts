import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

const readme = readFileSync('README.md', 'utf8');

test.each(['docs/examples/publish.ts', 'docs/examples/consume.ts'])(
  'the README shows %s as it is compiled, in about 20 lines',
  (file) => {
    const code = readFileSync(file, 'utf8');
    expect(readme).toContain(`<!-- ${file} -->\n\n\`\`\`ts\n${code}\`\`\``);
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
  },
);
