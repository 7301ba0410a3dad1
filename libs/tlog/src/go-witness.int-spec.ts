import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formatVerifierKey, openCheckpoint } from '@liandun/transparency-log';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { GoWitness } from '../../../test/support/go-witness.js';
import { hasGo } from '../../../test/support/go.js';
import { MemoryCopy, newLogKey, TlogDatabase } from '../../../test/support/tlog-database.js';
import { found } from '../../../test/support/until.js';
import { publishCheckpoint, shownCheckpoint, witnessPolicy, Witnesses } from './index.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

// oxlint-disable-next-line jest/no-disabled-tests -- Go is not needed for anything else
(hasGo ? describe : describe.skip)('litewitness from the Go module proxy (skipped where Go is not installed)', () => {
  const key = newLogKey();
  let witness: GoWitness;
  let database: TlogDatabase;

  beforeAll(async () => {
    witness = await GoWitness.start(formatVerifierKey(key), await freePort());
    database = await TlogDatabase.create(key);
  }, 600_000);
  afterAll(async () => {
    await witness?.end();
    await database?.end();
  });

  test('cosigns the log as it grows, and refuses its fork', async () => {
    const policy = witnessPolicy(`${witness.policyLine}\nquorum litewitness.test/w\n`, key);
    const witnesses = new Witnesses({ pool: database.pool, log: key, policy }).start();
    for (const count of [7, 249, 300]) {
      await database.append(count);
      const { size } = (await database.publish())!;
      const checkpoint = await found(`a checkpoint over ${size} is shown`, async () => {
        const shown = await shownCheckpoint(database.pool, policy);
        return shown?.size === size ? shown : undefined;
      });
      const trusted = { logs: [key], witnesses: policy.witnesses.map((one) => one.key) };
      expect(openCheckpoint(checkpoint.note, trusted).signatures).toHaveLength(2);
    }
    await witnesses.stop();

    const forked = await TlogDatabase.create(key, [new MemoryCopy()]);
    await forked.append(600);
    await publishCheckpoint({ pool: forked.pool, log: key, copies: forked.copies });
    const others = new Witnesses({ pool: forked.pool, log: key, policy });
    await others.compare();
    expect(others.refusal).toMatchObject({ code: 'WITNESS_FORKED' });
    await forked.end();

    const behind = await TlogDatabase.create(key, [new MemoryCopy()]);
    const late = new Witnesses({ pool: behind.pool, log: key, policy });
    await late.compare();
    expect(late.refusal).toMatchObject({ code: 'WITNESS_AHEAD' });
    await behind.end();
  });
});
