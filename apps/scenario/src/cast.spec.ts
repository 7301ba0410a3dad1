import { describe, expect, test } from '@jest/globals';
import { isUscc } from '@liandun/contracts';
import { castOf, newRunId, REASONS, SUREST_REASONS } from './cast.js';

describe('the cast of one run', () => {
  const cast = castOf('7K2QX');
  const all = [...cast.records.flatMap(({ own, elsewhere }) => [own, ...elsewhere]), ...cast.bystanders];

  test('has the figures of February 2020', () => {
    const elsewhere = cast.records.flatMap((record) => record.elsewhere);
    expect(cast.records).toHaveLength(70);
    expect(elsewhere).toHaveLength(27);
    expect(elsewhere.filter(({ keepsOpen }) => keepsOpen)).toHaveLength(1);
    expect(cast.mistaken.elsewhere.length).toBeGreaterThan(1);
    expect(cast.mistaken.elsewhere.some(({ keepsOpen }) => keepsOpen)).toBe(false);
  });

  test('has valid, fictional identifiers that carry the run', () => {
    for (const { identity, merchantId } of all) {
      expect(isUscc(identity.uscc ?? '')).toBe(true);
      expect(identity.uscc).toContain('990101');
      expect(identity.uscc).toContain('7K2QX');
      expect(merchantId).toContain('7K2QX');
    }
  });

  test('gives a merchant the same USCC on every platform, and no two merchants the same', () => {
    for (const { own, elsewhere } of cast.records) {
      for (const other of elsewhere) {
        expect(other.identity.uscc).toBe(own.identity.uscc);
        expect(other.platform).not.toBe(own.platform);
      }
    }
    const merchants = [...cast.records.map(({ own }) => own), ...cast.bystanders];
    expect(new Set(merchants.map(({ identity }) => identity.uscc)).size).toBe(merchants.length);
  });

  test('has bystanders with the name of a listed merchant', () => {
    const listed = new Set(cast.records.map(({ own }) => own.identity.name));
    const namesakes = cast.bystanders.filter(({ identity }) => listed.has(identity.name));
    expect(namesakes.length).toBeGreaterThanOrEqual(5);
  });

  test('a run id fits eight characters of a USCC', () => {
    for (let i = 0; i < 200; i += 1) expect(() => castOf(newRunId())).not.toThrow();
  });

  test('lists for the reasons that it is given, everybody else as before', () => {
    const [usual, surest] = [castOf('7K2QX'), castOf('7K2QX', SUREST_REASONS)];
    expect(new Set(usual.records.map(({ reason }) => reason))).toEqual(new Set<string>(REASONS));
    expect(new Set(surest.records.map(({ reason }) => reason))).toEqual(new Set<string>(SUREST_REASONS));
    expect(surest.records.map(({ own }) => own)).toEqual(usual.records.map(({ own }) => own));
  });
});
