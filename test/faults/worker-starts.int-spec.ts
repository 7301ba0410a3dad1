import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EVENT_TYPES, type CloudEvent } from '@liandun/contracts';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { until } from '../support/kafka.js';
import { Product } from '../support/product.js';
import { person, reported } from '../support/submissions.js';
import { Stops } from './stops.js';

const PLATFORM = 'starts-platform';
let product: Product;
let pool: pg.Pool;
let stops: Stops;

beforeAll(async () => {
  product = await Product.start([{ memberId: PLATFORM, role: 'platform' }], undefined, ['api']);
  pool = product.pool();
  // The pool may have the connection that is cut off.
  pool.on('error', () => undefined);
  stops = await Stops.install(pool);
}, 180_000);
afterAll(async () => {
  await stops?.close();
  await pool?.end();
  await product?.stop();
});

const parts = async (): Promise<{ name: string; healthy: boolean; detail: object }[]> => {
  const answer = await fetch(`${product.urlOf('worker')}/health/ready`);
  const body = (await answer.json()) as { status: string; parts: Awaited<ReturnType<typeof parts>> };
  expect([answer.status, body.status]).toEqual([200, 'ok']);
  return body.parts;
};

describe('I11: what a start does in the background is done after all where the database was lost in its midst', () => {
  test('I11: the newer matcher is activated', async () => {
    const activated = `new.type = '${EVENT_TYPES.matcherActivated}'`;
    // Ready while it goes on: an operator's probe sees nothing of it.
    await stops.cutOffAt(
      { name: 'the matcher is activated', on: 'after insert on log.entry', when: activated },
      async () => product.run('worker'),
    );
    await until('the matcher is active', async () => {
      const { rowCount } = await pool.query('select from log.entry where type = $1', [EVENT_TYPES.matcherActivated]);
      return rowCount === 1;
    });
    expect(product.output('worker')).toContain('matching is renewed once the database is back');
    await product.settled();
    await parts();
  });

  /** As an operator rotates: a newer version of each key beside the one in use, and every process started with it. */
  const giveNewerKeys = async (version: number): Promise<void> => {
    const file = join(product.folder, 'keys.json');
    const { seal, blind, ...others } = JSON.parse(await readFile(file, 'utf8')) as Record<
      string,
      string | Record<number, string>
    >;
    const withNewer = (older: string | Record<number, string> = {}): object => ({
      [version - 1]: typeof older === 'string' ? older : older[version - 1],
      [version]: randomBytes(32).toString('base64'),
    });
    await writeFile(file, JSON.stringify({ ...others, seal: withNewer(seal), blind: withNewer(blind) }));
    await Promise.all([product.kill('api'), product.kill('worker')]);
    await product.run('api');
  };

  const TABLES = ['data_key', 'token', 'person_token'];
  const versions = async (): Promise<number[][]> =>
    Promise.all(
      TABLES.map(async (table) => {
        const { rows } = await pool.query(`select distinct key_version as v from vault.${table} order by v`);
        return rows.map(({ v }) => v as number);
      }),
    );

  test.each([
    { version: 2, name: 'a value is sealed anew', on: 'after update on vault.data_key' },
    { version: 3, name: 'the tokens under the older key go', on: 'after delete on vault.token' },
  ])('I11: the vault’s keys are rotated, lost as $name', async ({ version, ...step }) => {
    const identity = person(version, { phones: ['+8613800138000'] });
    const receipt = await product.client(PLATFORM).publish(reported(PLATFORM, `m-${version}`, identity) as CloudEvent);
    expect(receipt).toMatchObject({ status: 'accepted' });
    const older = version - 1;
    expect((await versions()).map((there) => there.at(-1))).toEqual(TABLES.map(() => older));
    await giveNewerKeys(version);
    await stops.cutOffAt(step, async () => product.run('worker'));
    await until('nothing is left under the older keys', async () =>
      (await versions()).every((left) => isDeepStrictEqual(left, [version])),
    );
    expect(product.output('worker')).toContain('keys are rotated once the database is back');
    await product.settled();
    expect(await parts()).toContainEqual(
      expect.objectContaining({
        name: 'keyRotation',
        detail: expect.objectContaining({ job: 'blind', version, done: true }),
      }),
    );
  });
});
