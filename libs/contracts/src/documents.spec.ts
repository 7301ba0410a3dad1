import { describe, expect, test } from '@jest/globals';
import asyncapi from '@asyncapi/parser';
import { Validator } from '@seriousme/openapi-schema-validator';
import { asyncApiDocument } from './asyncapi.js';
import { wordsOf, type Class } from './fields.js';
import { planOf } from './compiled.js';
import { openApiDocument, ROUTES } from './openapi.js';
import { SUBMISSIONS } from './submissions.js';
import { Notice } from './notice.js';
import { AppealDecision, AppealStay, DeadlineChange } from './appeal.js';
import { ApprovalDecision, ReviewDecision, ReviewUndo } from './review.js';
import { MatchedScreening, ScreeningDecision } from './screening.js';
import { Envelope, ScreeningRequest } from './validate.js';

const references = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, child]) => (key === '$ref' ? [child as string] : references(child)));

const resolves = (document: unknown, ref: string): boolean =>
  ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document) !== undefined;

describe('the documents', () => {
  test('OpenAPI 3.1 is valid', async () => {
    const result = await new Validator().validate(structuredClone(openApiDocument()));
    expect(result).toMatchObject({ valid: true });
  });

  test('AsyncAPI 3 is valid', async () => {
    const { diagnostics } = await new asyncapi.Parser().parse(JSON.stringify(asyncApiDocument()));
    expect(diagnostics.filter(({ severity }) => String(severity) === '0')).toEqual([]);
  });

  test.each([
    ['OpenAPI', openApiDocument()],
    ['AsyncAPI', asyncApiDocument()],
  ])('%s refers to nothing that is not there', (_name, document) => {
    expect(references(document).filter((ref) => !resolves(document, ref))).toEqual([]);
  });

  test('every operation has an id of its own', () => {
    const ids = Object.values(
      openApiDocument().paths as Record<string, Record<string, { operationId: string }>>,
    ).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ROUTES.length);
  });

  test('what class-validator demands stands in the schema', () => {
    const { schemas } = openApiDocument().components as { schemas: Record<string, any> };
    expect(schemas.MerchantDelisted.required.toSorted()).toEqual([
      'appealUrl',
      'attestation',
      'decidedAt',
      'decidedBy',
      'identity',
      'merchantId',
      'proof',
      'reason',
      'shops',
      'terminatedAt',
    ]);
    expect(schemas.MerchantReported.properties.shops).toMatchObject({
      type: 'array',
      maxItems: 500,
      items: { $ref: '#/components/schemas/Shop' },
    });
    expect(schemas.Identity).toMatchObject({
      required: ['kind', 'name'],
      additionalProperties: false,
      properties: {
        residentId: { 'x-liandun-personal': { personal: 'always' } },
        kind: { enum: ['organization', 'soleProprietor', 'person'] },
      },
    });
    expect(schemas.MerchantReportedEvent.properties.type).toEqual({ const: 'liandun.merchant.reported.v1' });
    expect(schemas.Proof.properties.evidence).toMatchObject({ minItems: 1, maxItems: 100 });
  });

  test('every field is explained in English and Chinese', () => {
    const silent: string[] = [];
    const look = (target: Class): void => {
      for (const { name } of planOf(target).properties) {
        const words = wordsOf(target, name);
        if (!words || !/[A-Za-z]/.test(words.en) || !/\p{Script=Han}/u.test(words.zh))
          silent.push(`${target.name}.${name}`);
      }
    };
    [
      Envelope,
      ScreeningRequest,
      ScreeningDecision,
      MatchedScreening,
      Notice,
      ReviewDecision,
      AppealDecision,
      AppealStay,
      DeadlineChange,
      ReviewUndo,
      ApprovalDecision,
      ...Object.values(SUBMISSIONS).map(({ payload }) => payload),
    ].forEach(look);
    expect(silent).toEqual([]);
  });
});
