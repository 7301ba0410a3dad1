import { describe, expect, test } from '@jest/globals';
import { MATCH_FIELDS, openApiDocument } from '@liandun/contracts';
import { contextIn } from '../testing/terminal.js';
import { LABELS, VALUES } from './labels.js';
import { render } from './render.js';

// What the tool shows people as it comes: appeals show, coverage, screen, floods, deadlines.
const SHOWN = ['AppealDetail', 'Coverage', 'Screening', 'DeadlineSet', 'FloodDecided'];

interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
}
const { schemas } = openApiDocument().components as { schemas: Record<string, Schema> };
const of = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (schemas[schema.$ref.split('/').at(-1) ?? ''] as Schema);

// Texts in the two languages are told by the ledger itself, and one of each pair is shown.
const SAID = new Set(['en', 'zh', 'labelEn', 'labelZh', 'nameEn']);

interface Field {
  parent: string;
  field: string;
  values: string[];
}

/** Every field that the answer may hold, with the field that holds it and the list that its value is of. */
function fieldsOf(given: Schema, parent = ''): Field[] {
  const schema = of(given);
  if (schema.items) return fieldsOf(schema.items, parent);
  return Object.entries(schema.properties ?? {}).flatMap(([field, below]) => {
    const { enum: own, items, additionalProperties } = of(below);
    const map = typeof additionalProperties === 'object' ? (additionalProperties.enum ?? []) : [];
    const values = own ?? (items && of(items).enum) ?? map;
    return [{ parent, field, values }, ...fieldsOf(below, field)];
  });
}

/** An answer with every field in it, each value of a list once; what people or members wrote is `~`. */
function sample(given: Schema, field = ''): unknown {
  const schema = of(given);
  if (schema.items) {
    const values = of(schema.items).enum ?? [];
    if (values.length > 0) return values;
    const lists = Object.values(of(schema.items).properties ?? {}).map((below) => of(below).enum?.length ?? 1);
    return Array.from({ length: Math.max(1, ...lists) }, (_, at) => nth(schema.items as Schema, at));
  }
  if (schema.properties) return nth(schema, 0);
  if (typeof schema.additionalProperties === 'object') {
    const { additionalProperties: value } = schema;
    return Object.fromEntries(MATCH_FIELDS.map((name, i) => [name, value.enum?.[i % value.enum.length] ?? '~']));
  }
  if (schema.type === 'integer' || schema.type === 'number') return 1;
  if (schema.format === 'date-time') return '2026-12-09T00:00:00.000+08:00';
  if (schema.format === 'date') return '2026-12-08';
  if (field === 'en' || field === 'labelEn') return 'said';
  if (field === 'zh' || field === 'labelZh') return '所说';
  return schema.enum?.[0] ?? '~';
}
function nth(given: Schema, at: number): unknown {
  return Object.fromEntries(
    Object.entries(of(given).properties ?? {}).map(([field, below]) => {
      const { enum: values } = of(below);
      return [field, values ? values[at % values.length] : sample(below, field)];
    }),
  );
}

describe('the answers that people are shown', () => {
  test.each(SHOWN)('of %s every field has a label in English and Chinese', (name) => {
    const all = fieldsOf(schemas[name] as Schema).filter(({ field }) => !SAID.has(field));
    expect(all.length).toBeGreaterThan(3);
    const unnamed = all.filter(({ parent, field }) => !LABELS[`${parent}.${field}`] && !LABELS[field]);
    expect(unnamed).toEqual([]);
  });

  test.each(SHOWN)('of %s every value of a closed list has a word in English and Chinese', (name) => {
    const missing = fieldsOf(schemas[name] as Schema).flatMap(({ parent, field, values }) =>
      values
        .filter((value) => !(VALUES[`${parent}.${field}`] ?? VALUES[field])?.[value])
        .map((value) => `${parent}.${field}: ${value}`),
    );
    expect(missing).toEqual([]);
  });

  test('have a label for every field that can agree', () => {
    expect(MATCH_FIELDS.filter((field) => !LABELS[field])).toEqual([]);
  });

  test.each(SHOWN)('of %s are in Chinese alone, or in English alone', (name) => {
    const answer = sample(schemas[name] as Schema) as object;
    const [zh, en] = [contextIn('zh'), contextIn('en')].map((context) => render(context, answer).join('\n'));
    expect(zh?.replaceAll('SHA-256', '').match(/[A-Za-z]{2,}/g) ?? []).toEqual([]);
    expect(en?.match(/\p{Script=Han}+/gu) ?? []).toEqual([]);
  });
});
